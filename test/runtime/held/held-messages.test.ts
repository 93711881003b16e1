import path from 'node:path';
import type { OwnerClient } from '../../../connectors/sqlite/client.ts';
import type { HeldCode } from '../../../core/held-code.ts';
import type { LedgerEntry, LedgerEventKind, MessageState } from '../../../core/ports/ledger.ts';
import { keptInFile, type Kept } from '../../../runtime/admin/kept.ts';
import { PuttingBack } from '../../../runtime/admin/putting-back.ts';
import { HeldMessages } from '../../../runtime/held/held-messages.ts';
import { overrideIn } from '../../support/edge.ts';
import { until } from '../../support/hilum.ts';
import { makeTempFolder } from '../../support/temp.ts';
import { buildMessage, OwnerHere, silent } from '../owner.ts';
import { parkedKeys } from '../../support/parked.ts';

const ordered = 'in.ordered';
const loose = 'in.loose';
const other = 'in.other';
const issues = [{ code: 'code-unmapped-held', severity: 'error', message: 'It waits.' }] as const;
const codeOf = (code: string): HeldCode => {
  return { node: 'map', layers: '', map: 'A', rule: 'r', table: 'wards', code, source: 'PV1-3' };
};

let owner: OwnerHere;
let stores: OwnerClient;
let held: HeldMessages;
/** Codes that nobody has mapped. */
let unmapped: Set<string>;
/** The ids of those that somebody was told to take up, by their keys. */
let released: string[];
let now: number;
let paused: string[];
let kept: Kept;

beforeEach(async () => {
  kept = keptInFile(path.join(makeTempFolder('held'), 'held-decisions.json'));
  owner = new OwnerHere();
  await owner.open();
  stores = await owner.connect();
  await stores.broker.declare({ name: loose, interface: 'lab' });
  unmapped = new Set();
  released = [];
  paused = [];
  now = Date.now();
});

afterEach(async () => {
  await held.stop();
  await owner.close();
});

function open(
  options: {
    readonly atOnce?: number;
    readonly patienceMs?: number;
    readonly perLook?: number;
    readonly silentMs?: number;
    readonly perSecond?: number;
  } = {},
  of: Pick<OwnerClient, 'broker' | 'ledger'> = stores,
): void {
  const queues = () =>
    new Map([
      [ordered, { isOrdered: true }],
      [other, { isOrdered: true }],
      [loose, { isOrdered: false }],
    ]);
  const puttingBack = new PuttingBack({ stores: of, logger: silent, queues });
  held = new HeldMessages({
    ...{
      kept,
      puttingBack,
      queues,
      stores: of,
      logger: silent,
      clock: () => (now += 1),
      paused: () => paused,
    },
    deployed: () =>
      Promise.resolve({
        isAwaited: ({ code }) => unmapped.has(code),
        findRow: () => undefined,
      }),
    settled: () => Promise.resolve(),
    onRelease: (_queue, key) => void released.push(key),
    labelOf: () => undefined,
    pace: { atOnce: 10, perSecond: 10_000, patienceMs: 10_000, ...options },
  });
}

async function hold(queue: string, codes: readonly string[], key?: string): Promise<string> {
  const envelope = buildMessage('M1', key === undefined ? {} : { key });
  await stores.ledger.append([
    { type: 'message', envelope },
    event(envelope.id, 'parked', { queue, issues, held: codes.map(codeOf) }),
  ]);
  return envelope.id;
}

function event(messageId: string, kind: LedgerEventKind, more: object = {}): LedgerEntry {
  // Each a millisecond later: of one and the same, what is set aside comes last.
  const at = new Date((now += 1)).toISOString();
  return { type: 'event', event: { messageId, kind, at, ...more } };
}

async function holdMany(count: number, code: string): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < count; at += 1) ids.push(await hold(ordered, [code]));
  return ids;
}

const stateOf = async (id: string): Promise<MessageState | undefined> =>
  (await stores.ledger.states([id])).get(id);
const finish = (id: string, queue = ordered): Promise<void> =>
  stores.ledger.append([event(id, 'processed', { queue })]);
const untilReleased = (count: number): Promise<unknown> =>
  until(
    () => Promise.resolve(released.length),
    (found) => found >= count,
    10_000,
  );

