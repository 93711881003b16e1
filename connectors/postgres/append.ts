import type pg from 'pg';
import { hasBatch, maxSenders, withBatch, type Span } from '../../core/ledger/batch-spans.ts';
import { laterOf } from '../../core/ledger/instants.ts';
import { packEvent } from '../../core/ledger/packed-event.ts';
import { followEvent, type Surroundings } from '../../core/ledger/standing.ts';
import { findMessageId, type LedgerEntry } from '../../core/ports/ledger.ts';
import type { Append } from './appended.ts';
import { isRepeatable } from './failures.ts';
import { beginTouched, lockStandings, readTouched } from './read-touched.ts';
import { numbersPerBlock } from './schema.ts';
import type { Touched } from './touched.ts';
import { countEvent, kindNumber, writeTouched, type Deltas } from './write-touched.ts';

/** The connection that a process writes with, by pipelined statements. */
export interface WriteSession {
  readonly client: pg.Client;
  /** Nobody else has it while this connection lives. */
  readonly writer: number;
}

const maxTries = 10;

/**
 * Writes appends in one transaction. What follows from their events is worked out here, by the rules that every ledger
 * has, over the rows of the messages, which are locked meanwhile. A batch that is there already is not written again.
 */
export async function writeAppends(
  session: WriteSession,
  appends: readonly Append[],
  interfaces: Map<string, number>,
): Promise<void> {
  await knowInterfaces(session.client, appends, interfaces);
  for (let tries = 1; ; tries += 1) {
    try {
      await transact(session, appends, interfaces);
      return;
    } catch (error) {
      // Where the connection is gone, so is the transaction.
      await session.client.query('ROLLBACK').catch(() => undefined);
      if (tries === maxTries || !isRepeatable(error)) throw error;
    }
  }
}

async function transact(
  session: WriteSession,
  appends: readonly Append[],
  interfaces: ReadonlyMap<string, number>,
): Promise<void> {
  const { client, writer } = session;
  const entryCount = appends.reduce((sum, { entries }) => sum + entries.length, 0);
  const ids = [...new Set(appends.flatMap(({ entries }) => entries.map(findMessageId)))].sort();
  const [, senders, rows] = await all([
    client.query('BEGIN'),
    lockSenders(client, appends),
    lockStandings(client, ids),
  ] as const);
  const [touched, numbers] = await all([
    rows.length === 0 ? new Map<string, Touched>() : readTouched(client, rows),
    takeNumbers(client, entryCount + ids.length),
  ] as const);
  const work = new Work(touched, numbers);
  const newSpans = new Map<string, Span[]>();
  for (const { entries, batch } of appends) {
    if (batch !== undefined) {
      const spans = newSpans.get(batch.sender) ?? senders.get(batch.sender) ?? [];
      if (hasBatch(spans, batch)) continue;
      newSpans.set(batch.sender, withBatch(spans, batch));
    }
    for (const entry of entries) work.take(entry);
  }
  await all([
    ...writeTouched(client, work.touched, { interfaces, writer }, work.deltas),
    ...writeSenders(client, newSpans, { senders, touched: numbers() }),
    client.query('COMMIT'),
  ]);
}

/** Waits for every one, also where one fails: statements are sent without waiting, and none is left behind. */
async function all<const T extends readonly unknown[]>(
  promises: T,
): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  const settled = await Promise.allSettled(promises);
  // Of the first that failed the others are but the consequence.
  for (const each of settled) if (each.status === 'rejected') throw each.reason;
  return settled.map((each) => (each.status === 'fulfilled' ? each.value : undefined)) as {
    -readonly [Index in keyof T]: Awaited<T[Index]>;
  };
}

