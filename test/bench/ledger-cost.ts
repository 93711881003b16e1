/**
 * `npm run bench -- ledger-cost [--rates one,100,full] [--messages N] [--statements] [--days N]`: what a message costs
 * PostgreSQL as the roles ask and write, without them: an edge asks whether it came before and writes that it is there, a
 * worker asks and writes what its flow made, the edge asks and writes that it was delivered. With `one` under way at a
 * time, at each rate a second, and with 32 under way at full load: processor time of the server and of this process, transactions and statements. With
 * `--statements` those that took longest, from a server that counts them, which costs something itself. `--days`: parts
 * for so many days back.
 */
import { parseArgs } from 'node:util';
import pg from 'pg';
import { makeOldParts, type PostgresStore } from '../../connectors/postgres/open.ts';
import type { Envelope } from '../../core/envelope.ts';
import type { LedgerEntry, LedgerEvent } from '../../core/ports/ledger.ts';
import { BatchNumbers } from '../../runtime/batch-numbers.ts';
import { deriveId } from '../../runtime/derived-id.ts';
import { toInstant } from '../../runtime/ids.ts';
import { openStore, toAddress } from '../connectors/postgres/support.ts';
import { buildMessage } from '../runtime/owner.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { startPostgres } from '../support/postgres.ts';
import { findMedian } from './measure.ts';
import { readTreeCpuMs } from './pipeline/processes.ts';

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    rates: { type: 'string', default: 'one,100,full' },
    messages: { type: 'string', default: '4000' },
    statements: { type: 'boolean', default: false },
    days: { type: 'string' },
  },
});
const messages = Number(values.messages);
const outstanding = 32;
const inQueue = 'in.lab';
const outQueue = 'out.lab';
const dayMs = 86_400_000;

const server = await startPostgres();
let index = 0;
try {
  if (values.statements) await countStatements();
  const url = await server.createDatabase();
  const edge = await openRole(url, 'edge');
  const worker = await openRole(url, 'worker');
  if (values.days !== undefined) {
    await makeOldParts(toAddress(url), Date.now() - Number(values.days) * dayMs);
  }
  const counter = new pg.Client({ connectionString: url });
  await counter.connect();
  if (values.statements) {
    await counter.query('CREATE EXTENSION pg_stat_statements');
    await counter.query('ALTER SYSTEM SET pg_stat_statements.track_planning = on');
    await counter.query('SELECT pg_reload_conf()');
  }
  const carry = (): Promise<number> => carryOne(edge, worker);
  await underWay(outstanding, carry, 2_000);
  for (const rate of values.rates.split(',')) {
    const count = rate === 'full' ? messages : rate === 'one' ? messages / 4 : 10 * Number(rate);
    if (values.statements) await counter.query('SELECT pg_stat_statements_reset()');
    const before = await read(counter);
    const startedAt = performance.now();
    const took =
      rate === 'full'
        ? await underWay(outstanding, carry, count)
        : rate === 'one'
          ? await underWay(1, carry, count)
          : await atRate(carry, count, Number(rate));
    const seconds = (performance.now() - startedAt) / 1_000;
    const after = await read(counter);
    const a = (name: keyof typeof after): string =>
      ((after[name] - before[name]) / count).toFixed(name.endsWith('Micros') ? 0 : 2);
    console.log(
      `${describe(rate)}: ${(count / seconds).toFixed(0)} messages/s, a message costs ` +
        `${a('serverMicros')} µs of PostgreSQL's processor time and ${a('clientMicros')} µs of its clients', in ` +
        `${a('transactions')} transactions, ${a('walBytes')} bytes of WAL; taken in after ${findMedian(took).toFixed(1)} ms`,
    );
    if (values.statements) await showStatements(counter, count);
  }
  await counter.end();
  await edge.store.close();
  await worker.store.close();
} finally {
  await server.stop();
}

function describe(rate: string): string {
  if (rate === 'full') return 'full load';
  return rate === 'one' ? 'one at a time' : `${rate}/s`;
}

interface Role {
  readonly store: PostgresStore;
  readonly write: (entries: readonly LedgerEntry[]) => Promise<void>;
}

async function openRole(url: string, name: string): Promise<Role> {
  const store = await openStore(url);
  const numbers = new BatchNumbers(name);
  const write = async (entries: readonly LedgerEntry[]): Promise<void> => {
    const number = numbers.next();
    await store.ledger.append(entries, numbers.toBatch(number));
    numbers.heard(number);
  };
  return { store, write };
}

