import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ReplayView } from '../../console/api/replays.ts';
import type { TraceView, WaitingView } from '../../console/api/views.ts';
import { mllpIn, mllpOut, writeFlows } from '../support/flow-files.ts';
import { startHilum, until, type RunningHilum } from '../support/hilum.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { MllpPartner, readAnswer } from '../support/mllp.ts';
import { openPartner } from '../support/partner.ts';
import { findFreePorts } from '../support/ports.ts';
import { makeTempFolder } from '../support/temp.ts';

const count = 150;
const indexes = Array.from({ length: count }, (_, at) => at + 1);
const controlIds = indexes.map(controlIdOf);
const inbound = 'in.lab-in';

/**
 * A replay of many messages, and the processes that are killed in the middle of it. `twinsPerCrash`: how many copies a
 * crash may leave twice in the queue, under one id.
 */
export function describeReplayRestart(
  name: string,
  { twinsPerCrash, open }: { readonly twinsPerCrash: number; readonly open: () => Promise<object> },
): void {
  describe(`a replay that is cut short, ${name}`, () => {
    let partner: Awaited<ReturnType<typeof openPartner>>;
    let port: number;
    let env: Record<string, string>;
    let hilum: RunningHilum;

    beforeAll(async () => {
      partner = await openPartner(true);
      [port = 0] = await findFreePorts(1);
      env = {
        HILUM_DATA: path.join(makeTempFolder('replay'), 'data'),
        HILUM_DEMO: 'off',
        HILUM_FLOWS: writeFlows({
          lab: [mllpIn('lab-in', port, 'lab-out'), mllpOut('lab-out', partner.port)],
        }),
        ...(await open()),
      };
      hilum = await startHilum(env);
    }, 180_000);

    afterAll(async () => {
      await hilum.stop();
      partner.close();
    }, 60_000);

    const delivered = (wanted: number): Promise<readonly string[]> =>
      until(
        () => Promise.resolve(partner.got),
        ({ length }) => length >= wanted,
        10_000,
      );
    const replays = async (): Promise<readonly ReplayView[]> =>
      (await hilum.ask('GET', '/api/replays')).body as readonly ReplayView[];
    const waiting = async (): Promise<readonly WaitingView[]> =>
      (await hilum.ask('GET', `/api/queues/${inbound}/messages?limit=500`)).body as WaitingView[];
    const held = async (): Promise<number> => {
      const queue = (await hilum.queues()).find((each) => each.queue === inbound);
      return (queue?.ready ?? 0) + (queue?.unsettled ?? 0);
    };

    it('goes on where it was, in the original order, each once', async () => {
      const sender = await MllpPartner.connect(port);
      for (const index of indexes) {
        const answer = await sender.send(buildLabResult({ index, patient: 1 }));
        expect(readAnswer(answer)).toBe(`AA ${controlIdOf(index)}`);
      }
      sender.close();
      await delivered(count);
      expect((await hilum.cli('queues', 'pause', inbound)).code).toBe(0);
      // What follows it ends with the engine; the replay does not.
      const following = hilum.cli('replay', '--interface', 'lab', '--rate', '20');
      const crashes: readonly (readonly string[])[] = [['supervisor'], [], ['supervisor', 'owner']];
      /** How many were in the middle of it: on a busy machine it may be over before the last. */
      let inTheMiddle = 0;
      for (const [round, names] of crashes.entries()) {
        const least = ((round + 1) * count) / (crashes.length + 2);
        await until(waiting, ({ length }) => length >= least, 60_000);
        await hilum.crash(...names);
        if (readStored(hilum.dataDirectory).state === 'running') inTheMiddle += 1;
        hilum = await startHilum(env);
      }
      expect(inTheMiddle).toBeGreaterThanOrEqual(1);
      expect((await following).code).not.toBe(0);
      const [run] = await until(replays, ([each]) => each?.state !== 'running', 60_000);
      expect(run).toMatchObject({ state: 'done', total: count, replayed: count, failed: 0 });

      const copies = await waiting();
      expect(copies.map(({ controlId }) => controlId)).toEqual(controlIds);
      for (const { id } of copies) {
        const { steps } = (await hilum.ask('GET', `/api/messages/${id}`)).body as TraceView;
        const replayed = steps.filter(({ kind }) => kind === 'replayed');
        expect(replayed.map(({ summary }) => summary)).toEqual([
          `as ${id}, by cli, replay ${run?.id ?? ''}`,
        ]);
      }
      const twins = (await held()) - count;
      expect(twins).toBeGreaterThanOrEqual(0);
      expect(twins).toBeLessThanOrEqual(twinsPerCrash * crashes.length);

      await hilum.cli('queues', 'resume', inbound);
      await delivered(2 * count);
      await until(held, (length) => length === 0, 60_000);
      expect(partner.got).toEqual([...controlIds, ...controlIds]);
    }, 300_000);
  });
}

/** The one replay, as it lies on the disk. */
function readStored(dataDirectory: string): ReplayView {
  const folder = path.join(dataDirectory, 'replays');
  const [file = ''] = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as ReplayView;
}