it('lets go on what is mapped, in its order, and no more at once than it may', async () => {
  open();
  const ids = await holdMany(25, 'A');
  unmapped.add('B');
  const ofB = await hold(ordered, ['B']);
  const both = await hold(ordered, ['A', 'B']);
  const looking = held.look();
  await untilReleased(10);
  for (const id of ids.slice(0, 9)) await finish(id);
  // One of them is not through.
  expect(released).toEqual(ids.slice(0, 10));
  await finish(ids[9]!);
  await untilReleased(20);
  for (const id of ids.slice(10, 20)) await finish(id);
  await untilReleased(25);
  for (const id of ids.slice(20)) await finish(id);
  await looking;
  expect(released).toEqual(ids);
  expect([await stateOf(ofB), await stateOf(both)]).toEqual(['parked', 'parked']);
  expect(await held.list()).toMatchObject([
    { code: 'B', messages: 2, isMapped: false, examples: [ofB, both] },
    { code: 'A', messages: 1, isMapped: true, examples: [both] },
  ]);
});

it('gives other codes, and what is deployed next, their turn', async () => {
  open({ atOnce: 2, perLook: 4 });
  const many = await holdMany(9, 'A');
  const few = await holdMany(3, 'B');
  const finishing = until(
    async () => {
      for (const id of released) if ((await stateOf(id)) === 'retrying') await finish(id);
      return released.length;
    },
    (count) => count === 12,
    20_000,
  );
  await held.look();
  expect(released).toEqual([...many.slice(0, 4), ...few]);
  unmapped.add('A');
  await held.look();
  expect(released).toHaveLength(7);
  unmapped.clear();
  held.start();
  await finishing;
  expect(released).toEqual([...many.slice(0, 4), ...few, ...many.slice(4)]);
});

it('leaves those that are not through in time to themselves', async () => {
  open({ patienceMs: 200 });
  const ids = await holdMany(12, 'A');
  await held.look();
  expect(released).toEqual(ids.slice(0, 10));
  await held.look();
  expect(released).toEqual(ids);
});

it('puts back into a queue without order what is mapped, once, in one transaction', async () => {
  open();
  const key = 'MRN1';
  const ids = [await hold(loose, ['A'], key), await hold(loose, ['A'], key)];
  const taken: string[] = [];
  const consumer = await stores.broker.consume(loose, { window: 5 }, (delivery) => {
    taken.push(delivery.envelope.id);
    void delivery.accept([], [event(delivery.envelope.id, 'processed', { queue: loose })]);
  });
  await held.look();
  await held.look();
  expect(taken).toEqual(ids);
  expect(released).toEqual([]);
  expect(await parkedKeys(stores.ledger, loose)).toEqual([]);
  await consumer.stop();
});

it('tries again, ever more seldom, what is held again although it is mapped', async () => {
  open();
  const [id = ''] = await holdMany(1, 'A');
  let at = now;
  for (const waitMs of [0, 5_000, 10_000]) {
    released = [];
    now = at + Math.max(0, waitMs - 100);
    if (waitMs > 0) await held.look();
    expect(released).toEqual([]);
    now += 100;
    const looking = held.look();
    await untilReleased(1);
    await stores.ledger.append([
      event(id, 'parked', { queue: ordered, issues, held: [codeOf('A')] }),
    ]);
    await looking;
    at = now;
  }
});

it('takes nothing out of a queue that is paused', async () => {
  open({ patienceMs: 0 });
  const [id = ''] = await holdMany(1, 'A');
  paused = [ordered];
  await held.look();
  expect(await stateOf(id)).toBe('parked');
  paused = [];
  await held.look();
  expect(released).toEqual([id]);
});

it('does what somebody has decided, once, with who and why', async () => {
  open({ patienceMs: 0 });
  unmapped.add('A').add('B');
  const [again = ''] = await holdMany(1, 'A');
  const [skip = ''] = await holdMany(1, 'B');
  const idOf = async (code: string): Promise<string> =>
    (await held.list()).find((item) => item.code === code)?.id ?? '';
  await expect(held.decide('none', 'again', { by: 'ada' })).rejects.toThrow(/unmapped-unknown/);
  expect(await held.decide(await idOf('A'), 'again', { by: 'ada', reason: 'a look' })).toBe(1);
  expect(await held.decide(await idOf('B'), 'skip', { by: 'ada' })).toBe(1);
  await stores.broker.declare({ name: ordered, interface: 'lab', order: { lanes: 1 } });
  await held.look();
  expect(released).toEqual([skip, again]);
  expect([await stateOf(again), await stateOf(skip)]).toEqual(['retrying', 'dead-lettered']);
  const events = (await stores.ledger.trace(again))?.events ?? [];
  expect(events.find(({ kind }) => kind === 'resumed')?.summary).toBe('by ada: a look');
  const dead = (await stores.ledger.trace(skip))?.events.at(-1);
  expect(dead).toMatchObject({ kind: 'dead-lettered', summary: 'by ada', issues });
  await stores.ledger.append([
    event(again, 'parked', { queue: ordered, issues, held: [codeOf('A')] }),
  ]);
  await held.look();
  expect(await stateOf(again)).toBe('parked');
});

