import { appendFileSync } from 'node:fs';
import path from 'node:path';
import type { UnmappedView } from '../../console/api/unmapped.ts';
import type { ParkedView, TraceView } from '../../console/api/views.ts';
import type { FlowNode } from '../../core/interface.ts';
import { mllpIn, mllpOut, send, writeFlows } from '../support/flow-files.ts';
import { startHilum, until, type RunningHilum } from '../support/hilum.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { MllpPartner, readAnswer } from '../support/mllp.ts';
import { openPartner } from '../support/partner.ts';
import { findFreePorts } from '../support/ports.ts';
import { writeMappings } from '../support/small-mappings.ts';
import { makeTempFolder } from '../support/temp.ts';

const translate = (id: string, to: string): FlowNode => ({
  ...{ id, type: 'code translate', name: '', table: 'sex', layers: 'acme', source: 'v2' },
  ...{ from: 'PID-8', to: '', onUnmapped: 'hold', wires: [[to]] },
});

/** Messages that are held for a code, from the first to their delivery, over a crash too. */
export function describeHeld(name: string, open: () => Promise<object>): void {
  describe(`messages that are held for a code, ${name}`, () => {
    let partner: Awaited<ReturnType<typeof openPartner>>;
    let port = 0;
    let loosePort = 0;
    let mappings: string;
    let env: Record<string, string>;
    let hilum: RunningHilum;

    beforeAll(async () => {
      partner = await openPartner(true);
      [port = 0, loosePort = 0] = await findFreePorts(2);
      mappings = path.join(makeTempFolder('held'), 'mappings');
      writeMappings(mappings);
      env = {
        HILUM_DATA: path.join(makeTempFolder('held'), 'data'),
        HILUM_DEMO: 'off',
        HILUM_MAPPINGS: mappings,
        HILUM_FLOWS: writeFlows({
          lab: [
            mllpIn('lab-in', port, 'lab-code'),
            translate('lab-code', 'lab-out'),
            mllpOut('lab-out', partner.port),
          ],
          loose: [
            { ...mllpIn('loose-in', loosePort, 'loose-code'), order: 'none' },
            translate('loose-code', 'loose-out'),
            mllpOut('loose-out', partner.port),
          ],
        }),
        ...(await open()),
      };
      hilum = await startHilum(env);
    }, 180_000);

    afterAll(async () => {
      await hilum.stop();
      partner.close();
    }, 60_000);

    const items = async (): Promise<readonly UnmappedView[]> =>
      JSON.parse(
        (await hilum.cli('mapping', 'unmapped', '--json')).stdout,
      ) as readonly UnmappedView[];
    const untilItems = (count: number): Promise<readonly UnmappedView[]> =>
      until(items, (found) => found.length === count, 30_000);
    const parked = async (): Promise<readonly ParkedView[]> =>
      (await hilum.ask('GET', '/api/parked')).body as readonly ParkedView[];
    const build = (index: number, patient: number, sex: string): string =>
      buildLabResult({ index, patient }).replace(/\|19700101\|[FM]\r/, `|19700101|${sex}\r`);
    const gotOf = (...indexes: readonly number[]): readonly string[] =>
      partner.got.filter((id) => indexes.map(controlIdOf).includes(id));
    const untilGot = (count: number, ...indexes: readonly number[]): Promise<readonly string[]> =>
      until(
        () => Promise.resolve(gotOf(...indexes)),
        (got) => got.length >= count,
        60_000,
      );
    const sexOf = (index: number): string | undefined => {
      const text = partner.texts.find((each) => each.includes(`|${controlIdOf(index)}|`));
      return /\|19700101\|([^|\r]*)\r/.exec(text ?? '')?.[1];
    };
    async function map(code: string, target: string): Promise<void> {
      appendFileSync(path.join(mappings, 'layers', 'acme', 'sex.csv'), `\n${code},${target}`);
      expect(await hilum.cli('deploy')).toMatchObject({ code: 0 });
    }

    it('waits with those of its key while others pass, and goes on in their order when the code is mapped', async () => {
      for (const [index, patient, sex] of [
        [1, 1, 'X'],
        [2, 1, 'F'],
        [3, 2, 'M'],
      ] as const) {
        expect(await send(port, build(index, patient, sex))).toMatch(/^AA/);
      }
      await untilGot(1, 3);
      const [item] = await until(items, ([first]) => first?.waiting === 2, 15_000);
      expect(item).toMatchObject({
        ...{ interface: 'lab', rules: ['lab-code'], table: 'sex', code: 'X', sources: ['PID-8'] },
        ...{ messages: 1, waiting: 2, isMapped: false },
        add: { file: 'layers/acme/sex.csv', row: 'X,TARGET' },
      });
      const shown = (await hilum.cli('mapping', 'unmapped')).stdout;
      expect(shown).toContain('Add to layers/acme/sex.csv, then hilum deploy:\n    X,TARGET\n');
      const { messages } = (await hilum.ask('GET', `/api/messages/${item!.examples[0]!}`))
        .body as TraceView;
      expect(messages[0]).toMatchObject({ controlId: controlIdOf(1), state: 'parked' });
      // A deploy that has the code not leaves it as it is.
      await map('Q', 'unknown');
      await map('X', 'other');
      await untilGot(2, 1, 2);
      expect(gotOf(1, 2)).toEqual([1, 2].map(controlIdOf));
      expect([1, 2, 3].map(sexOf)).toEqual(['other', 'female', 'male']);
      expect(await untilItems(0)).toEqual([]);
      expect(await until(parked, (all) => all.length === 0, 10_000)).toEqual([]);
      expect(await hilum.kinds(item!.examples[0]!)).toEqual(
        expect.arrayContaining(['parked', 'resumed', 'processed', 'delivered']),
      );
      expect(hilum.output()).toContain('Held messages went on: their codes are mapped.');
      // What stands in a message is in no log.
      expect(hilum.output()).not.toContain('MRN00001');
    }, 120_000);

    it('waits alone where the queue keeps no order, and goes on once', async () => {
      for (const [index, sex] of [
        [11, 'Y'],
        [12, 'Y'],
        [13, 'F'],
      ] as const) {
        expect(await send(loosePort, build(index, 11, sex))).toMatch(/^AA/);
      }
      await untilGot(1, 13);
      const [item] = await until(items, ([first]) => first?.messages === 2, 15_000);
      expect(item).toMatchObject({ interface: 'loose', code: 'Y', waiting: 2 });
      await map('Y', 'other');
      await untilGot(2, 11, 12);
      expect(await untilItems(0)).toEqual([]);
      expect([...gotOf(11, 12, 13)].sort()).toEqual([11, 12, 13].map(controlIdOf));
      expect([11, 12].map(sexOf)).toEqual(['other', 'other']);
    }, 120_000);

    it('is given up, or tried as it is, when somebody says so, with who and why', async () => {
      for (const index of [21, 22]) await send(port, build(index, 20 + index, 'V'));
      const [item] = await until(items, ([first]) => first?.messages === 2, 15_000);
      const [first = '', second = ''] = item!.examples;
      const again = ['mapping', 'release', item!.id, 'again', '--reason', 'a look'];
      expect(await hilum.cli(...again)).toMatchObject({ code: 0 });
      await until(
        () => hilum.kinds(first),
        (kinds) => kinds.filter((kind) => kind === 'parked').length >= 2,
        15_000,
      );
      const refused = await hilum.cli('mapping', 'release', item!.id, 'skip');
      expect(refused.stderr).toContain('--yes');
      await untilItems(1);
      const skip = ['mapping', 'release', item!.id, 'skip', '--yes', '--reason', 'never'];
      expect((await hilum.cli(...skip)).stdout).toBe('skip: 2 messages, some at a time\n');
      await untilItems(0);
      for (const id of [first, second]) expect(await hilum.kinds(id)).toContain('dead-lettered');
      const trace = (await hilum.cli('trace', first)).stdout;
      expect(trace).toContain('by cli: a look');
      expect(trace).toContain('by cli: never');
    }, 120_000);

    it('is given up to the last, though everything is killed in the midst of it', async () => {
      const indexes = Array.from({ length: 300 }, (_, at) => 3_001 + at);
      const sender = await MllpPartner.connect(loosePort);
      for (const index of indexes) await sender.send(build(index, index, 'U'));
      sender.close();
      const [item] = await until(items, ([first]) => first?.messages === indexes.length, 60_000);
      const skip = ['mapping', 'release', item!.id, 'skip', '--yes', '--reason', 'no such code'];
      expect(await hilum.cli(...skip)).toMatchObject({ code: 0 });
      const [left] = await until(items, ([now]) => (now?.messages ?? 0) < 300, 30_000);
      await hilum.crash();
      expect(left?.messages).toBeGreaterThan(0);
      hilum = await startHilum(env);
      // Who comes now is not meant.
      await send(loosePort, build(3_999, 3_999, 'U'));
      const [later] = await until(items, ([now]) => now?.messages === 1, 60_000);
      expect(later).not.toHaveProperty('decided');
      const [first = ''] = item!.examples;
      expect((await hilum.cli('trace', first)).stdout).toContain('by cli: no such code');
      const dead = (await hilum.ask('GET', '/api/messages?state=dead-lettered&limit=500')).body;
      const ids = (dead as readonly { readonly controlId: string }[]).map((each) => each.controlId);
      expect(indexes.filter((index) => !ids.includes(controlIdOf(index)))).toEqual([]);
      expect(ids).not.toContain(controlIdOf(3_999));
      await map('U', 'other');
      await untilItems(0);
    }, 300_000);

    it('loses none and overtakes none, though everything is killed while they go on', async () => {
      const count = 200;
      const indexes = Array.from({ length: count }, (_, at) => 1_001 + at);
      // Two of each patient: the second waits behind the first.
      const patientOf = (index: number): number => 1_000 + (index % (count / 2));
      const sender = await MllpPartner.connect(port);
      for (const index of indexes) {
        const answer = await sender.send(build(index, patientOf(index), 'Z'));
        expect(readAnswer(answer)).toBe(`AA ${controlIdOf(index)}`);
      }
      sender.close();
      const loose = Array.from({ length: 40 }, (_, at) => 2_001 + at);
      const looseSender = await MllpPartner.connect(loosePort);
      for (const index of loose) await looseSender.send(build(index, index, 'Z'));
      looseSender.close();
      await until(
        items,
        (found) => found.reduce((sum, { waiting = 0 }) => sum + waiting, 0) === count + 40,
        60_000,
      );
      await map('Z', 'other');
      await untilGot(10, ...indexes);
      await hilum.crash();
      const before = new Set(gotOf(...indexes)).size;
      expect(before).toBeLessThan(count);
      hilum = await startHilum(env);
      await until(
        () => Promise.resolve(new Set(gotOf(...indexes, ...loose)).size),
        (size) => size === count + 40,
        120_000,
      );
      expect(await untilItems(0)).toEqual([]);
      const places = new Map([...partner.got].map((id, at) => [id, at] as const).reverse());
      for (const index of indexes.slice(0, count / 2)) {
        const [first = -1, second = -1] = [index, index + count / 2].map((each) =>
          places.get(controlIdOf(each)),
        );
        expect(first).toBeLessThan(second);
      }
      expect([...indexes, ...loose].map(sexOf)).toEqual([...indexes, ...loose].map(() => 'other'));
    }, 300_000);
  });
}
