import type { Envelope } from '../../../core/envelope.ts';
import type { HeldCode } from '../../../core/held-code.ts';
import type { HeldGroup, Ledger } from '../../../core/ports/ledger.ts';
import { parkedKeys } from '../../support/parked.ts';
import type { LedgerFixture, LedgerTest } from './fixture.ts';
import { uniqueName } from '../envelope.ts';
import { events, instant, buildEnvelope, restartTimeoutMs } from './support.ts';

/** Messages that wait for codes. */
export function describeHeld(test: LedgerTest): void {
  let fixture: LedgerFixture;
  let ledger: Ledger;
  beforeEach(() => {
    ({ fixture, ledger } = test.current());
  });

  describe('held', () => {
    const issues = [
      { code: 'code-unmapped-held', severity: 'error', message: 'It waits.' },
    ] as const;
    const ward: HeldCode = {
      ...{
        node: 'map',
        layers: 'acme',
        map: 'PV1.Encounter',
        rule: 'PV1-3.ward',
        table: 'wards',
      },
      ...{ system: 'urn:id:L', code: 'W 7', display: 'West, "7"', source: 'PV1-3' },
    };
    const assay: HeldCode = {
      node: 'map',
      layers: '',
      table: 'tests',
      code: 'X\0',
      source: 'OBX-3',
    };

    /** Set aside for these codes, and so many of its key behind it. */
    async function hold(
      queue: string,
      held: readonly HeldCode[],
      { behind = 0, hasKey = true } = {},
    ): Promise<Envelope> {
      const of = hasKey ? { key: uniqueName('key') } : {};
      const [first, ...others] = Array.from({ length: behind + 1 }, () => buildEnvelope(of));
      for (const envelope of [first!, ...others]) {
        const isFirst = envelope === first;
        const stopped = isFirst ? { issues, held } : {};
        await ledger.append([
          { type: 'message', envelope },
          ...events(envelope.id, ['queued', 'taken'], { queue }),
          ...events(envelope.id, ['parked'], { queue, ...stopped }, 2),
        ]);
      }
      return first!;
    }
    const groupsOf = async (queue: string): Promise<readonly HeldGroup[]> =>
      (await ledger.held()).filter((group) => group.queue === queue);
    const idsOf = async (
      group: Pick<HeldGroup, 'queue' | 'codes'>,
      page = { limit: 100 },
    ): Promise<readonly string[]> => (await ledger.readHeld(group, page)).map(({ id }) => id);

    it('groups what waits for the same codes, in the order in which that began', async () => {
      const queue = uniqueName('in');
      const first = await hold(queue, [ward], { behind: 2 });
      const both = await hold(queue, [assay, ward]);
      const again = await hold(queue, [ward], { hasKey: false });
      const same = await hold(queue, [ward, assay]);
      const groups = await groupsOf(queue);
      const { interface: owner } = first;
      const shown = { ...assay, code: 'X␀' };
      expect(groups).toEqual([
        {
          ...{ interface: owner, queue, codes: [ward], messages: 2, waiting: 4 },
          ...{ firstAt: instant(2), lastAt: instant(2), examples: [first.id, again.id] },
        },
        {
          ...{ interface: owner, queue, codes: expect.any(Array) as HeldCode[] },
          ...{ messages: 2, waiting: 2, firstAt: instant(2), lastAt: instant(2) },
          examples: [both.id, same.id],
        },
      ]);
      expect(groups[1]!.codes).toHaveLength(2);
      expect(groups[1]!.codes).toEqual(expect.arrayContaining([shown, ward]));
      expect(await ledger.readHeld(groups[0]!, { limit: 9 })).toMatchObject([
        { id: first.id, key: first.key, heldAt: instant(2) },
        { id: again.id, key: again.id, heldAt: instant(2) },
      ]);
      expect(await idsOf(groups[1]!)).toEqual([both.id, same.id]);
      expect(await idsOf({ queue: uniqueName('in'), codes: [ward] })).toEqual([]);
    });

    it('gives the messages of a group page by page, and three as examples', async () => {
      const queue = uniqueName('in');
      const all: string[] = [];
      for (let count = 0; count < 5; count += 1) all.push((await hold(queue, [ward])).id);
      const [group] = await groupsOf(queue);
      expect(group).toMatchObject({ messages: 5, examples: all.slice(0, 3) });
      const page = await ledger.readHeld(group!, { limit: 2 });
      const rest = await ledger.readHeld(group!, { limit: 9, after: page.at(-1)!.place });
      expect([...page, ...rest].map(({ id }) => id)).toEqual(all);
    });

    it('holds it no longer when somebody has decided, and for other codes when these come', async () => {
      const queue = uniqueName('in');
      const [first, second, third] = [
        await hold(queue, [ward]),
        await hold(queue, [ward], { behind: 1 }),
        await hold(queue, [ward]),
      ];
      expect((await parkedKeys(ledger, queue))[0]).toMatchObject({
        isStopped: true,
        isHeld: true,
      });
      await ledger.append(events(first.id, ['resumed'], { queue }, 5));
      await ledger.append(events(third.id, ['withdrawn'], {}, 5));
      expect(await groupsOf(queue)).toMatchObject([{ messages: 1, examples: [second.id] }]);
      await ledger.append(events(first.id, ['parked'], { queue, issues, held: [assay] }, 6));
      // It keeps its place.
      expect(await groupsOf(queue)).toMatchObject([
        { codes: [{ table: 'tests' }], examples: [first.id] },
        { codes: [ward], waiting: 2 },
      ]);
      expect(await ledger.readHeld({ queue, codes: [assay] }, { limit: 9 })).toMatchObject([
        { id: first.id, heldAt: instant(6) },
      ]);
      // Given up for another reason, it waits for a person.
      await ledger.append(events(first.id, ['resumed'], { queue }, 7));
      await ledger.append(events(first.id, ['parked'], { queue, issues }, 8));
      await ledger.append(events(second.id, ['dead-lettered'], { queue }, 8));
      expect(await groupsOf(queue)).toEqual([]);
      const [stopped] = await parkedKeys(ledger, queue);
      expect(stopped).toMatchObject({ isStopped: true });
      expect(stopped).not.toHaveProperty('isHeld');
    });

    it(
      'survives a restart, and a trace tells of it',
      async () => {
        const queue = uniqueName('in');
        const { id } = await hold(queue, [ward]);
        const before = await groupsOf(queue);
        await fixture.restart();
        ledger = await fixture.reopen();
        expect(await groupsOf(queue)).toEqual(before);
        const told = (await ledger.trace(id))?.events.find(({ kind }) => kind === 'parked');
        expect(told).toMatchObject({ issues, held: [ward] });
        await ledger.append(events(id, ['resumed'], { queue }, 9));
        expect(await groupsOf(queue)).toEqual([]);
      },
      restartTimeoutMs,
    );
  });
}
