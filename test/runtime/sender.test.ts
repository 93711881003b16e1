import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createFhirDestination } from '../../connectors/fhir/client.ts';
import { createMllpDestination } from '../../connectors/mllp/client.ts';
import type { OwnerClient } from '../../connectors/sqlite/client.ts';
import type { Envelope } from '../../core/envelope.ts';
import { buildError } from '../../core/errors.ts';
import type { FhirSenderDefinition, MllpSenderDefinition } from '../../core/interface.ts';
import type { Broker, Delivery } from '../../core/ports/broker.ts';
import type { Ledger, LedgerEvent, MessageState } from '../../core/ports/ledger.ts';
import { deriveId } from '../../runtime/derived-id.ts';
import { Sender, type SenderState } from '../../runtime/edge/sender.ts';
import { until } from '../support/hilum.ts';
import { openTalkingPartner, type PartnerWord } from '../support/partner.ts';
import { buildMessage, OwnerHere, silent } from './owner.ts';
import { parkedKeys } from '../support/parked.ts';

const queue = 'out.partner';
const answerQueue = 'answer.partner';
/** Short enough for a test, long enough to see an order. */
const retry = { firstDelayMs: 20, factor: 2, maxDelayMs: 100 };

type Partner = Awaited<ReturnType<typeof openTalkingPartner>>;

let owner: OwnerHere;
let stores: OwnerClient;
/** What the partner says, by control id; absent: AA. */
let words: Map<string, PartnerWord>;
let partners: Partner[];
let senders: Sender[];
let states: SenderState[];

beforeEach(async () => {
  owner = new OwnerHere();
  await owner.open();
  stores = await owner.connect();
  await declare(stores);
  words = new Map();
  partners = [];
  senders = [];
  states = [];
});

afterEach(async () => {
  await Promise.all(senders.map((sender) => sender.stop(0)));
  await Promise.all(partners.map((partner) => partner.close()));
  await owner.close();
});

async function declare({ broker }: OwnerClient): Promise<void> {
  await broker.declare({ name: queue, interface: 'lab', order: { lanes: 1 } });
  await broker.declare({ name: answerQueue, interface: 'lab' });
}

async function openPartner(port = 0): Promise<Partner> {
  const partner = await openTalkingPartner((id) => words.get(id) ?? 'AA', port);
  partners.push(partner);
  return partner;
}

function openSender(
  port: number,
  given: Partial<MllpSenderDefinition> = {},
  parts: { readonly broker?: Broker; readonly ledger?: Ledger } = {},
): Sender {
  const definition: MllpSenderDefinition = {
    kind: 'mllp',
    id: 'partner',
    interface: 'lab',
    label: 'Partner',
    queue,
    host: '127.0.0.1',
    port,
    timeoutMs: 300,
    concurrency: 1,
    retry,
    ...given,
  };
  const sender = new Sender(definition, {
    broker: parts.broker ?? stores.broker,
    ledger: parts.ledger ?? stores.ledger,
    logger: silent,
    clock: Date.now,
    destination: createMllpDestination(definition, { logger: silent }),
    onState: (state) => states.push(state),
    // The longest delay that the formula allows, so that the order of things is the same every time.
    random: () => 1,
  });
  senders.push(sender);
  sender.start();
  return sender;
}

async function put(controlId: string, given: Partial<Envelope> = {}): Promise<string> {
  const envelope = buildMessage(controlId, given);
  await Promise.all([
    stores.ledger.append([{ type: 'message', envelope }]),
    stores.broker.publish(queue, envelope),
  ]);
  return envelope.id;
}

const eventsOf = async (id: string): Promise<readonly LedgerEvent[]> =>
  ((await stores.ledger.trace(id))?.events ?? []).filter(({ messageId }) => messageId === id);

async function untilState(id: string, wanted: MessageState): Promise<void> {
  await until(
    // Rejects while the owner is away.
    async () => (await stores.ledger.states([id]).catch(() => undefined))?.get(id),
    (state) => state === wanted,
    10_000,
  );
}

async function untilGot(partner: Partner, count: number): Promise<void> {
  await until(
    () => Promise.resolve(partner.got.length),
    (found) => found >= count,
    10_000,
  );
}

/** The real thing, but for these methods. */
/** Of a broker that does not know what the ledger knows. */
function apartFromLedger(broker: Broker): Broker {
  return overrideIn<Broker>(broker, {
    consume: (from, options, handler) =>
      broker.consume(from, options, ({ ledgerState: _, ...delivery }) => {
        handler(delivery);
      }),
  });
}

