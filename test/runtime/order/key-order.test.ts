import { setTimeout as wait } from 'node:timers/promises';
import type { OwnerClient } from '../../../connectors/sqlite/client.ts';
import type { Envelope } from '../../../core/envelope.ts';
import { buildError } from '../../../core/errors.ts';
import type { MessageOrder } from '../../../core/interface.ts';
import type { Consumer, Delivery, HeldLane } from '../../../core/ports/broker.ts';
import type { Ledger, LedgerEventKind } from '../../../core/ports/ledger.ts';
import { KeyOrder, type Turn, type Work } from '../../../runtime/order/key-order.ts';
import { everything } from '../../../runtime/order/lines.ts';
import { openNoneSetAside, type NoneSetAside } from '../../../runtime/order/none-set-aside.ts';
import { Parking } from '../../../runtime/order/parking.ts';
import { overrideIn } from '../../support/edge.ts';
import { until } from '../../support/hilum.ts';
import { makeTempFolder } from '../../support/temp.ts';
import { buildMessage, OwnerHere, silent } from '../owner.ts';
import { parkedKeys } from '../../support/parked.ts';

const queue = 'out.ordered';
const issue = { code: 'refused', severity: 'error', message: 'It was refused.' } as const;

let owner: OwnerHere;
let stores: OwnerClient;
let keyOrder: KeyOrder;
let parking: Parking;
let consumer: Consumer;
/** The one that the key order has heard of. */
let lane: HeldLane;
/** Control ids in the order in which they were worked on to their end. */
let done: string[];
/** Which of them may have been worked on before, as their delivery says. */
let suspected: string[];
/** What holds a message's work until it is resolved, by control id. */
let gates: Map<string, PromiseWithResolvers<undefined>>;

beforeEach(async () => {
  owner = new OwnerHere();
  await owner.open();
  stores = await owner.connect();
  await stores.broker.declare({ name: queue, interface: 'lab', order: { lanes: 1 } });
  done = [];
  suspected = [];
  gates = new Map();
});

afterEach(async () => {
  for (const gate of gates.values()) gate.resolve(undefined);
  await close();
  await owner.close();
});

async function close(): Promise<void> {
  await consumer.stop();
  const stopped = keyOrder.stop();
  parking.stop();
  await stopped;
}

async function open(
  options: {
    order?: MessageOrder;
    window?: number;
    work?: Work;
    ledger?: Ledger;
    noneSetAside?: NoneSetAside;
    lane?: Partial<HeldLane>;
  } = {},
): Promise<void> {
  const { order = 'key', window = 8, work = workThrough, ledger = stores.ledger } = options;
  parking = new Parking({ ...stores, ...options, ledger, logger: silent, clock: Date.now, queue });
  keyOrder = new KeyOrder({ order, window, parking, work, slowMs: Infinity });
  const onLane = (given: HeldLane): Promise<void> => {
    lane = { ...given, ...options.lane };
    return keyOrder.open(lane);
  };
  consumer = await stores.broker.consume(queue, { window, onLane }, (delivery) =>
    keyOrder.take(delivery),
  );
}

/** Waits at its gate, where it has one, which blocks those behind it. */
async function workThrough(delivery: Delivery, turn: Turn): Promise<void> {
  const gate = gates.get(nameOf(delivery));
  if (delivery.redelivered) suspected.push(nameOf(delivery));
  if (gate !== undefined) {
    turn.block();
    await gate.promise;
  }
  await finish(delivery);
}

async function finish(delivery: Delivery): Promise<void> {
  done.push(nameOf(delivery));
  const event = { messageId: delivery.envelope.id, at: new Date().toISOString(), queue };
  await delivery.accept([], [{ type: 'event', event: { ...event, kind: 'delivered' } }]);
}

const nameOf = ({ envelope }: Delivery): string => envelope.controlId ?? '';

function hold(name: string): void {
  gates.set(name, Promise.withResolvers());
}

async function put(key: string | undefined, ...names: readonly string[]): Promise<Envelope[]> {
  const envelopes = names.map((name) => buildMessage(name, key === undefined ? {} : { key }));
  for (const envelope of envelopes) await stores.broker.publish(queue, envelope);
  return envelopes;
}

async function numbered(key: string, from: number, to: number): Promise<string[]> {
  const names = Array.from({ length: to - from + 1 }, (_, index) => `${key}${from + index}`);
  await put(key, ...names);
  return names;
}

const doneOf = (key: string): string[] => done.filter((name) => name.startsWith(key));

