import { setTimeout as wait } from 'node:timers/promises';
import { buildError } from '../../core/errors.ts';
import type { ListenerDefinition } from '../../core/interface.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { UniqueIntake } from '../../core/ports/intake.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Edge } from '../../runtime/edge/edge.ts';
import {
  buildListener,
  openTestEdge,
  openTestStores,
  overrideIn,
  type TestStores,
} from '../support/edge.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { MllpPartner, readAnswer } from '../support/mllp.ts';

let file: TestStores;
let lastPort = 0;
const edges: Edge[] = [];
const partners: MllpPartner[] = [];

beforeEach(async () => {
  file = await openTestStores('duplicates');
});

afterEach(async () => {
  for (const partner of partners.splice(0)) partner.close();
  await Promise.all(edges.splice(0).map((edge) => edge.stop()));
  await file.close();
});

interface Parts {
  readonly broker?: Broker;
  readonly ledger?: Ledger;
  readonly clock?: () => number;
  readonly intake?: UniqueIntake;
}

/** Broker and ledger of one piece, or two that know nothing of each other. */
const ways = ['at once', 'apart'] as const;

function storesOf(way: (typeof ways)[number]): Parts {
  return way === 'at once' ? { intake: file.stores.intake } : {};
}

/** A partner connected to a new edge with such a listener. */
async function connect(
  settings: Partial<ListenerDefinition> = {},
  parts: Parts = {},
): Promise<MllpPartner> {
  const { broker, ledger } = file.stores;
  const { edge, ports } = await openTestEdge({ broker, ledger, ...parts }, buildListener(settings));
  edges.push(edge);
  lastPort = ports[0] ?? 0;
  return again();
}

/** One more on the listener that was opened last. */
async function again(port = lastPort): Promise<MllpPartner> {
  const partner = await MllpPartner.connect(port);
  partners.push(partner);
  return partner;
}

const waiting = async (queue = 'in.listener') =>
  (await file.stores.broker.depths()).find((each) => each.queue === queue)?.ready ?? 0;

const message = buildLabResult({ index: 1, patient: 1 });
const otherContent = buildLabResult({ index: 1, patient: 2 });
const controlId = controlIdOf(1);

/** The events under the control id, oldest first, as `kind summary`. */
async function events(): Promise<readonly string[]> {
  const found = await file.stores.ledger.find({}, { limit: 100 });
  const traces = await Promise.all(found.map(({ id }) => file.stores.ledger.trace(id)));
  const own = traces.flatMap((trace, index) =>
    (trace?.events ?? []).filter(({ messageId }) => messageId === found[index]?.id),
  );
  return own.map(({ kind, summary = '' }) => `${kind} ${summary}`).sort();
}

describe.each(ways)('a message that comes again, stored %s', (way) => {
  it('is acknowledged as its first was, linked with it in the ledger, and not queued', async () => {
    const partner = await connect({}, storesOf(way));
    expect(readAnswer(await partner.send(message))).toBe(`AA ${controlId}`);
    expect(readAnswer(await partner.send(message))).toBe(`AA ${controlId}`);
    const enhanced = message.replace('|2.5.1\r', '|2.5.1|||AL|NE\r').replace(controlId, 'E1');
    expect(readAnswer(await partner.send(enhanced))).toBe('CA E1');
    expect(readAnswer(await partner.send(enhanced))).toBe('CA E1');
    expect(await waiting()).toBe(2);
    const [first] = (await file.stores.ledger.find({ states: ['queued'] }, { limit: 9 })).filter(
      (each) => each.controlId === controlId,
    );
    const copies = await file.stores.ledger.find({ states: ['duplicate'] }, { limit: 9 });
    const copy = copies.find((each) => each.controlId === controlId);
    expect(copy).toMatchObject({ causationId: first?.id, correlationId: first?.id });
    const trace = await file.stores.ledger.trace(first?.id ?? '');
    expect(trace?.events.map(({ kind }) => kind)).toEqual(['received', 'queued', 'duplicate']);
    expect(trace?.events.at(-1)?.summary).toContain(`a copy of ${first?.id}, answered AA`);
  });

  it('at the same moment, on two connections, is queued once', async () => {
    // The ledger knows nothing yet of what is being stored.
    const ledger = overrideIn<Ledger>(file.stores.ledger, {
      findReceived: (queries) => Promise.resolve(queries.map(() => undefined)),
    });
    const real = file.stores.intake;
    const intake = overrideIn<UniqueIntake>(real, {
      take: ({ before: _, ...message }) => real.take(message),
    });
    const blind = way === 'at once' ? { intake } : { ledger };
    const first = await connect({}, blind);
    const second = await again();
    const answers = await Promise.all(
      [first, second, first, second].map((partner) => partner.send(message)),
    );
    expect(answers.map(readAnswer)).toEqual(Array(4).fill(`AA ${controlId}`));
    expect(await waiting()).toBe(1);
  });
});

