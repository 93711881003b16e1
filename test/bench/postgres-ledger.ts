/**
 * What the ledger on PostgreSQL costs by how much is in it: `npm run bench -- postgres-ledger [--rows 2000000]
 * [--written 100000]` (20,000 messages by default, each of six rows). Messages come as Hilum writes them, each in
 * three appends (taken in, worked on, delivered), their times spread over two months; where fewer are to be written than
 * there are to be in the end, the server copies each as often as it takes, with ids and control ids of their own. At ten
 * stages it says how many were written a second, and how long it
 * takes to trace one, to find by control id, to know it when it comes again, to list the newest, and to know what waits.
 * Ends with 1 where the last stage's inserts take more than twice as long as the first full one's, or a trace's median
 * more than twice and 2 ms beyond.
 */
import { parseArgs } from 'node:util';
import type { Envelope } from '../../core/envelope.ts';
import type { Ledger, LedgerEntry, LedgerEventKind } from '../../core/ports/ledger.ts';
import { makeOldParts } from '../../connectors/postgres/open.ts';
import { partitionedTables } from '../../connectors/postgres/schema.ts';
import { openSession } from '../../connectors/postgres/session.ts';
import { newId } from '../../runtime/ids.ts';
import { openStore, toAddress } from '../connectors/postgres/support.ts';
import { buildMessage } from '../runtime/owner.ts';
import { startPostgres } from '../support/postgres.ts';
import { buildLabResult } from '../support/lab-results.ts';
import { findMedian } from './measure.ts';

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { rows: { type: 'string', default: '20000' }, written: { type: 'string' } },
});
const written = Number(values.written ?? values.rows);
/** There are so many of each that is written. */
const copies = Math.max(1, Math.round(Number(values.rows) / written));
const rows = written * copies;
const stages = 10;
const spreadMs = 60 * 86_400_000;
/** As many processes and flows as write at the same time. */
const parallel = 32;
const perAppend = 8;
const questions = 200;

interface Stage {
  readonly rows: number;
  readonly perSecond: number;
  readonly traceMs: number;
  readonly trace99Ms: number;
  readonly controlMs: number;
  readonly receivedMs: number;
  readonly findMs: number;
  readonly agesMs: number;
}

const server = await startPostgres();
const body = Buffer.from(buildLabResult({ index: 1, patient: 1 }));
try {
  const url = await server.createDatabase();
  const store = await openStore(url);
  const startMs = Date.now() - spreadMs;
  await makeOldParts(toAddress(url), startMs);
  const all: Stage[] = [];
  for (let stage = 0; stage < stages; stage += 1) {
    const perStage = Math.ceil(written / stages);
    const startedMs = performance.now();
    const ids = await insert(store.ledger, stage * perStage, perStage, startMs);
    const tookMs = performance.now() - startedMs;
    if (copies > 1) await copy(url, ids);
    all.push(await ask(store.ledger, (stage + 1) * perStage, (perStage / tookMs) * 1_000));
    console.log(describe(all.at(-1)!));
  }
  const storage = await store.retention.storage();
  const perMessage = Math.round(storage.fileBytes / rows);
  console.log(
    `${storage.fileBytes} bytes, ${perMessage} a message of ${body.length} bytes and 8 events`,
  );
  await store.close();
  // The first fills empty tables.
  const [, first] = all;
  const last = all.at(-1);
  if (first !== undefined && last !== undefined) {
    const isFlat = last.perSecond > first.perSecond / 2 && last.traceMs < 2 * first.traceMs + 2;
    console.log(isFlat ? 'Flat.' : 'NOT flat.');
    process.exitCode = isFlat ? 0 : 1;
  }
} finally {
  await server.stop();
}

/** Message by message in order of time, three appends each, many at the same time; resolves with their ids. */
async function insert(
  ledger: Ledger,
  from: number,
  count: number,
  startMs: number,
): Promise<readonly string[]> {
  const ids: string[] = [];
  let next = from;
  const write = async (): Promise<void> => {
    while (next < from + count) {
      const first = next;
      next = Math.min(first + perAppend, from + count);
      const envelopes = Array.from({ length: next - first }, (_, each) =>
        build(first + each, startMs),
      );
      ids.push(...envelopes.map(({ id }) => id));
      await ledger.append(
        envelopes.flatMap((it) => [toMessage(it), ...toEvents(it, 'received', 'queued')]),
      );
      await ledger.append(envelopes.flatMap((it) => toEvents(it, 'taken', 'sent', 'processed')));
      await ledger.append(envelopes.flatMap((it) => toEvents(it, 'failed', 'taken', 'delivered')));
    }
  };
  await Promise.all(Array.from({ length: parallel }, write));
  return ids;
}