async function untilDone(count: number): Promise<void> {
  await until(
    () => Promise.resolve(done.length),
    (found) => found >= count,
    8_000,
  );
}

const parkedNow = async () =>
  (await parkedKeys(stores.ledger, queue)).map(({ key, parked, isStopped }) => ({
    key,
    parked,
    isStopped,
  }));

async function kindsOf(id: string): Promise<readonly LedgerEventKind[]> {
  return (await stores.ledger.trace(id))?.events.map(({ kind }) => kind) ?? [];
}

describe('messages of a key', () => {
  it('are worked on one after the other, those of other keys beside them', async () => {
    hold('A1');
    await open();
    await put('A', 'A1', 'A2');
    await put('B', 'B1', 'B2');
    await untilDone(2);
    expect(done).toEqual(['B1', 'B2']);
    gates.get('A1')?.resolve(undefined);
    await untilDone(4);
    expect(doneOf('A')).toEqual(['A1', 'A2']);
  });

  it('behind a blocked one are set aside and keep their order, while many others go on', async () => {
    hold('A1');
    await open();
    const ofA = await numbered('A', 1, 30);
    const ofB = await numbered('B', 1, 30);
    await untilDone(30);
    expect(doneOf('B')).toEqual(ofB);
    expect(doneOf('A')).toEqual([]);
    // All of them in the ledger, or in the half of the window that is left.
    const [parked] = await parkedNow();
    expect(parked?.parked).toBeGreaterThan(20);

    gates.get('A1')?.resolve(undefined);
    await numbered('A', 31, 40);
    await untilDone(70);
    expect(doneOf('A')).toEqual([...ofA, ...Array.from({ length: 10 }, (_, at) => `A${31 + at}`)]);
    await keyOrder.idle();
    expect(await parkedNow()).toEqual([]);
    expect((await stores.broker.depths())[0]).toMatchObject({ ready: 0, unsettled: 0 });
    // None was worked on before it was set aside, and nothing of it needs to be looked up.
    expect(suspected).toEqual([]);
  });

  it('keep their order whatever comes while those set aside are taken up', async () => {
    hold('A1');
    await open();
    const names = await numbered('A', 1, 20);
    await until(parkedNow, (found) => (found[0]?.parked ?? 0) > 10, 5_000);
    gates.get('A1')?.resolve(undefined);
    for (let index = 21; index <= 60; index += 1) {
      names.push(`A${index}`);
      await put('A', `A${index}`);
    }
    await untilDone(60);
    expect(doneOf('A')).toEqual(names);
  });

  it('without one wait for nobody', async () => {
    hold('first');
    await open();
    await put(undefined, 'first', 'second');
    await untilDone(1);
    expect(done).toEqual(['second']);
  });

  it('are not set aside where the whole queue is in order: nobody else could go on', async () => {
    hold('A1');
    await open({ order: 'queue', window: 4 });
    await numbered('A', 1, 3);
    const ofB = await numbered('B', 1, 10);
    await until(
      async () => (await stores.broker.depths())[0]?.unsettled,
      (unsettled) => unsettled === 4,
      5_000,
    );
    expect(await parkedNow()).toEqual([]);
    gates.get('A1')?.resolve(undefined);
    await untilDone(13);
    expect(done).toEqual(['A1', 'A2', 'A3', ...ofB]);
  });

  it('are taken up where another process left them', async () => {
    hold('A1');
    await open();
    const names = await numbered('A', 1, 20);
    await until(parkedNow, (found) => (found[0]?.parked ?? 0) > 10, 5_000);
    // The process ends in the middle of A1, which goes back into the queue.
    keyOrder = new KeyOrder({ order: 'key', window: 8, parking, work: () => Promise.resolve() });
    await stores.close();

    gates.clear();
    stores = await owner.connect();
    await stores.broker.declare({ name: queue, interface: 'lab', order: { lanes: 1 } });
    await open();
    await untilDone(20);
    await keyOrder.idle();
    expect([...new Set(done)]).toEqual(names);
    // The one that ended, or any that it had set aside, may be the reason.
    expect(suspected.length).toBeGreaterThan(10);
    expect(await parkedNow()).toEqual([]);
  });

  it('are set aside where their lane gives few at a time, and those of other keys go on', async () => {
    hold('A1');
    await open({ window: 100, lane: { window: 4 } });
    await numbered('A', 1, 3);
    await until(parkedNow, (found) => found[0]?.parked === 3, 5_000);
    await numbered('B', 1, 2);
    await untilDone(2);
    gates.get('A1')?.resolve(undefined);
    await untilDone(5);
    expect(done).toEqual(['B1', 'B2', 'A1', 'A2', 'A3']);
  });

  it('that are set aside are left to whoever has their lane next', async () => {
    hold('A1');
    hold('A3');
    const lost = new AbortController();
    const isOfA = (key: string): boolean => key === 'A';
    const refused: unknown[] = [];
    const work: Work = (delivery, turn) =>
      workThrough(delivery, turn).catch((error: unknown) => void refused.push(error));
    await open({ work, lane: { has: isOfA, lost: lost.signal } });
    const names = await numbered('A', 1, 20);
    await until(parkedNow, (found) => (found[0]?.parked ?? 0) === 20, 5_000);
    expect(keyOrder.mayLetGo(lane)).toBe(false);
    gates.get('A1')?.resolve(undefined);
    await untilDone(2);
    // In the middle of A3, which was taken up from there.
    lost.abort();
    expect([keyOrder.has('A'), keyOrder.mayLetGo(lane)]).toEqual([false, true]);
    gates.get('A3')?.resolve(undefined);
    await keyOrder.idle();
    expect(doneOf('A')).toEqual(['A1', 'A2', 'A3']);
    // What became of A3 counts for nothing.
    expect(refused).toEqual([expect.objectContaining({ errorClass: 'transient' })]);
    expect(await parkedNow()).toEqual([{ key: 'A', parked: 18, isStopped: false }]);
    await keyOrder.open({ ...lane, lost: new AbortController().signal });
    await untilDone(21);
    expect(doneOf('A')).toEqual([...names.slice(0, 3), ...names.slice(2)]);
    expect(await parkedNow()).toEqual([]);
  });

  it('that were waiting go back when it stops', async () => {
    hold('A1');
    await open();
    await put('A', 'A1', 'A2', 'A3');
    await until(
      async () => (await stores.broker.depths())[0]?.unsettled,
      (unsettled) => unsettled === 3,
      5_000,
    );
    await consumer.stop();
    const stopped = keyOrder.stop();
    gates.get('A1')?.resolve(undefined);
    await stopped;
    expect(done).toEqual(['A1']);
    expect((await stores.broker.depths())[0]).toMatchObject({ ready: 2, unsettled: 0 });
  });
});