describe('a message that comes again, stored apart', () => {
  it('after its first could not be stored is stored, whatever the ledger has of that', async () => {
    let isAway = true;
    let now = Date.now();
    const broker = overrideIn<Broker>(file.stores.broker, {
      publish: (...args) => {
        if (!isAway) return file.stores.broker.publish(...args);
        // The listener gives up after some tries.
        now += 3_000;
        return Promise.reject(buildError('transient', 'broker-unavailable', 'away'));
      },
    });
    const partner = await connect({}, { broker, clock: () => now });
    await expect(partner.send(message)).rejects.toThrow('closed without an answer');
    expect((await file.stores.ledger.find({}, { limit: 9 })).map(({ state }) => state)).toEqual([
      'received',
    ]);
    isAway = false;
    expect(readAnswer(await (await again()).send(message))).toBe(`AA ${controlId}`);
    expect(await waiting()).toBe(1);
    expect(await events()).not.toContainEqual(expect.stringContaining('duplicate'));
  });
});

describe.each(ways)('what counts as having come before, stored %s', (way) => {
  it('is what came within the time that the listener is told, and nothing where that is none', async () => {
    let now = Date.now();
    const partner = await connect(
      { duplicates: { windowMs: 60_000, sameIdOtherContent: 'accept' } },
      { ...storesOf(way), clock: () => now },
    );
    await partner.send(message);
    now += 59_000;
    await partner.send(message);
    expect(await waiting()).toBe(1);
    now += 2_000;
    await partner.send(message);
    expect(await waiting()).toBe(2);
    const off = await connect(
      { id: 'off', duplicates: { windowMs: 0, sameIdOtherContent: 'accept' } },
      storesOf(way),
    );
    await off.send(message);
    await off.send(message);
    expect(await waiting('in.off')).toBe(2);
  });

  it('is what came to its interface, by whichever listener', async () => {
    const partner = await connect({}, storesOf(way));
    await partner.send(message);
    const beside = await connect({ id: 'beside' }, storesOf(way));
    await beside.send(message);
    const elsewhere = await connect({ id: 'elsewhere', interface: 'radiology' }, storesOf(way));
    await elsewhere.send(message);
    expect(await Promise.all(['in.beside', 'in.elsewhere'].map(waiting))).toEqual([0, 1]);
  });

  it('is not what was refused', async () => {
    const strict = await connect({ acknowledge: 'validated' }, storesOf(way));
    const bad = message.replace('PID|1||', 'PID|1|||');
    expect(readAnswer(await strict.send(bad))).toBe(`AE ${controlId}`);
    const lenient = await connect({ id: 'lenient' }, storesOf(way));
    expect(readAnswer(await lenient.send(bad))).toBe(`AA ${controlId}`);
    expect(await waiting('in.lenient')).toBe(1);
  });

  it('is not what had no queue, and was answered AR', async () => {
    const broker = overrideIn<Broker>(file.stores.broker, { declare: () => Promise.resolve() });
    const partner = await connect({ id: 'late' }, { broker, ...storesOf(way) });
    expect(readAnswer(await partner.send(message))).toBe(`AR ${controlId}`);
    await file.stores.broker.declare({ name: 'in.late', interface: 'lab' });
    expect(readAnswer(await partner.send(message))).toBe(`AA ${controlId}`);
    expect(await waiting('in.late')).toBe(1);
  });

  it('is asked again once the stores are there again', async () => {
    const partner = await connect({}, storesOf(way));
    await partner.send(message);
    let isAway = true;
    const away = () => Promise.reject(buildError('transient', 'ledger-unavailable', 'away'));
    const { broker: realBroker, ledger: realLedger, intake: realIntake } = file.stores;
    const broker = overrideIn<Broker>(realBroker, {
      publish: (...args) => (isAway ? away() : realBroker.publish(...args)),
    });
    const ledger = overrideIn<Ledger>(realLedger, {
      append: (...args) => (isAway ? away() : realLedger.append(...args)),
      findReceived: (...args) => (isAway ? away() : realLedger.findReceived(...args)),
    });
    const intake = overrideIn<UniqueIntake>(realIntake, {
      take: (...args) => (isAway ? away() : realIntake.take(...args)),
    });
    const late = await connect(
      { id: 'late' },
      way === 'at once' ? { broker, ledger, intake } : { broker, ledger },
    );
    const answer = late.send(message);
    await wait(300);
    isAway = false;
    expect(readAnswer(await answer)).toBe(`AA ${controlId}`);
    expect(await waiting('in.late')).toBe(0);
    expect((await events()).filter((each) => each.startsWith('duplicate'))).toHaveLength(1);
  });
});