/** The messages of a transaction, and what follows from its entries. */
class Work {
  readonly #touched: Map<string, Touched>;
  readonly #changed = new Set<Touched>();
  readonly #numbers: () => number;
  readonly #counts = new Map<
    string,
    { readonly key: readonly [string, string, number]; count: number }
  >();
  readonly #waiting = new Map<string, number>();
  readonly #around: Surroundings<Touched> = {
    isClosed: ({ closedBefore, events }, queue) =>
      closedBefore.some((where) => where === undefined || where === queue) ||
      events.some(([, code, , where]) => closing.has(code) && (where == null || where === queue)),
    keyOf: ({ arrived, key }) => arrived?.header.key ?? key,
    count: (queue, by) => this.#waiting.set(queue, (this.#waiting.get(queue) ?? 0) + by),
  };

  constructor(touched: Map<string, Touched>, numbers: () => number) {
    this.#touched = touched;
    this.#numbers = numbers;
  }

  get touched(): readonly Touched[] {
    return [...this.#changed].sort((left, right) => (left.id < right.id ? -1 : 1));
  }

  get deltas(): Deltas {
    return { counts: this.#counts, waiting: this.#waiting };
  }

  take(entry: LedgerEntry): void {
    const message = this.#find(findMessageId(entry));
    if (entry.type === 'event') {
      const { event } = entry;
      const number = this.#numbers();
      countEvent(this.#counts, [message.interface, event.queue ?? '', kindNumber(event.kind)]);
      followEvent(message, { event, number }, this.#around);
      message.events.push(packEvent(number, event));
    } else if (entry.type === 'changes') {
      message.changes = entry.changes.text;
    } else {
      // Once it is there, writing it again changes nothing.
      if (message.received) return;
      const { body, ...header } = entry.envelope;
      const receivedMs = Date.parse(header.receivedAt);
      message.received = true;
      message.receivedMs = Number.isNaN(receivedMs) ? 0 : receivedMs;
      message.arrival = this.#numbers();
      message.arrived = { header, body, digest: entry.digest };
      message.interface = header.interface;
      message.lastEventAt = laterOf(message.lastEventAt, header.receivedAt);
    }
    this.#changed.add(message);
  }

  #find(id: string): Touched {
    let found = this.#touched.get(id);
    if (found === undefined) {
      found = beginTouched(id, this.#numbers());
      this.#touched.set(id, found);
    }
    return found;
  }
}

const closing: ReadonlySet<number> = new Set(
  (['refused', 'processed', 'delivered', 'dead-lettered', 'withdrawn'] as const).map(kindNumber),
);

/** Numbers in the order of arrival, so many at most. */
async function takeNumbers(client: pg.Client, count: number): Promise<() => number> {
  const { rows } = await client.query<{ readonly first: number }>({
    name: 'numbers',
    text: `SELECT nextval('arrival') AS first FROM generate_series(1, $1::int)`,
    // One for the senders.
    values: [Math.ceil((count + 1) / numbersPerBlock)],
  });
  let used = 0;
  return () => {
    const block = rows[Math.floor(used / numbersPerBlock)]?.first ?? 0;
    const number = block + (used % numbersPerBlock);
    used += 1;
    return number;
  };
}

/** What of each sender is there. */
async function lockSenders(
  client: pg.Client,
  appends: readonly Append[],
): Promise<ReadonlyMap<string, readonly Span[]>> {
  const names = new Set(
    appends.flatMap(({ batch }) => (batch === undefined ? [] : [batch.sender])),
  );
  if (names.size === 0) return new Map();
  const { rows } = await client.query<{ readonly sender: string; readonly spans: string }>({
    name: 'senders',
    text: 'SELECT sender, spans FROM batch WHERE sender = ANY($1) ORDER BY sender FOR UPDATE',
    values: [[...names]],
  });
  return new Map(rows.map(({ sender, spans }) => [sender, JSON.parse(spans) as Span[]]));
}

function writeSenders(
  client: pg.Client,
  spans: ReadonlyMap<string, readonly Span[]>,
  {
    senders,
    touched,
  }: { readonly senders: ReadonlyMap<string, unknown>; readonly touched: number },
): Promise<unknown>[] {
  if (spans.size === 0) return [];
  const names = [...spans.keys()].sort();
  const values = [names, names.map((name) => JSON.stringify(spans.get(name))), touched];
  const old = names.filter((name) => senders.has(name));
  const writes: Promise<unknown>[] = [
    client.query({
      name: 'senders-touched',
      text: `UPDATE batch SET spans = given.spans, touched = $3
        FROM unnest($1::text[], $2::text[]) AS given(sender, spans) WHERE batch.sender = given.sender`,
      values,
    }),
  ];
  if (old.length === names.length) return writes;
  writes.push(
    client.query({
      name: 'senders-new',
      // One that another has made meanwhile fails, and the transaction is made again.
      text: `INSERT INTO batch SELECT sender, $3, spans FROM unnest($1::text[], $2::text[]) AS given(sender, spans)
        WHERE NOT sender = ANY($4)`,
      values: [...values, old],
    }),
    client.query({
      name: 'senders-forgotten',
      text: `DELETE FROM batch WHERE touched <
        (SELECT touched FROM batch ORDER BY touched DESC OFFSET $1 LIMIT 1)`,
      values: [maxSenders - 1],
    }),
  );
  return writes;
}

/** Gives numbers to interfaces that have none, apart from the transaction: they are never taken back. */
async function knowInterfaces(
  client: pg.Client,
  appends: readonly Append[],
  interfaces: Map<string, number>,
): Promise<void> {
  const names = new Set(['']);
  for (const { entries } of appends) {
    for (const entry of entries) if (entry.type === 'message') names.add(entry.envelope.interface);
  }
  const missing = [...names].filter((name) => !interfaces.has(name));
  if (missing.length === 0) return;
  await client.query(
    `INSERT INTO interface (name) SELECT unnest($1::text[]) ON CONFLICT (name) DO NOTHING`,
    [missing.sort()],
  );
  const { rows } = await client.query<{ readonly number: number; readonly name: string }>(
    'SELECT number, name FROM interface WHERE name = ANY($1)',
    [missing],
  );
  for (const { number, name } of rows) interfaces.set(name, number);
}
