import path from 'node:path';
import type { OwnerClient } from '../../../connectors/sqlite/client.ts';
import type { ReplayView } from '../../../console/api/replays.ts';
import type { Envelope } from '../../../core/envelope.ts';
import { buildError } from '../../../core/errors.ts';
import type { Broker } from '../../../core/ports/broker.ts';
import type { Ledger } from '../../../core/ports/ledger.ts';
import type { Stores } from '../../../runtime/broker.ts';
import { ReplayRuns } from '../../../runtime/replay/runs.ts';
import { overrideIn } from '../../support/edge.ts';
import { until } from '../../support/hilum.ts';
import { makeTempFolder } from '../../support/temp.ts';
import { buildMessage, OwnerHere, silent } from '../owner.ts';

const queue = 'in.lab';
const count = 5;
/** Cut short at this one. */
const third = 3;

let owner: OwnerHere;
let client: OwnerClient;
let directory: string;
let origins: readonly Envelope[];

beforeEach(async () => {
  directory = path.join(makeTempFolder('replays'), 'replays');
  owner = new OwnerHere();
  await owner.open();
  client = await owner.connect();
  await client.broker.declare({ name: queue, interface: 'lab' });
  origins = Array.from({ length: count }, (_, at) => buildMessage(`LAB${at}`));
  for (const envelope of origins) {
    const { id: messageId, receivedAt: at } = envelope;
    await client.ledger.append([
      { type: 'message', envelope },
      { type: 'event', event: { messageId, kind: 'queued', at, queue } },
      { type: 'event', event: { messageId, kind: 'processed', at } },
    ]);
  }
});

afterEach(() => owner.close());

/** Two stores that know nothing of each other, as with RabbitMQ. */
const apart = (given: { readonly broker?: Broker; readonly ledger?: Ledger } = {}): Stores => ({
  broker: client.broker,
  ledger: client.ledger,
  retention: client.retention,
  close: () => Promise.resolve(),
  ...given,
});

const openRuns = (stores: Stores): Promise<ReplayRuns> =>
  ReplayRuns.open({
    stores,
    directory,
    logger: silent,
    clock: () => Date.now() + 1_000,
    definitions: () => ({
      listeners: [],
      senders: [],
      queues: [{ name: queue, interface: 'lab' }],
    }),
  });

const request = { filter: { interface: 'lab' }, step: 'start', rate: 1_000, by: 'ada' } as const;

const ended = (runs: ReplayRuns, id: string): Promise<ReplayView> =>
  until(
    () => Promise.resolve(runs.find(id)!),
    ({ state }) => state !== 'running',
    10_000,
  );

/** All that waits, in the order in which it is delivered. */
async function takeAll(): Promise<readonly Envelope[]> {
  const taken: Envelope[] = [];
  const [{ ready } = { ready: 0 }] = await client.broker.depths();
  const { promise: all, resolve } = Promise.withResolvers<undefined>();
  const consumer = await client.broker.consume(queue, { window: 1 }, (delivery) => {
    taken.push(delivery.envelope);
    void delivery.accept().then(() => taken.length === ready && resolve(undefined));
  });
  await all;
  await consumer.stop();
  return taken;
}

async function countTold(): Promise<readonly number[]> {
  return Promise.all(
    origins.map(async ({ id }) => {
      const { events = [] } = (await client.ledger.trace(id)) ?? {};
      return events.filter(({ kind, messageId }) => kind === 'replayed' && messageId === id).length;
    }),
  );
}

/** Fails once, the moment that it is called for the nth time with this; and says when. */
function failingAt<A extends readonly unknown[]>(
  nth: number,
  real: (...given: A) => Promise<void>,
  isMeant: (...given: A) => boolean = () => true,
) {
  const { promise: cut, resolve } = Promise.withResolvers<undefined>();
  let calls = 0;
  const call = (...given: A): Promise<void> => {
    if (isMeant(...given)) calls += 1;
    if (calls !== nth) return real(...given);
    resolve(undefined);
    return Promise.reject(buildError('transient', 'away', 'It is away.'));
  };
  return { call, cut };
}

const isQueued: (entries: Parameters<Ledger['append']>[0]) => boolean = ([entry]) =>
  entry?.type === 'event' && entry.event.kind === 'queued';

/** What a run has that was cut short, after it has gone on in the next process. */
async function goOnAfter(
  stores: Stores,
  cut: Promise<undefined>,
): Promise<{ readonly run: ReplayView; readonly taken: readonly Envelope[] }> {
  const before = await openRuns(stores);
  const { id } = await before.start(request);
  await cut;
  await before.close();
  expect(before.find(id)).toMatchObject({ state: 'running' });
  const after = await openRuns(apart());
  return { run: await ended(after, id), taken: await takeAll() };
}

const asked = (taken: readonly Envelope[]): readonly unknown[] =>
  taken.map(({ causationId }) => causationId);

describe('a replay over two stores that is cut short', () => {
  it('queues what it had told of and not queued, and tells of it once', async () => {
    const { call, cut } = failingAt(third, (...given: Parameters<Broker['publish']>) =>
      client.broker.publish(...given),
    );
    const broker = overrideIn<Broker>(client.broker, { publish: call });
    const { run, taken } = await goOnAfter(apart({ broker }), cut);
    expect(run).toMatchObject({ state: 'done', total: count, replayed: count, failed: 0 });
    expect(asked(taken)).toEqual(origins.map(({ id }) => id));
    expect(await countTold()).toEqual(origins.map(() => 1));
  });

  it('queues again, under the same id, what may not be queued, and tells of it once', async () => {
    const { call, cut } = failingAt(
      third,
      (...given: Parameters<Ledger['append']>) => client.ledger.append(...given),
      isQueued,
    );
    const ledger = overrideIn<Ledger>(client.ledger, { append: call });
    const { run, taken } = await goOnAfter(apart({ ledger }), cut);
    expect(run).toMatchObject({ state: 'done', total: count, replayed: count, failed: 0 });
    expect([...new Set(asked(taken))]).toEqual(origins.map(({ id }) => id));
    expect(new Set(taken.map(({ id }) => id)).size).toBe(count);
    expect(taken.length - count).toBeLessThanOrEqual(1);
    expect(await countTold()).toEqual(origins.map(() => 1));
  });

  it('says of what no queue takes that it was refused, and why', async () => {
    const broker = overrideIn<Broker>(client.broker, {
      publish: () => Promise.reject(buildError('permanent', 'queue-missing', 'It is gone.')),
    });
    const runs = await openRuns(apart({ broker }));
    const { id } = await runs.start(request);
    expect(await ended(runs, id)).toMatchObject({
      failed: count,
      reasons: { 'queue-missing': count },
    });
    const { events = [] } = (await client.ledger.trace(origins[0]!.id)) ?? {};
    expect(events.find(({ kind }) => kind === 'refused')?.issues).toMatchObject([
      { code: 'queue-missing' },
    ]);
  });
});

it('queues and tells in one step where broker and ledger are of one piece', async () => {
  const refuse = () => Promise.reject(new Error('not by itself'));
  const runs = await openRuns({
    ...apart({
      broker: overrideIn<Broker>(client.broker, { publish: refuse }),
      ledger: overrideIn<Ledger>(client.ledger, { append: refuse }),
    }),
    intake: client.intake,
  });
  const { id } = await runs.start(request);
  expect(await ended(runs, id)).toMatchObject({ state: 'done', replayed: count, failed: 0 });
  expect(asked(await takeAll())).toEqual(origins.map((origin) => origin.id));
  expect(await countTold()).toEqual(origins.map(() => 1));
});
