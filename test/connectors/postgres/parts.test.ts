import type pg from 'pg';
import { lowestId, makeParts } from '../../../connectors/postgres/parts.ts';
import { openSession } from '../../../connectors/postgres/session.ts';
import type { PostgresStore } from '../../../connectors/postgres/open.ts';
import type { Envelope } from '../../../core/envelope.ts';
import { deriveId } from '../../../runtime/derived-id.ts';
import { newId } from '../../../runtime/ids.ts';
import { addOld, childOf, daysAgo, pruneAll } from '../../contract/retention.ts';
import { startPostgres, type PostgresServer } from '../../support/postgres.ts';
import { describeWith } from '../../support/programs.ts';
import { openStore, toAddress } from './support.ts';

const dayMs = 86_400_000;

it('knows the lowest id of a time, for ids of their own and for derived ones', () => {
  const ms = Date.UTC(2026, 10, 26);
  for (const id of [newId(ms), deriveId(newId(ms), 'out', '1')]) {
    expect(id >= lowestId(ms)).toBe(true);
    expect(id < lowestId(ms + 1)).toBe(true);
  }
  expect(newId(ms - 1) < lowestId(ms)).toBe(true);
});

describeWith('postgres', 'parts by time', () => {
  let server: PostgresServer;
  let url: string;
  let store: PostgresStore;
  let client: pg.Client;

  beforeAll(async () => {
    server = await startPostgres();
  }, 150_000);
  afterAll(() => server.stop());

  beforeEach(async () => {
    url = await server.createDatabase();
    store = await openStore(url);
    client = await openSession(toAddress(url));
  });
  afterEach(async () => {
    await client.end();
    await store.close();
  });

  /** Parts of a day each from so long ago, as a ledger has them that has run since then. */
  async function makeOldParts(days: number, widthDays = 1): Promise<void> {
    await client.query('UPDATE part_width SET days = $1', [widthDays]);
    const tables = await client.query<{ name: string }>('DELETE FROM part RETURNING name');
    for (const { name } of tables.rows) {
      for (const table of ['standing', 'message', 'content', 'event', 'payload_change']) {
        await client.query(`DROP TABLE ${table}_${name}`);
      }
    }
    await makeParts(client, { fromMs: Date.now() - days * dayMs, nowMs: Date.now() });
  }
  const tableOf = async ({ id }: Envelope): Promise<string> => {
    const { rows } = await client.query<{ table: string }>(
      'SELECT tableoid::regclass::text AS table FROM message WHERE id = $1',
      [id],
    );
    return rows[0]?.table ?? 'none';
  };
  const partOf = (instant: string): string => `message_${instant.slice(0, 10).replaceAll('-', '')}`;

  it('are there for two weeks ahead from the first start on, and are made once', async () => {
    const { rows } = await client.query<{ end: number }>('SELECT max(end_ms) AS end FROM part');
    expect(rows[0]!.end).toBeGreaterThan(Date.now() + 13 * dayMs);
    expect(await makeParts(client, { nowMs: Date.now() })).toEqual([]);
    const later = await makeParts(client, { nowMs: Date.now() + 10 * dayMs });
    expect(later.length).toBeGreaterThan(0);
    const today = await addOld(store.ledger, 0, ['received']);
    expect(await tableOf(today)).toMatch(/^message_\d{8}$/);
  });

  it('take in what had none when it came', async () => {
    const far = Date.now() + 40 * dayMs;
    const id = newId(far);
    const envelope = await addOld(store.ledger, 0, ['received'], { id, correlationId: id });
    expect(await tableOf(envelope)).toBe('message_rest');
    await makeParts(client, { nowMs: far });
    expect(await tableOf(envelope)).toMatch(/^message_\d{8}$/);
    expect(await store.ledger.read(id)).toMatchObject({ id });
    expect((await store.ledger.trace(id))?.events).toHaveLength(1);
  });

  it('have an event with its message, however late it comes', async () => {
    await makeOldParts(20);
    const old = await addOld(store.ledger, 10, ['received', 'queued']);
    expect(await tableOf(old)).toBe(partOf(daysAgo(10)));
    const event = { messageId: old.id, kind: 'processed' as const, at: daysAgo(0) };
    await store.ledger.append([{ type: 'event', event }]);
    expect((await store.ledger.states([old.id])).get(old.id)).toBe('processed');
    const { rows } = await client.query<{ table: string }>(
      'SELECT DISTINCT tableoid::regclass::text AS table FROM event WHERE id = $1',
      [old.id],
    );
    expect(rows).toEqual([{ table: partOf(daysAgo(10)).replace('message', 'event') }]);
  });

  it('are dropped when they are old, and what must stay is kept with all that belongs to it', async () => {
    await makeOldParts(42);
    const { ledger, retention } = store;
    const limits = [{ before: daysAgo(30), deadBefore: daysAgo(100) }];
    const gone = [];
    for (let each = 0; each < 20; each += 1) {
      const parent = await addOld(ledger, 40, ['received', 'processed']);
      gone.push(parent, await addOld(ledger, 40, ['queued', 'delivered'], childOf(parent)));
    }
    const waits = await addOld(ledger, 40, ['received', 'processed']);
    const kept = [
      waits,
      await addOld(ledger, 40, ['queued'], childOf(waits)),
      await addOld(ledger, 40, ['queued', 'dead-lettered']),
    ];
    const origin = await addOld(ledger, 40, ['received', 'processed']);
    kept.push(origin, await addOld(ledger, 2, ['queued', 'processed'], childOf(origin)));
    const young = await addOld(ledger, 29, ['received', 'processed']);
    const traces = await Promise.all(kept.map(({ id }) => ledger.trace(id)));
    const counts = (await ledger.counts()).toSorted((one, other) =>
      one.kind < other.kind ? -1 : 1,
    );

    expect(await pruneAll(retention, limits)).toMatchObject({ removed: gone.length });
    expect(await ledger.states(gone.map(({ id }) => id))).toEqual(new Map());
    expect(await Promise.all(kept.map(({ id }) => ledger.trace(id)))).toEqual(traces);
    const tables = [];
    for (const each of kept) tables.push(await tableOf(each));
    expect(tables).toEqual([
      ...Array.from({ length: 4 }, () => 'message_rest'),
      partOf(daysAgo(2)),
    ]);
    expect((await ledger.read(kept[1]!.id))?.body).toHaveLength(kept[1]!.body.length);
    expect(await tableOf(young)).toBe(partOf(daysAgo(29)));
    const { rows } = await client.query<{ start: number }>(
      'SELECT min(start_ms) AS start FROM part',
    );
    expect(rows[0]!.start).toBeGreaterThan(Date.now() - 32 * dayMs);
    expect(
      (await ledger.counts()).toSorted((one, other) => (one.kind < other.kind ? -1 : 1)),
    ).toEqual(counts);
    expect((await retention.storage()).pruned).toMatchObject({
      messages: gone.length,
      events: 20 * 4,
    });
    // And when it is over, that goes too.
    const event = {
      messageId: kept[1]!.id,
      kind: 'delivered' as const,
      at: daysAgo(0),
      queue: 'in.lab',
    };
    await ledger.append([{ type: 'event', event }]);
    expect(await pruneAll(retention, limits)).toMatchObject({ removed: 2 });
  });

  it('stay where most of one is kept longer, and lose message by message what is not', async () => {
    await makeOldParts(42);
    const { ledger, retention } = store;
    const ids = Array.from({ length: 1_100 }, () => newId(Date.parse(daysAgo(40))));
    await ledger.append(
      ids.map((id) => ({
        type: 'message',
        envelope: {
          ...{ id, interface: 'long', contentType: 'text/plain', correlationId: id },
          ...{ receivedAt: daysAgo(40), attempt: 1, body: Buffer.from('x') },
        },
      })),
    );
    const short = await addOld(ledger, 40, ['processed']);
    const limits = [{ before: daysAgo(30) }, { interface: 'long', before: daysAgo(365) }];
    expect(await pruneAll(retention, limits)).toMatchObject({ removed: 1 });
    expect(await ledger.read(short.id)).toBeUndefined();
    expect((await ledger.states(ids)).size).toBe(ids.length);
    expect(await tableOf({ id: ids[0]! } as Envelope)).toBe(partOf(daysAgo(40)));
  });

  it('are dropped under load, with what befalls their messages in that moment', async () => {
    await makeOldParts(42);
    const { ledger, retention } = store;
    const old = [];
    for (let each = 0; each < 30; each += 1) old.push(await addOld(ledger, 40, ['processed']));
    const late = await Promise.all([1, 2, 3].map(() => addOld(ledger, 40, ['received'])));
    const stop = new AbortController();
    const load = Promise.all(
      [1, 2, 3, 4].map(async () => {
        let count = 0;
        for (; !stop.signal.aborted; count += 1) {
          const { id } = await addOld(ledger, 0, ['received', 'queued', 'processed']);
          await ledger.trace(id);
          await ledger.findReceived([
            { interface: 'lab', controlId: 'C1', digest: 'none', since: daysAgo(90) },
          ]);
          const event = { messageId: late[count % 3]!.id, kind: 'taken' as const, at: daysAgo(0) };
          await ledger.append([{ type: 'event', event }]);
        }
        return count;
      }),
    );
    const { removed } = await pruneAll(retention, [{ before: daysAgo(30) }]);
    stop.abort();
    const written = (await load).reduce((sum, count) => sum + count, 0);
    expect(written).toBeGreaterThan(0);
    expect(removed).toBeGreaterThanOrEqual(old.length);
    expect((await ledger.states(old.map(({ id }) => id))).size).toBe(0);
    const parts = await client.query(`SELECT FROM part WHERE name = $1`, [
      partOf(daysAgo(40)).slice('message_'.length),
    ]);
    expect(parts.rows).toHaveLength(0);
    const law = await client.query<{ counted: number; there: number; pruned: number }>(
      `SELECT (SELECT sum(count) FROM event_count)::int AS counted, (SELECT sum(count) FROM event)::int AS there,
         (SELECT events FROM pruned)::int AS pruned`,
    );
    const { counted, there, pruned } = law.rows[0]!;
    expect(counted).toBe(there + pruned);
    const standing = await client.query<{ id: string; isMessage: boolean }>(
      'SELECT id, received_ms IS NOT NULL AS "isMessage" FROM standing',
    );
    const messages = standing.rows.filter(({ isMessage }) => isMessage);
    expect(messages).toHaveLength(written + late.length + old.length - removed);
    // An event of a late one may come when that has gone already, and is kept for itself.
    const lateIds = late.map(({ id }) => id);
    for (const { id } of standing.rows.filter(({ isMessage }) => !isMessage)) {
      expect(lateIds).toContain(id);
    }
  }, 120_000);

  it('leave a step to the next run where somebody holds the tables', async () => {
    await makeOldParts(42);
    await addOld(store.ledger, 40, ['processed']);
    const reader = await openSession(toAddress(url));
    await reader.query('BEGIN; SELECT count(*) FROM standing');
    const limits = [{ before: daysAgo(30) }];
    const first = await store.retention.prune({ limits, limit: 10 });
    expect(first.removed).toBe(0);
    await reader.query('COMMIT');
    await reader.end();
    expect(await pruneAll(store.retention, limits)).toMatchObject({ removed: 1 });
  });
});