/** Resolves with how long it took to take it in, in ms, once it is delivered. */
async function carryOne(edge: Role, worker: Role): Promise<number> {
  index += 1;
  const received = build(index);
  const made = buildChild(received);
  const startedAt = performance.now();
  const since = toInstant(Date.now() - dayMs);
  const { interface: owner, controlId = '' } = received;
  await edge.store.ledger.findReceived([{ interface: owner, controlId, digest: 'of it', since }]);
  await edge.write([
    { type: 'message', envelope: received },
    event(received, 'received', undefined, 'MLLP from 127.0.0.1:50000, 2.5.1'),
    event(received, 'queued', inQueue, 'durable, then AA'),
  ]);
  const tookMs = performance.now() - startedAt;
  await worker.store.ledger.states([received.id]);
  await worker.write([
    event(received, 'taken', inQueue),
    { type: 'message', envelope: made },
    event(received, 'sent', outQueue),
    event(made, 'queued', outQueue),
    event(received, 'processed', inQueue),
  ]);
  await edge.store.ledger.states([made.id]);
  await edge.write([
    event(made, 'taken', outQueue, 'to 127.0.0.1:50001'),
    event(made, 'delivered', outQueue, 'AA from 127.0.0.1:50001'),
  ]);
  return tookMs;
}

function build(number: number): Envelope {
  const body = Buffer.from(buildLabResult({ index: number, patient: number % 5_000 }));
  return buildMessage(controlIdOf(number), {
    ...{ body, key: `MRN${number % 5_000}`, messageType: 'ORU^R01^ORU_R01' },
  });
}

function buildChild(parent: Envelope): Envelope {
  const { id, correlationId } = parent;
  return {
    ...parent,
    ...{ id: deriveId(id, 'out', '1'), correlationId, causationId: id },
    receivedAt: toInstant(Date.now()),
  };
}

function event(
  { id }: Envelope,
  kind: LedgerEvent['kind'],
  queue?: string,
  summary?: string,
): LedgerEntry {
  const at = toInstant(Date.now());
  const given = {
    ...(queue === undefined ? {} : { queue }),
    ...(summary === undefined ? {} : { summary }),
  };
  return { type: 'event', event: { messageId: id, kind, at, attempt: 1, ...given } };
}

async function underWay(
  atATime: number,
  carry: () => Promise<number>,
  count: number,
): Promise<number[]> {
  const took: number[] = [];
  let begun = 0;
  const one = async (): Promise<void> => {
    while (begun < count) {
      begun += 1;
      took.push(await carry());
    }
  };
  await Promise.all(Array.from({ length: atATime }, one));
  return took;
}

function atRate(carry: () => Promise<number>, count: number, rate: number): Promise<number[]> {
  const startedAt = performance.now();
  const under: Promise<number>[] = [];
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(count, ((performance.now() - startedAt) / 1_000) * rate);
      while (under.length < due) under.push(carry());
      if (under.length < count) return;
      clearInterval(timer);
      resolve(Promise.all(under));
    }, 1);
  });
}

async function read(client: pg.Client): Promise<{
  readonly serverMicros: number;
  readonly clientMicros: number;
  readonly transactions: number;
  readonly walBytes: number;
}> {
  // Backends report what they have done a moment later.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const { user, system } = process.cpuUsage();
  const { rows } = await client.query<{ readonly transactions: string; readonly bytes: string }>(
    `SELECT xact_commit AS transactions, pg_current_wal_lsn() - '0/0'::pg_lsn AS bytes
     FROM pg_stat_database WHERE datname = current_database()`,
  );
  return {
    serverMicros: 1_000 * (server.pid === undefined ? 0 : readTreeCpuMs(server.pid)),
    clientMicros: user + system,
    transactions: Number(rows[0]?.transactions),
    walBytes: Number(rows[0]?.bytes),
  };
}

async function countStatements(): Promise<void> {
  const admin = new pg.Client({ connectionString: await server.createDatabase() });
  admin.on('error', () => undefined);
  await admin.connect();
  await admin.query(`ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'`);
  await admin.end();
  await server.shutDown();
  await server.start();
}

/** By how long they took, planned and run. */
async function showStatements(client: pg.Client, count: number): Promise<void> {
  const { rows } = await client.query<Record<string, string>>(
    `SELECT calls, plans, total_plan_time AS planned, total_exec_time AS run, left(regexp_replace(query, '\\s+', ' ', 'g'), 90) AS text
     FROM pg_stat_statements WHERE calls > 10 ORDER BY total_plan_time + total_exec_time DESC LIMIT 24`,
  );
  for (const { calls, plans, planned, run, text } of rows) {
    const micros = (ms: string | undefined): string =>
      ((Number(ms) * 1_000) / count).toFixed(0).padStart(5);
    const times = (number: string | undefined): string =>
      (Number(number) / count).toFixed(2).padStart(5);
    console.log(
      `  ${times(calls)} × a message, planned ${times(plans)} ×; µs a message: ${micros(planned)} planning, ` +
        `${micros(run)} running: ${text}`,
    );
  }
}