describe('a message that is given up and stops those behind it', () => {
  const refuse: Work = async (delivery, turn) => {
    if (!nameOf(delivery).startsWith('bad')) return finish(delivery);
    done.push(nameOf(delivery));
    expect(await turn.stop([issue])).toBe(true);
    await delivery.accept();
  };

  /** Writes what somebody decided, and lets those behind go on. */
  async function decide(id: string, key: string, kind: 'resumed' | 'dead-lettered') {
    await stores.ledger.append([
      { type: 'event', event: { messageId: id, at: new Date().toISOString(), queue, kind } },
    ]);
    keyOrder.release(key);
  }

  it('waits as the first of its key, while others go on', async () => {
    await open({ work: refuse });
    const [bad] = await put('A', 'bad');
    await put('A', 'A2', 'A3');
    await put('B', 'B1', 'B2');
    await untilDone(3);
    await until(parkedNow, (found) => found[0]?.parked === 3, 5_000);
    expect(done).toEqual(expect.arrayContaining(['bad', 'B1', 'B2']));
    expect(await parkedNow()).toEqual([{ key: 'A', parked: 3, isStopped: true }]);
    expect((await stores.ledger.states([bad?.id ?? ''])).get(bad?.id ?? '')).toBe('parked');

    await decide(bad?.id ?? '', 'A', 'dead-lettered');
    await untilDone(5);
    expect(doneOf('A')).toEqual(['A2', 'A3']);
    await keyOrder.idle();
    expect(await parkedNow()).toEqual([]);
  });

  it('is tried again when that is decided, before those behind it', async () => {
    let isGood = false;
    await open({
      work: (delivery, turn) => (isGood ? finish(delivery) : refuse(delivery, turn)),
    });
    const [bad] = await put('A', 'bad');
    await put('A', 'A2');
    await until(parkedNow, (found) => found[0]?.parked === 2, 5_000);
    isGood = true;
    await decide(bad?.id ?? '', 'A', 'resumed');
    await untilDone(3);
    expect(done).toEqual(['bad', 'bad', 'A2']);
    expect(await kindsOf(bad?.id ?? '')).toEqual(['parked', 'resumed', 'delivered']);
  });

  it('still waits after a restart', async () => {
    await open({ work: refuse });
    const [bad] = await put('A', 'bad');
    await put('A', 'A2');
    await until(parkedNow, (found) => found[0]?.parked === 2, 5_000);
    await close();
    await open({ work: refuse });
    await put('A', 'A3');
    await put('B', 'B1');
    await untilDone(2);
    expect(done).toEqual(['bad', 'B1']);
    await decide(bad?.id ?? '', 'A', 'dead-lettered');
    await untilDone(4);
    expect(doneOf('A')).toEqual(['A2', 'A3']);
  });

  it('is found to be decided about where nobody has said so', async () => {
    let isGood = false;
    await open({
      work: (delivery, turn) => (isGood ? finish(delivery) : refuse(delivery, turn)),
    });
    const [bad] = await put('A', 'bad');
    await put('A', 'A2');
    await until(parkedNow, (found) => found[0]?.parked === 2, 5_000);
    isGood = true;
    const askedAt = performance.now();
    const at = new Date().toISOString();
    const event = { messageId: bad?.id ?? '', kind: 'resumed', at, queue } as const;
    await stores.ledger.append([{ type: 'event', event }]);
    // It has come to stand still only since the ledger was asked.
    keyOrder.follow(['A'], askedAt - 60_000);
    expect(done).toEqual(['bad']);
    keyOrder.follow(['A'], askedAt);
    await untilDone(3);
    expect(done).toEqual(['bad', 'bad', 'A2']);
  });

  it('waits alone for its codes without a key, and goes on when it is told so', async () => {
    let isGood = false;
    await open({
      work: async (delivery, turn) => {
        if (isGood) return finish(delivery);
        const code = { node: 'n', layers: '', table: 't', code: 'X', source: 'PV1-3' };
        done.push(nameOf(delivery));
        if (await turn.stop([issue], [code])) await delivery.accept();
      },
    });
    const [one] = await put(undefined, 'one');
    const [two] = await put(undefined, 'two');
    await until(parkedNow, (found) => found.length === 2, 5_000);
    isGood = true;
    await decide(two?.id ?? '', two?.id ?? '', 'resumed');
    await untilDone(3);
    expect(done).toEqual(['one', 'two', 'two']);
    await keyOrder.idle();
    expect(await parkedNow()).toMatchObject([{ key: one?.id, isStopped: true }]);
  });

  it('stops the whole queue where that is in order as a whole', async () => {
    await open({ order: 'queue', window: 4, work: refuse });
    const [bad] = await put('A', 'bad');
    const ofB = await numbered('B', 1, 6);
    await until(parkedNow, (found) => found.length === 1, 5_000);
    expect(await parkedNow()).toEqual([{ key: 'A', parked: 1, isStopped: true }]);
    expect(done).toEqual(['bad']);
    await decide(bad?.id ?? '', 'A', 'dead-lettered');
    await untilDone(7);
    expect(done).toEqual(['bad', ...ofB]);
  });

  it('is given up like any other where it has no key', async () => {
    const answers: boolean[] = [];
    await open({
      work: async (delivery, turn) => {
        answers.push(await turn.stop([issue]));
        await finish(delivery);
      },
    });
    await put(undefined, 'bad');
    await untilDone(1);
    expect(answers).toEqual([false]);
    expect(await parkedNow()).toEqual([]);
  });
});