it('puts into a queue without order what a broker that was away kept out of it', async () => {
  const { broker, ledger } = stores;
  let tries = 0;
  const publish: typeof broker.publish = (...given) => {
    tries += 1;
    return tries === 2 ? Promise.reject(new Error('away')) : broker.publish(...given);
  };
  open({}, { ledger, broker: Object.assign(Object.create(broker) as typeof broker, { publish }) });
  const ids = [await hold(loose, ['A']), await hold(loose, ['A']), await hold(loose, ['A'])];
  const taken = new Set<string>();
  const consumer = await broker.consume(loose, { window: 5 }, (delivery) => {
    taken.add(delivery.envelope.id);
    void delivery.accept([], [event(delivery.envelope.id, 'processed', { queue: loose })]);
  });
  held.start();
  await until(
    () => Promise.resolve(taken.size),
    (count) => count === ids.length,
    10_000,
  );
  expect(await Promise.all(ids.map(stateOf))).toEqual(ids.map(() => 'processed'));
  await consumer.stop();
});

it('lets those of other queues go on where one takes none', async () => {
  const { broker, ledger } = stores;
  const publish: typeof broker.publish = () => Promise.reject(new Error('gone'));
  open(
    { patienceMs: 50 },
    { ledger, broker: Object.assign(Object.create(broker) as typeof broker, { publish }) },
  );
  await hold(loose, ['A']);
  await hold(ordered, ['A'], 'first');
  await expect(held.look()).rejects.toThrow('gone');
  expect(released).toEqual(['first']);
  // What is to be put back first is not to keep looks from beginning either.
  await hold(ordered, ['A'], 'second');
  held.start();
  await until(
    () => Promise.resolve(released),
    (keys) => keys.includes('second'),
    10_000,
  );
});

it('looks at each once to try it again as somebody has decided, however many there are', async () => {
  let reads = 0;
  const ledger = overrideIn(stores.ledger, {
    readHeld: (...asked) => {
      reads += 1;
      return stores.ledger.readHeld(...asked);
    },
  });
  open({ atOnce: 1, perLook: 1, patienceMs: 10_000 }, { ledger, broker: stores.broker });
  unmapped.add('A');
  const ids = await holdMany(4, 'A');
  await held.decide((await held.list())[0]?.id ?? '', 'again', { by: 'ada' });
  for (const [at, id] of ids.entries()) {
    const looking = held.look();
    await untilReleased(at + 1);
    const again = { queue: ordered, issues, held: [codeOf('A')] };
    await stores.ledger.append([event(id, 'parked', again)]);
    await looking;
  }
  expect(released).toEqual(ids);
  await held.look();
  await held.look();
  expect(released).toEqual(ids);
  expect(reads).toBe(ids.length + 1);
});

const idOf = async (code: string): Promise<string> =>
  (await held.list()).find((item) => item.code === code)?.id ?? '';

it.each([
  ['again', 'retrying'],
  ['skip', 'dead-lettered'],
] as const)(
  'goes on after a restart with what somebody has decided: %s',
  async (decision, state) => {
    const pace = { atOnce: 1, perLook: 1, patienceMs: 0 };
    await stores.broker.declare({ name: ordered, interface: 'lab', order: { lanes: 1 } });
    unmapped.add('A');
    open(pace);
    const ids = await holdMany(4, 'A');
    await held.decide(await idOf('A'), decision, { by: 'ada', reason: 'a look' });
    await held.look();
    const later = await hold(ordered, ['A']);
    await held.stop();
    // Whoever runs the console next has nothing but what is kept.
    open({ ...pace, perLook: 3 });
    await held.look();
    const states = await Promise.all([...ids, later].map(stateOf));
    expect(states.slice(0, 2)).toEqual([state, state]);
    for (let look = 0; look < 4; look += 1) await held.look();
    expect(await Promise.all(ids.map(stateOf))).toEqual(ids.map(() => state));
    // Nobody has decided about who came later.
    expect(await stateOf(later)).toBe('parked');
    expect(released).toEqual(ids);
    const [item] = await held.list();
    expect(item).toMatchObject({ messages: 1, examples: [later] });
    expect(item).not.toHaveProperty('decided');
    for (const id of ids) {
      const events = (await stores.ledger.trace(id))?.events ?? [];
      expect(events.filter(({ summary }) => summary === 'by ada: a look')).toHaveLength(1);
    }
    expect(await kept.read()).toBe('[]\n');
  },
);

