import type { Envelope } from '../../core/envelope.ts';
import { HilumError } from '../../core/errors.ts';
import type { MessageOrder } from '../../core/interface.ts';
import type { Broker, Delivery } from '../../core/ports/broker.ts';
import type { LedgerEntry, LedgerEventKind } from '../../core/ports/ledger.ts';
import { AwaitedRevision } from '../../runtime/flow/awaited-revision.ts';
import { FlowConsumer } from '../../runtime/flow/flow-consumer.ts';
import { Pending } from '../../runtime/flow/pending.ts';
import { Suspects } from '../../runtime/flow/suspects.ts';
import { toPayload } from '../../runtime/payload.ts';
import { Recorder } from '../../runtime/recorder.ts';
import type { FlowResult } from '../../runtime/settlement/transaction.ts';
import { until } from '../support/hilum.ts';
import { buildMessage, OwnerHere, silent } from './owner.ts';
import { parkedKeys } from '../support/parked.ts';

const queue = 'in.lab';

const noRevision = new AwaitedRevision({ revision: undefined, logger: silent });

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

async function startWith(
  run: (envelope: Envelope) => Promise<FlowResult>,
  {
    revision = noRevision,
    takenBy,
    order = 'none',
  }: { revision?: AwaitedRevision; takenBy?: number; order?: MessageOrder } = {},
) {
  const { broker: here, ledger } = await owner.connect();
  const broker = takenBy === undefined ? here : asTakenBy(here, takenBy);
  await broker.declare({ name: queue, interface: 'lab' });
  const parts = { broker, ledger, logger: silent, clock: Date.now };
  const recorder = new Recorder(parts);
  const store = (_: unknown, entries: readonly LedgerEntry[]): Promise<void> =>
    ledger.append(entries);
  consumer = new FlowConsumer(
    { name: queue, order, onFailure: 'skip', window: 4 },
    {
      ...parts,
      recorder,
      suspects: new Suspects(),
      revision,
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

describe('a message that is held for a code', () => {
  it('is held again as often as it is tried, and goes through when the code is there', async () => {
    const code = { node: 'map', layers: '', table: 'wards', code: 'X', source: 'PV1-3' };
    const issue = { code: 'code-unmapped-held', severity: 'error', message: 'It waits.' } as const;
    const error = new HilumError('permanent', [issue], { held: [code] });
    let isMapped = false;
    const { broker, ledger } = await startWith(
      () =>
        Promise.resolve(
          isMapped ? { kind: 'completed' } : { kind: 'failed', error, nodeId: 'map' },
        ),
      { order: 'key' },
    );
    const message = buildMessage('LAB1', { key: 'MRN1' });
    await ledger.append([{ type: 'message', envelope: message }]);
    await broker.publish(queue, message);
    const untilHeld = () =>
      until(
        () => ledger.held(),
        (groups) => groups.length === 1,
        10_000,
      );
    const letGo = async (): Promise<void> => {
      const at = new Date().toISOString();
      const event = { messageId: message.id, kind: 'resumed', at, queue } as const;
      await ledger.append([{ type: 'event', event }]);
      consumer.release('MRN1');
    };
    for (let times = 0; times < 6; times += 1) {
      expect(await untilHeld()).toMatchObject([{ queue, codes: [code], examples: [message.id] }]);
      await letGo();
    }
    await untilHeld();
    isMapped = true;
    await letGo();
    const states = await until(
      () => ledger.states([message.id]),
      (found) => found.get(message.id) === 'processed',
      10_000,
    );
    expect([...states.values()]).toEqual(['processed']);
    expect(await parkedKeys(ledger, queue)).toEqual([]);
  });
});

/** What RabbitMQ says of each message where roles run apart: the revision that the edge took it by. */
function asTakenBy(broker: Broker, revision: number): Broker {
  return {
    declare: (definition) => broker.declare(definition),
    publish: (name, envelope) => broker.publish(name, envelope),
    publishEvent: (topic, envelope) => broker.publishEvent(topic, envelope),
    depths: () => broker.depths(),
    close: () => broker.close(),
    consume: (name, options, handler) =>
      broker.consume(name, options, (delivery) => {
        handler({ ...delivery, envelope: { ...delivery.envelope, revision } });
      }),
  };
}

describe('a message that was taken by a newer revision', () => {
  const logged: string[] = [];
  const logger = { ...silent, info: log, warn: log };
  function log(_: object, text: string): void {
    logged.push(text);
  }
  beforeEach(() => void logged.splice(0));

  async function send(revision: AwaitedRevision) {
    const runs: string[] = [];
    const { broker, ledger } = await startWith(
      ({ id }) => {
        runs.push(id);
        return Promise.resolve({ kind: 'completed' });
      },
      { revision, takenBy: 8 },
    );
    const envelope = buildMessage('LAB1');
    await ledger.append([{ type: 'message', envelope }]);
    await broker.publish(queue, envelope);
    return { runs, envelope, broker };
  }
  const waits = () =>
    until(
      () => Promise.resolve(logged.length),
      (lines) => lines === 1,
      10_000,
    );
  const ran = (runs: readonly string[]) =>
    until(
      () => Promise.resolve(runs.length),
      (count) => count === 1,
      10_000,
    );

  it('runs as soon as that is reached, and not before', async () => {
    const revision = new AwaitedRevision({ revision: 7, logger });
    const { runs } = await send(revision);
    await waits();
    revision.reached(7);
    expect(runs).toEqual([]);
    revision.reached(8);
    await ran(runs);
    expect(revision.number).toBe(8);
  });

  it('goes back for whoever takes over from this worker', async () => {
    const { runs, broker, envelope } = await send(new AwaitedRevision({ revision: 7, logger }));
    await waits();
    await consumer.stop().through;
    expect(runs).toEqual([]);
    const [next] = await new Promise<readonly Delivery[]>((resolve) => {
      void broker.consume(queue, { window: 1 }, (delivery) => {
        resolve([delivery]);
      });
    });
    expect(next?.envelope).toMatchObject({ id: envelope.id, attempt: 1 });
    await next?.accept();
  });

  it('runs all the same where the revision does not come', async () => {
    const { runs } = await send(new AwaitedRevision({ revision: 7, patienceMs: 50, logger }));
    await ran(runs);
    expect(logged).toEqual([
      expect.stringContaining('wait until it runs here'),
      expect.stringContaining('go on without'),
    ]);
  });
});