describe('while the ledger is away', () => {
  it('those that would be set aside stay where they are, and nothing is lost', async () => {
    let isAway = true;
    const ledger = new Proxy(stores.ledger, {
      get: (real, name) => {
        if (name === 'append' && isAway) return () => Promise.reject(new Error('away'));
        const value = Reflect.get(real, name) as unknown;
        return typeof value === 'function' ? (value.bind(real) as unknown) : value;
      },
    });
    hold('A1');
    await open({ ledger });
    const names = await numbered('A', 1, 20);
    await put('B', 'B1');
    await until(
      async () => (await stores.broker.depths())[0]?.unsettled,
      (unsettled) => unsettled === 8,
      5_000,
    );
    expect(await parkedNow()).toEqual([]);
    isAway = false;
    await untilDone(1);
    expect(done).toEqual(['B1']);
    gates.get('A1')?.resolve(undefined);
    await untilDone(21);
    expect(doneOf('A')).toEqual(names);
  });

  describe('a consumer that begins', () => {
    let directory: string;
    let isAway: boolean;
    let ledger: Ledger;

    beforeEach(() => {
      directory = makeTempFolder('none-set-aside');
      isAway = false;
      ledger = overrideIn<Ledger>(stores.ledger, {
        parked: (of) => (isAway ? Promise.reject(new Error('away')) : stores.ledger.parked(of)),
        readParked: (...of) =>
          isAway ? Promise.reject(new Error('away')) : stores.ledger.readParked(...of),
      });
    });

    /** As the next process has it. */
    const next = (ledgerIs = 'here', isSole = true): NoneSetAside =>
      openNoneSetAside({ directory, ledger: ledgerIs, isSole });

    it.each<MessageOrder>(['key', 'queue'])(
      'goes on where this machine knows that nothing is set aside, in order by %s',
      async (order) => {
        await open({ order, ledger, noneSetAside: next() });
        await close();
        isAway = true;
        await open({ order, ledger, noneSetAside: next() });
        const names = await numbered('A', 1, 5);
        await untilDone(5);
        expect(done).toEqual(names);
      },
    );

    it('waits where something was set aside, and keeps the order', async () => {
      hold('A1');
      await open({ window: 2, ledger, noneSetAside: next() });
      const names = await numbered('A', 1, 3);
      await until(parkedNow, ([first]) => first?.parked === 3, 8_000);
      isAway = true;
      gates.get('A1')?.resolve(undefined);
      await untilDone(1);
      await close();
      const opening = open({ ledger, noneSetAside: next() });
      expect(await Promise.race([opening.then(() => true), pauseFor(1_500)])).toBe(false);
      expect(done).toEqual(['A1']);
      isAway = false;
      await opening;
      await untilDone(3);
      expect(done).toEqual(names);
    });

    it.each([
      ['the ledger is another', () => next('there')],
      ['others may take from the queue', () => next('here', false)],
    ])('waits where %s', async (_, nextAs) => {
      await open({ ledger, noneSetAside: next() });
      await close();
      isAway = true;
      const opening = open({ ledger, noneSetAside: nextAs() });
      expect(await Promise.race([opening.then(() => true), pauseFor(1_500)])).toBe(false);
      isAway = false;
      await opening;
    });
  });
});