it('shows what is decided and how many are left, to whoever starts next too', async () => {
  const pace = { atOnce: 1, perLook: 1, patienceMs: 0 };
  unmapped.add('A');
  open(pace);
  await holdMany(3, 'A');
  await held.decide(await idOf('A'), 'again', { by: 'ada', reason: 'a look' });
  await held.look();
  const decided = { decision: 'again', by: 'ada', reason: 'a look', left: 2 };
  expect(await held.list()).toMatchObject([{ code: 'A', decided }]);
  // What is kept names no code and nothing of a message.
  expect(await kept.read()).not.toContain('wards');
  await held.stop();
  open({ ...pace, perLook: 500 });
  paused = [ordered];
  await held.look();
  expect(await held.list()).toMatchObject([{ code: 'A', decided }]);
  paused = [];
});

it('says what is wrong with decisions that cannot be read, and lets go on what is mapped', async () => {
  await kept.write('not a list');
  open({ patienceMs: 0 });
  const [id] = await holdMany(1, 'A');
  await expect(held.decide(await idOf('A'), 'skip', { by: 'ada' })).rejects.toThrow(/mend it/);
  await expect(held.look()).rejects.toThrow(/held-decisions.json/);
  expect(released).toEqual([id]);
});

it('waits for no queue whose flow does not answer, and says which that is', async () => {
  open({ silentMs: 100, patienceMs: 60_000 });
  await stores.broker.declare({ name: ordered, interface: 'lab', order: { lanes: 1 } });
  const stuck = await holdMany(12, 'A');
  const others: string[] = [];
  for (let at = 0; at < 12; at += 1) others.push(await hold(other, ['B']));
  const given = await hold(ordered, ['C']);
  unmapped.add('C');
  await held.decide(await idOf('C'), 'skip', { by: 'ada' });
  unmapped.add('D');
  held.start();
  const finishing = until(
    async () => {
      for (const id of released.filter((each) => others.includes(each))) {
        if ((await stateOf(id)) === 'retrying') await finish(id, other);
      }
      return Promise.all(others.map(stateOf));
    },
    (states) => states.every((state) => state === 'processed'),
    20_000,
  );
  await finishing;
  // No more than so many were sent into the queue that does not answer.
  expect(stuck.filter((id) => released.includes(id))).toEqual(stuck.slice(0, 10));
  const items = await until(
    () => held.list(),
    ([first]) => first?.silentSince !== undefined,
    10_000,
  );
  expect(items).toMatchObject([{ code: 'A', messages: 2, isMapped: true }]);
  // What somebody decides meanwhile about another code is not held up either.
  const late = await hold(other, ['D']);
  await held.decide(await idOf('D'), 'again', { by: 'ada' });
  await until(
    () => Promise.resolve(released),
    (keys) => keys.includes(late),
    10_000,
  );
  await finish(late, other);
  expect(await stateOf(given)).toBe('dead-lettered');
});

it.each([
  ['again', 'retrying'],
  ['skip', 'dead-lettered'],
] as const)(
  'goes on with what somebody has decided where it was stopped in the midst of it: %s',
  async (decision, state) => {
    const pace = { atOnce: 1, patienceMs: 0 };
    await stores.broker.declare({ name: ordered, interface: 'lab', order: { lanes: 1 } });
    unmapped.add('A');
    // So slowly that it is stopped between two of them.
    open({ ...pace, perSecond: 1 });
    const ids = await holdMany(4, 'A');
    await held.decide(await idOf('A'), decision, { by: 'ada' });
    const looking = held.look();
    await untilReleased(1);
    if (decision === 'again') await finish(ids[0] ?? '');
    await held.stop();
    await looking;
    expect(released.length).toBeLessThan(ids.length);
    open(pace);
    for (let look = 0; look < 5; look += 1) await held.look();
    expect(await Promise.all(ids.slice(1).map(stateOf))).toEqual(ids.slice(1).map(() => state));
  },
);