describe('what counts as having come before, stored apart', () => {
  it('cannot be told while the ledger is away: the message passes and is marked', async () => {
    const ledger = overrideIn<Ledger>(file.stores.ledger, {
      findReceived: () => Promise.reject(buildError('transient', 'ledger-unavailable', 'away')),
    });
    const partner = await connect({}, { ledger });
    await partner.send(message);
    // Answered after what the ledger was told of the first: until then its copy is known without asking.
    expect(await waiting()).toBe(1);
    expect(readAnswer(await partner.send(message))).toBe(`AA ${controlId}`);
    expect(await waiting()).toBe(2);
    const received = (await events()).filter((each) => each.startsWith('received'));
    expect(received).toHaveLength(2);
    expect(received.every((each) => each.endsWith(', unchecked'))).toBe(true);
  });
});

describe.each(ways)('a control id that comes with other content, stored %s', (way) => {
  it('is taken, with a warning in the ledger', async () => {
    const partner = await connect({}, storesOf(way));
    await partner.send(message);
    expect(readAnswer(await partner.send(otherContent))).toBe(`AA ${controlId}`);
    expect(await waiting()).toBe(2);
    const trace = await file.stores.ledger.trace(controlId);
    expect(trace?.events.flatMap(({ issues = [] }) => issues)).toMatchObject([
      { code: 'control-id-reused', severity: 'warning', location: 'MSH-10' },
    ]);
    // Each of them is known from now on.
    await partner.send(message);
    await partner.send(otherContent);
    expect(await waiting()).toBe(2);
  });

  it('is refused where the listener is told so, also at the same moment', async () => {
    const duplicates = { windowMs: 60_000, sameIdOtherContent: 'reject' } as const;
    const first = await connect({ duplicates }, storesOf(way));
    const second = await again();
    const [taken, refused] = await Promise.all([first.send(message), second.send(otherContent)]);
    expect([taken, refused].map((each) => readAnswer(each)).sort()).toEqual([
      `AA ${controlId}`,
      `AE ${controlId}`,
    ]);
    const later = await first.send(readAnswer(taken).startsWith('AA') ? otherContent : message);
    expect(readAnswer(later)).toBe(`AE ${controlId}`);
    expect(later).toContain('|205^Duplicate key identifier^HL70357|E|control-id-reused');
    expect(await waiting()).toBe(1);
  });

  it('is stored in its turn: those that come behind it do not overtake it', async () => {
    const partner = await connect({}, storesOf(way));
    await partner.send(message);
    const [reused, behind] = [otherContent, buildLabResult({ index: 2, patient: 2 })];
    await Promise.all([partner.send(reused), partner.send(behind)]);
    const taken: (string | undefined)[] = [];
    const done = Promise.withResolvers<undefined>();
    const consumer = await file.stores.broker.consume('in.listener', { window: 9 }, (delivery) => {
      taken.push(delivery.envelope.controlId);
      if (taken.length === 3) done.resolve(undefined);
    });
    await done.promise;
    await consumer.stop();
    expect(taken).toEqual([controlId, controlId, controlIdOf(2)]);
  });
});

it('messages keep their order, however long it takes to ask whether they came before', async () => {
  let asked = 0;
  const ledger = overrideIn<Ledger>(file.stores.ledger, {
    findReceived: async (queries) => {
      asked += 1;
      await wait((asked * 7) % 20);
      return file.stores.ledger.findReceived(queries);
    },
  });
  const partner = await connect({}, { ledger });
  const indexes = Array.from({ length: 40 }, (_, index) => index + 1);
  const answers = await Promise.all(
    indexes.map((index) => partner.send(buildLabResult({ index, patient: 1 }))),
  );
  expect(answers.map(readAnswer)).toEqual(indexes.map((index) => `AA ${controlIdOf(index)}`));
  const taken: (string | undefined)[] = [];
  const done = Promise.withResolvers<undefined>();
  const consumer = await file.stores.broker.consume('in.listener', { window: 100 }, (delivery) => {
    taken.push(delivery.envelope.controlId);
    if (taken.length === indexes.length) done.resolve(undefined);
  });
  await done.promise;
  await consumer.stop();
  expect(taken).toEqual(indexes.map(controlIdOf));
});