/** Longer than whoever waits for nothing takes. */
async function pauseFor(ms: number): Promise<false> {
  await wait(ms);
  return false;
}

it('counts once what is set aside, and what is settled of it, though the ledger answers neither', async () => {
  const lost = new Set<readonly unknown[]>();
  /** It is stored, and the one who asked does not hear of it. */
  const append: Ledger['append'] = async (entries, batch) => {
    await stores.ledger.append(entries, batch);
    if (lost.has(entries)) return;
    lost.add(entries);
    throw buildError('transient', 'ledger-unavailable', 'The answer was lost.');
  };
  const ledger = overrideIn<Ledger>(stores.ledger, { append });
  hold('A1');
  await open({ window: 2, ledger });
  await put('A', 'A1', 'A2', 'A3');
  await until(parkedNow, ([first]) => first?.parked === 2, 8_000);
  gates.get('A1')?.resolve(undefined);
  await untilDone(3);
  await keyOrder.idle();
  const counts = await stores.ledger.counts();
  const countOf = (kind: LedgerEventKind) =>
    counts.find((each) => each.kind === kind && each.queue === queue)?.count;
  expect(lost.size).toBeGreaterThanOrEqual(4);
  expect([countOf('parked'), countOf('delivered')]).toEqual([3, 3]);
});

it('takes a message as fast where many keys wait for a decision', async () => {
  await open();
  const measure = async (count: number): Promise<number> => {
    const keys = Array.from({ length: count }, (_, at) => `key ${at}`);
    const stopped = keys.map((key) => ({ ...{ queue, key, parked: 1, firstId: key, since: '' } }));
    const parked = () =>
      Promise.resolve({ keys: stopped.map((each) => ({ ...each, isStopped: true })) });
    const ledger = overrideIn(stores.ledger, { parked });
    const many = new Parking({ ...stores, ledger, logger: silent, clock: Date.now, queue });
    const work = (): Promise<void> => Promise.resolve();
    const order = new KeyOrder({ order: 'key', window: 8, parking: many, work, slowMs: Infinity });
    await order.open(everything);
    await order.idle();
    const envelope = buildMessage('M', { key: 'another' });
    const { signal: voided } = new AbortController();
    const delivery = { queue, envelope, redelivered: false, voided } as Delivery;
    const { user } = process.cpuUsage();
    for (let at = 0; at < 2_000; at += 1) {
      order.take(delivery);
      await order.idle();
    }
    return process.cpuUsage({ user, system: 0 }).user;
  };
  await measure(1);
  const few = await measure(1);
  expect(await measure(50_000)).toBeLessThan(20 * (few + 1_000));
});