/** What the counters say is left as it is: nothing that is asked here reads them. */
async function copy(url: string, ids: readonly string[]): Promise<void> {
  const client = await openSession(toAddress(url), { isPatient: true });
  await client.query('CREATE TEMPORARY TABLE written (id TEXT COLLATE "C" PRIMARY KEY)');
  await client.query('INSERT INTO written SELECT unnest($1::text[])', [ids]);
  // Nobody else counts what is in a temporary table, and all parts would be read for what a few indexes find.
  await client.query('ANALYZE written');
  for (const table of partitionedTables) {
    const { rows: columns } = await client.query<{ readonly name: string }>(
      `SELECT attname AS name FROM pg_attribute
       WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
      [table],
    );
    // The last six of its 36 characters are random.
    const idOf = (column: string): string =>
      `substr(each.${column}, 1, 30) || lpad(to_hex(copy), 6, '0')`;
    const changed: Readonly<Record<string, string>> = {
      id: idOf('id'),
      correlation_id: idOf('correlation_id'),
      control_id: `each.control_id || '.' || copy`,
      digest: `each.digest || copy`,
    };
    const values = columns.map(({ name }) => changed[name] ?? `each.${name}`);
    await client.query(
      `INSERT INTO ${table} SELECT ${values.join(', ')}
       FROM ${table} AS each JOIN written ON written.id = each.id, generate_series(1, ${copies - 1}) AS copy`,
    );
  }
  await client.query('ANALYZE');
  await client.end();
}

function build(index: number, startMs: number): Envelope {
  const ms = startMs + Math.floor((index / written) * spreadMs);
  const id = newId(ms);
  return buildMessage(controlIdOf(index), {
    ...{ id, correlationId: id, receivedAt: new Date(ms).toISOString(), body },
    ...{ interface: `lab-${index % 20}`, key: `P${index % 5_000}`, messageType: 'ORU^R01^ORU_R01' },
  });
}

function controlIdOf(index: number): string {
  return `C${index}`;
}

function toMessage(envelope: Envelope): LedgerEntry {
  return { type: 'message', envelope, digest: `digest of ${envelope.id}` };
}

function toEvents(
  { id, receivedAt, interface: owner }: Envelope,
  ...kinds: readonly LedgerEventKind[]
) {
  return kinds.map((kind): LedgerEntry => {
    const queue = kind === 'received' ? {} : { queue: `in.${owner}` };
    return { type: 'event', event: { messageId: id, kind, at: receivedAt, ...queue } };
  });
}

/** Asks about messages of all times, of which `count` were written, one question after the other. */
async function ask(ledger: Ledger, count: number, perSecond: number): Promise<Stage> {
  const any = (): string => {
    const copy = Math.floor(Math.random() * copies);
    return controlIdOf(Math.floor(Math.random() * count)) + (copy === 0 ? '' : `.${copy}`);
  };
  const ids: string[] = [];
  const control = await time(async () => {
    const found = await ledger.read(any());
    if (found === undefined) throw new Error('A message was expected to be found.');
    ids.push(found.id);
  });
  const trace = await time(async (each) => {
    const found = await ledger.trace(ids[each] ?? '');
    if (found?.events.length !== 8) throw new Error('A trace of eight events was expected.');
  });
  const received = await time(async () => {
    const since = new Date(Date.now() - 2 * spreadMs).toISOString();
    await ledger.findReceived([
      { interface: 'lab-1', controlId: any(), digest: 'of another', since },
    ]);
  });
  const find = await time(() => ledger.find({ interface: 'lab-1' }, { limit: 50 }), 20);
  const ages = await time(() => ledger.ages(), 20);
  return {
    rows: count * copies,
    perSecond,
    traceMs: findMedian(trace),
    trace99Ms: trace.toSorted((one, other) => one - other)[Math.floor(trace.length * 0.99)] ?? 0,
    controlMs: findMedian(control),
    receivedMs: findMedian(received),
    findMs: findMedian(find),
    agesMs: findMedian(ages),
  };
}

async function time(
  question: (each: number) => Promise<unknown>,
  times = questions,
): Promise<number[]> {
  const took: number[] = [];
  for (let each = 0; each < times; each += 1) {
    const startedMs = performance.now();
    await question(each);
    took.push(performance.now() - startedMs);
  }
  return took;
}

function describe(stage: Stage): string {
  const ms = (value: number): string => `${value.toFixed(2)} ms`;
  return [
    `${stage.rows} messages: ${Math.round(stage.perSecond)} inserted/s`,
    `trace ${ms(stage.traceMs)} (99 %: ${ms(stage.trace99Ms)})`,
    `by control id ${ms(stage.controlMs)}`,
    `received before ${ms(stage.receivedMs)}`,
    `newest 50 of an interface ${ms(stage.findMs)}`,
    `ages ${ms(stage.agesMs)}`,
  ].join(', ');
}