function overrideIn<T extends object>(real: T, methods: Partial<T>): T {
  return new Proxy(real, {
    get: (target, name) => {
      const own = Reflect.get(methods, name) as unknown;
      const value = own ?? Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

const away = () => Promise.reject(buildError('transient', 'ledger-unavailable', 'away'));

/** The first who waits in a queue, left where it is. */
async function peek(name: string): Promise<Envelope> {
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  const consumer = await stores.broker.consume(name, { window: 1 }, resolve);
  const delivery = await promise;
  await consumer.stop();
  await delivery.retry(0, { countAttempt: false });
  return delivery.envelope;
}

describe('the order of a sender', () => {
  it('by key: one that fails holds up its own key, and no other', async () => {
    words.set('A1', 'AR');
    const partner = await openPartner();
    openSender(partner.port, { order: 'key', concurrency: 4 });
    const ids: string[] = [];
    for (let index = 1; index <= 40; index += 1) {
      for (const key of ['A', 'B', 'C']) ids.push(await put(`${key}${index}`, { key }));
    }
    const of = (key: string) => partner.got.filter((id) => id.startsWith(key));
    const all = (key: string) => Array.from({ length: 40 }, (_, index) => `${key}${index + 1}`);
    await until(
      () => Promise.resolve(of('B').length + of('C').length),
      (count) => count === 80,
      10_000,
    );
    expect(of('B')).toEqual(all('B'));
    expect(of('C')).toEqual(all('C'));
    expect(new Set(of('A'))).toEqual(new Set(['A1']));
    words.clear();
    await untilState(ids.at(-3) ?? '', 'delivered');
    expect(of('A').filter((id) => id !== 'A1')).toEqual(all('A').slice(1));
    expect([...(await stores.ledger.states(ids)).values()].every((s) => s === 'delivered')).toBe(
      true,
    );
  });

  it('as a whole: one that fails holds up all', async () => {
    words.set('A1', 'AR');
    const partner = await openPartner();
    openSender(partner.port);
    await put('A1', { key: 'A' });
    const last = await put('B1', { key: 'B' });
    await untilGot(partner, 3);
    expect(new Set(partner.got)).toEqual(new Set(['A1']));
    words.clear();
    await untilState(last, 'delivered');
    expect(partner.got.at(-1)).toBe('B1');
  });

  it('none: one that fails steps aside, with its attempts counted by the broker and the ledger', async () => {
    words.set('A1', 'AR');
    const partner = await openPartner();
    openSender(partner.port, { concurrency: 2, order: 'none' });
    const first = await put('A1', { key: 'A' });
    const second = await put('A2', { key: 'A' });
    await untilState(second, 'delivered');
    await untilGot(partner, 4);
    words.clear();
    await untilState(first, 'delivered');
    const attempts = (await eventsOf(first))
      .filter(({ kind }) => kind === 'taken')
      .map(({ attempt }) => attempt);
    expect(attempts).toEqual(attempts.map((_, index) => index + 1));
  });

  it('survives a restart in the middle, and so do the counts', async () => {
    words.set('A1', 'silence');
    const partner = await openPartner();
    const given = {
      timeoutMs: 60,
      order: 'key',
      concurrency: 2,
      breakerFailures: 0,
      retry: { ...retry, maxAmbiguousAttempts: 4 },
    } as const;
    const sender = openSender(partner.port, given);
    const first = await put('A1', { key: 'A' });
    await put('A2', { key: 'A' });
    await until(
      async () => (await eventsOf(first)).filter(({ kind }) => kind === 'failed').length,
      (count) => count >= 2,
      10_000,
    );
    await sender.stop(2_000);
    openSender(partner.port, given);
    await untilState(first, 'dead-lettered');
    const failed = (await eventsOf(first)).filter(({ kind }) => kind === 'failed').length;
    expect(failed).toBe(3);
    await untilGot(partner, 5);
    expect(partner.got.filter((id) => id === 'A2')).toEqual(['A2']);
    expect(partner.got.at(-1)).toBe('A2');
  });
});

describe('a message that is given up', () => {
  it('has its whole history with it', async () => {
    words.set('A1', 'silence');
    const partner = await openPartner();
    openSender(partner.port, {
      timeoutMs: 50,
      breakerFailures: 0,
      retry: { ...retry, maxAmbiguousAttempts: 3 },
    });
    const id = await put('A1');
    await untilState(id, 'dead-lettered');
    const dead = (await eventsOf(id)).find(({ kind }) => kind === 'dead-lettered');
    expect(dead?.issues?.map(({ code }) => code)).toEqual([
      'answer-timeout',
      'retries-exhausted',
      'attempt-failed',
      'attempt-failed',
      'attempt-failed',
    ]);
    expect(dead?.issues?.[4]?.message).toMatch(/^Attempt 3 at 20.*Z: ambiguous, answer-timeout\.$/);
    expect(partner.got).toEqual(['A1', 'A1', 'A1']);
    expect((await peek(`${queue}.dead`)).id).toBe(id);
  });

  it('has failed so often in its own class: what went before in another does not count', async () => {
    words.set('A1', 'AR');
    const partner = await openPartner();
    openSender(partner.port, {
      timeoutMs: 50,
      breakerFailures: 0,
      retry: { ...retry, maxAmbiguousAttempts: 2 },
    });
    const id = await put('A1');
    await untilGot(partner, 4);
    words.set('A1', 'silence');
    await untilState(id, 'dead-lettered');
    const failed = (await eventsOf(id)).filter(({ kind }) => kind === 'failed');
    const classes = failed.map(({ summary = '' }) => summary.split(',')[0]);
    expect(classes.filter((each) => each === 'ambiguous')).toHaveLength(1);
    expect(classes.filter((each) => each === 'transient').length).toBeGreaterThanOrEqual(4);
  });

  it('is older than the sender tries for', async () => {
    words.set('A1', 'AR');
    const partner = await openPartner();
    openSender(partner.port, { retry: { ...retry, maxAgeMs: 500 } });
    const id = await put('A1');
    const next = await put('A2');
    await untilState(id, 'dead-lettered');
    const dead = (await eventsOf(id)).find(({ kind }) => kind === 'dead-lettered');
    expect(dead?.issues?.map(({ code }) => code)).toContain('message-expired');
    await untilState(next, 'delivered');
  });

  it('stops its key until somebody decides, and is tried again before those behind it', async () => {
    words.set('A1', 'AE');
    const partner = await openPartner();
    const sender = openSender(partner.port, { order: 'key', concurrency: 2, onFailure: 'stop' });
    const bad = await put('A1', { key: 'A' });
    const behind = await put('A2', { key: 'A' });
    const other = await put('B1', { key: 'B' });
    await untilState(bad, 'parked');
    await untilState(other, 'delivered');
    await untilState(behind, 'parked');
    expect(partner.got.toSorted()).toEqual(['A1', 'B1']);
    const [parked] = await parkedKeys(stores.ledger, queue);
    expect(parked).toMatchObject({ key: 'A', parked: 2, firstId: bad, isStopped: true });

    words.clear();
    const at = new Date().toISOString();
    await stores.ledger.append([
      { type: 'event', event: { messageId: bad, kind: 'resumed', at, queue } },
    ]);
    sender.release('A');
    await untilState(behind, 'delivered');
    expect(partner.got.slice(2)).toEqual(['A1', 'A2']);
    const taken = (await eventsOf(bad)).filter(({ kind }) => kind === 'taken');
    expect(taken.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('stops the whole queue where that is in order, and may be skipped', async () => {
    words.set('A1', 'AE');
    const partner = await openPartner();
    const sender = openSender(partner.port, { onFailure: 'stop' });
    const bad = await put('A1', { key: 'A' });
    const behind = await put('B1', { key: 'B' });
    await untilState(bad, 'parked');
    await sender.stop(1_000);
    // Nobody has decided when it starts again.
    const again = openSender(partner.port, { onFailure: 'stop' });
    await until(
      async () => (await stores.broker.depths()).find((each) => each.queue === queue)?.unsettled,
      (count) => count === 1,
      5_000,
    );
    expect(partner.got).toEqual(['A1']);
    const at = new Date().toISOString();
    await stores.ledger.append([
      { type: 'event', event: { messageId: bad, kind: 'dead-lettered', at, queue } },
    ]);
    again.release('A');
    await untilState(behind, 'delivered');
    expect(partner.got).toEqual(['A1', 'B1']);
  });
});

describe('the circuit breaker', () => {
  it('opens when the partner is gone, sets nobody aside, and closes when it is back, in order', async () => {
    const reserved = await openPartner();
    await reserved.close();
    openSender(reserved.port, { order: 'key', concurrency: 4 });
    const ids: string[] = [];
    for (let index = 1; index <= 30; index += 1) {
      ids.push(await put(`A${index}`, { key: 'A' }), await put(`B${index}`, { key: 'B' }));
    }
    await until(
      () => Promise.resolve(states.at(-1)?.state),
      (state) => state === 'failing',
      10_000,
    );
    expect(states.map(({ state }) => state)).toEqual(['sending', 'failing']);
    expect(states.at(-1)).toMatchObject({
      reason: expect.stringMatching(/^connection-/) as string,
      since: expect.stringMatching(/Z$/) as string,
    });
    expect(await parkedKeys(stores.ledger, queue)).toEqual([]);
    const partner = await openPartner(reserved.port);
    await untilState(ids.at(-1) ?? '', 'delivered');
    await untilState(ids.at(-2) ?? '', 'delivered');
    for (const key of ['A', 'B']) {
      const got = partner.got.filter((id) => id.startsWith(key));
      expect(got).toEqual(Array.from({ length: 30 }, (_, index) => `${key}${index + 1}`));
    }
    expect(states.map(({ state }) => state)).toEqual(['sending', 'failing', 'sending']);
    // Only what was tried has spent an attempt.
    const attempts = await Promise.all(
      ids.slice(10).map(async (id) => (await eventsOf(id)).filter(({ kind }) => kind === 'taken')),
    );
    expect(attempts.map((taken) => taken.length)).toEqual(attempts.map(() => 1));
  });

  it('stays closed where a partner refuses one message and takes the others', async () => {
    words.set('A1', 'AR');
    const partner = await openPartner();
    openSender(partner.port, { order: 'key', concurrency: 2, breakerFailures: 1 });
    await put('A1', { key: 'A' });
    await untilGot(partner, 4);
    await untilState(await put('B1', { key: 'B' }), 'delivered');
    expect(states.map(({ state }) => state)).toEqual(['sending']);
  });

  it('holds everything while somebody pauses the sender', async () => {
    const partner = await openPartner();
    const sender = openSender(partner.port);
    sender.pause();
    const id = await put('A1');
    await until(
      async () => (await stores.broker.depths()).find((each) => each.queue === queue)?.unsettled,
      (count) => count === 1,
      5_000,
    );
    expect(partner.got).toEqual([]);
    sender.resume();
    await untilState(id, 'delivered');
    expect(states.map(({ state }) => state)).toEqual(['sending', 'paused', 'sending']);
  });
});

describe('a FHIR server that asks to be left alone', () => {
  it('is, by all messages, for as long as it asks', async () => {
    const at: number[] = [];
    let isBusy = true;
    const server: Server = createServer((request, response) => {
      request.resume().on('end', () => {
        at.push(performance.now());
        if (isBusy) response.writeHead(503, { 'retry-after': '1' }).end();
        else response.writeHead(201, { 'content-type': 'application/fhir+json' }).end('{}');
        isBusy = false;
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const definition: FhirSenderDefinition = {
      kind: 'fhir',
      ...{ id: 'ehr', interface: 'lab', label: 'EHR', queue },
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`,
      ...{ timeoutMs: 2_000, concurrency: 2, order: 'key', retry },
    };
    const sender = new Sender(definition, {
      broker: stores.broker,
      ledger: stores.ledger,
      logger: silent,
      clock: Date.now,
      destination: createFhirDestination(definition, { logger: silent }),
      random: () => 0,
    });
    sender.start();
    const body = Buffer.from('{"resourceType":"Basic"}');
    const given = { body, contentType: 'application/fhir+json' };
    const first = await put('1', { ...given, key: 'A' });
    await until(
      () => Promise.resolve(at.length),
      (count) => count === 1,
      5_000,
    );
    const second = await put('2', { ...given, key: 'B' });
    await untilState(first, 'delivered');
    await untilState(second, 'delivered');
    await sender.stop(0);
    server.closeAllConnections();
    server.close();
    expect(at).toHaveLength(3);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(990);
  });
});

describe('while the ledger is away', () => {
  it('a message goes on, and one that may have been sent before says that nobody could tell', async () => {
    const partner = await openPartner();
    const ledger = overrideIn<Ledger>(stores.ledger, { states: away, trace: away });
    // The first holds one and goes away with its connection: it is delivered again to the next.
    const other = await owner.connect();
    const { promise, resolve } = Promise.withResolvers<Delivery>();
    await other.broker.consume(queue, { window: 1 }, resolve);
    const again = await put('A1');
    await promise;
    await other.close();
    openSender(partner.port, {}, { ledger, broker: apartFromLedger(stores.broker) });
    const fresh = await put('A2');
    await untilState(fresh, 'delivered');
    const summaryOf = async (id: string) =>
      (await eventsOf(id)).find(({ kind }) => kind === 'delivered')?.summary;
    expect(await summaryOf(again)).toContain('unchecked');
    expect(await summaryOf(fresh)).toMatch(/^AA from [\d.:]+$/);
  });

  it('what could not be written down while the partner took its time holds up nobody', async () => {
    const partner = await openPartner();
    words.set('A1', 'silence');
    const asked = Promise.withResolvers<undefined>();
    const ledger = overrideIn<Ledger>(stores.ledger, {
      append: () => {
        asked.resolve(undefined);
        return away();
      },
    });
    openSender(partner.port, { timeoutMs: 20_000 }, { ledger });
    const id = await put('A1');
    await asked.promise;
    await untilGot(partner, 1);
    partner.say('A1', 'AA');
    await untilState(id, 'delivered');
    expect((await eventsOf(id)).map(({ kind }) => kind)).toEqual(['taken', 'delivered']);
  });

  it('what cannot be written down holds up nobody', async () => {
    const partner = await openPartner();
    let isAway = true;
    const ledger = overrideIn<Ledger>(stores.ledger, {
      states: away,
      append: (entries) => (isAway ? away() : stores.ledger.append(entries)),
    });
    openSender(partner.port, {}, { ledger });
    const ids: string[] = [];
    for (let index = 1; index <= 5; index += 1) ids.push(await put(`A${index}`));
    await untilGot(partner, 5);
    await until(
      async () => (await stores.broker.depths()).find((each) => each.queue === queue),
      (depth) => depth?.ready === 0 && depth.unsettled === 0,
      5_000,
    );
    expect(partner.got).toEqual(['A1', 'A2', 'A3', 'A4', 'A5']);
    // It is told when it is back.
    isAway = false;
    for (const id of ids) await untilState(id, 'delivered');
  });
});

describe("a partner's answer", () => {
  it('is in its queue before the delivery is settled, once', async () => {
    const partner = await openPartner();
    openSender(partner.port, { answerQueue });
    const id = await put('A1');
    await untilState(id, 'delivered');
    const answer = await peek(answerQueue);
    expect(answer).toMatchObject({ id: deriveId(id, 'answer'), causationId: id });
    expect(Buffer.from(answer.body).toString()).toContain('MSA|AA|A1');
    expect((await eventsOf(id)).map(({ kind }) => kind)).toEqual([
      'taken',
      'answered',
      'delivered',
    ]);
  });

  it('is not lost, and nothing is sent twice, when the owner is away while it comes', async () => {
    const partner = await openPartner();
    words.set('A1', 'silence');
    openSender(partner.port, { answerQueue, timeoutMs: 20_000 });
    const id = await put('A1');
    await untilGot(partner, 1);
    // The owner goes while the partner works; the answer comes when nobody can store it.
    await owner.leave();
    partner.say('A1', 'AA');
    await owner.open();
    await untilState(id, 'delivered');
    expect(partner.got).toEqual(['A1']);
    expect((await peek(answerQueue)).id).toBe(deriveId(id, 'answer'));
  });

  it('that a broker did not take before the sender stopped is found in the ledger by the next', async () => {
    const partner = await openPartner();
    const broker = overrideIn<Broker>(stores.broker, {
      consume: (name, options, handler) =>
        stores.broker.consume(name, options, (delivery) =>
          // As RabbitMQ while it is away: the ledger is not.
          handler({
            ...delivery,
            accept: () => Promise.reject(buildError('transient', 'broker-unavailable', 'away')),
          }),
        ),
    });
    const sender = openSender(partner.port, { answerQueue }, { broker });
    const id = await put('A1');
    await untilState(id, 'delivered');
    await sender.stop(0);
    await stores.close();
    stores = await owner.connect();
    await declare(stores);
    openSender(partner.port, { answerQueue });
    expect((await peek(answerQueue)).id).toBe(deriveId(id, 'answer'));
    expect(partner.got).toEqual(['A1']);
  });

  it('that has no queue leaves the delivery settled all the same', async () => {
    const partner = await openPartner();
    openSender(partner.port, { answerQueue: 'answer.nowhere' });
    const id = await put('A1');
    const next = await put('A2');
    await untilState(next, 'delivered');
    expect((await stores.ledger.states([id])).get(id)).toBe('delivered');
    expect(partner.got).toEqual(['A1', 'A2']);
  });
});
