import { AwaitedRevision } from '../../runtime/flow/awaited-revision.ts';
import { FlowConsumer } from '../../runtime/flow/flow-consumer.ts';
import { Pending } from '../../runtime/flow/pending.ts';
import { Suspects } from '../../runtime/flow/suspects.ts';
import { toPayload } from '../../runtime/payload.ts';
import { Recorder } from '../../runtime/recorder.ts';
import type { FlowResult } from '../../runtime/settlement/transaction.ts';
import { until } from '../support/hilum.ts';
import { buildMessage, OwnerHere, silent } from './owner.ts';

const queues = ['in.ill', 'in.slow'] as const;
const never = new Promise<FlowResult>(() => undefined);

let owner: OwnerHere;

beforeEach(async () => {
  owner = new OwnerHere();
  await owner.open();
});

afterEach(() => owner.close());

/** A worker whose two flows do what `run` says with a message; `end` is as abrupt as a crash. */
async function startWorker(run: (controlId: string) => Promise<FlowResult>) {
  const client = await owner.connect();
  const { broker, ledger } = client;
  const parts = { broker, ledger, logger: silent, clock: Date.now };
  const suspects = new Suspects();
  for (const name of queues) {
    new FlowConsumer(
      { name, order: 'none', onFailure: 'skip', window: 4 },
      {
        ...parts,
        recorder: new Recorder(parts),
        suspects,
        revision: new AwaitedRevision({ revision: undefined, logger: silent }),
        begin: (envelope, { redelivered }) => ({
          envelope,
          redelivered,
          payload: toPayload(envelope),
          pending: new Pending((_, entries) => ledger.append(entries)),
        }),
        store: (_, entries) => ledger.append(entries),
        conclude: () => Promise.resolve([]),
        run: ({ envelope: { controlId = '' } }) => run(controlId),
      },
      () => undefined,
    ).start(() => undefined, { isPaused: false });
  }
  return { end: () => client.close() };
}

describe('a message that ends its worker and leaves no word', () => {
  it('takes no slow one of another queue with it into the dead letters', async () => {
    const { broker, ledger } = await owner.connect();
    const [poison, slow] = [buildMessage('POISON'), buildMessage('SLOW')];
    for (const [at, envelope] of [poison, slow].entries()) {
      await broker.declare({ name: queues[at]!, interface: 'lab' });
      await ledger.append([{ type: 'message', envelope }]);
    }
    const kindsOf = async ({ id }: { readonly id: string }) =>
      (await ledger.trace(id))?.events.map(({ kind }) => kind) ?? [];
    const isOver = (kinds: readonly string[]): boolean =>
      kinds.includes('processed') || kinds.includes('dead-lettered');
    const areOver = async (): Promise<boolean> =>
      isOver(await kindsOf(poison)) && isOver(await kindsOf(slow));
    let isSlowUnderway = false;
    for (let workers = 1; !(await areOver()) && workers <= 8; workers += 1) {
      const ended = Promise.withResolvers<undefined>();
      isSlowUnderway = false;
      const worker = await startWorker(async (controlId) => {
        if (controlId === 'POISON') {
          // It ends the worker while the other one is in its flow, unless that is kept from it.
          await until(() => Promise.resolve(isSlowUnderway), Boolean, 500).catch(() => undefined);
          ended.resolve(undefined);
          return never;
        }
        isSlowUnderway = true;
        return Promise.race([ended.promise.then(() => never), completeLate()]);
      });
      if (workers === 1) {
        await broker.publish(queues[0], poison);
        await broker.publish(queues[1], slow);
      }
      await Promise.race([ended.promise, until(areOver, Boolean, 20_000)]);
      await worker.end();
    }
    expect((await kindsOf(poison)).at(-1)).toBe('dead-lettered');
    expect((await kindsOf(slow)).at(-1)).toBe('processed');
  }, 60_000);
});

/** Longer than the poison needs beside it. */
function completeLate(): Promise<FlowResult> {
  return new Promise((resolve) => setTimeout(() => resolve({ kind: 'completed' }), 1_500));
}
