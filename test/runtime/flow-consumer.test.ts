import type { Envelope } from '../../core/envelope.ts';
import type { LedgerEntry, LedgerEventKind } from '../../core/ports/ledger.ts';
import { FlowConsumer } from '../../runtime/flow/flow-consumer.ts';
import { Pending } from '../../runtime/flow/pending.ts';
import { Suspects } from '../../runtime/flow/suspects.ts';
import { toPayload } from '../../runtime/payload.ts';
import { Recorder } from '../../runtime/recorder.ts';
import type { FlowResult } from '../../runtime/settlement/transaction.ts';
import { until } from '../support/hilum.ts';
import { buildMessage, OwnerHere, silent } from './owner.ts';

const queue = 'in.lab';

let owner: OwnerHere;
let consumer: FlowConsumer;

beforeEach(async () => {
  owner = new OwnerHere();
  await owner.open();
});

afterEach(async () => {
  await consumer.stop().through;
  await owner.close();
});

async function startWith(run: (envelope: Envelope) => Promise<FlowResult>) {
  const { broker, ledger } = await owner.connect();
  await broker.declare({ name: queue, interface: 'lab' });
  const parts = { broker, ledger, logger: silent, clock: Date.now };
  const recorder = new Recorder(parts);
  const store = (_: unknown, entries: readonly LedgerEntry[]): Promise<void> =>
    ledger.append(entries);
  consumer = new FlowConsumer(
    { name: queue, order: 'none', onFailure: 'skip', window: 4 },
    {
      ...parts,
      recorder,
      suspects: new Suspects(),
      begin: (envelope, { redelivered }) => ({
        envelope,
        redelivered,
        payload: toPayload(envelope),
        pending: new Pending(store),
      }),
      store,
      conclude: () => Promise.resolve([]),
      run: ({ envelope }) => run(envelope),
    },
    () => undefined,
  );
  consumer.start(() => undefined, { isPaused: false });
  return { broker, ledger };
}

describe('a message whose end cannot be stored', () => {
  it('is not taken for one that ends its worker, however often that happens', async () => {
    let runs = 0;
    const { broker, ledger } = await startWith(async () => {
      runs += 1;
      if (runs <= 4) {
        await owner.leave();
        // Until it is there again nothing can be settled, and the broker takes back what it gave out.
        setTimeout(() => void owner.open(), 200);
      }
      return { kind: 'completed' };
    });
    const message = buildMessage('LAB1');
    await ledger.append([{ type: 'message', envelope: message }]);
    await broker.publish(queue, message);
    const kinds = await until<readonly LedgerEventKind[]>(
      async () => {
        const trace = await ledger.trace(message.id).catch(() => undefined);
        return trace?.events.map(({ kind }) => kind) ?? [];
      },
      (found) =>
        found.includes('dead-lettered') ||
        (found.includes('processed') && found.filter((kind) => kind === 'failed').length === 4),
      25_000,
    );
    expect(kinds).not.toContain('dead-lettered');
    expect(runs).toBe(5);
  });
});
