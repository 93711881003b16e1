import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { buildError } from '../../core/errors.ts';
import { buildTls, type LedgerAddress } from './address.ts';
import { toFailure } from './failures.ts';

/** Tables are in a schema of their own: the database may hold others. */
export const schemaName = 'hilum';

/** A process that hangs in the middle of a transaction would keep rows from all others. */
const idleInTransactionMs = 60_000;
/** Beyond what the server may take: then it is gone without a word. */
const silenceMs = 5_000;

/**
 * For a session whose statements all find their rows by a key. They are planned once, for whatever they are asked: by
 * itself PostgreSQL plans those of tables in parts anew each time. And they go by an index whatever it thinks of the
 * tables: a new table, or a new part, is empty when the plan is made, and would be read from end to end until the next
 * ANALYZE.
 */
const byKey = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
} as const;

/** Asks on such a session what does not go by a key alone: PostgreSQL then plans it as it finds best. */
export async function search<T>(client: pg.Client, ask: () => Promise<T>): Promise<T> {
  const settings = Object.keys(byKey).map((name) => `SET LOCAL ${name} TO DEFAULT`);
  await client.query(`BEGIN; ${settings.join('; ')}`);
  try {
    return await ask();
  } finally {
    // Nothing was changed; and where the connection is gone, so is the transaction.
    await client.query('ROLLBACK').catch(() => undefined);
  }
}

/** What a session is for. */
export interface SessionWishes {
  /** Statements are sent without waiting for the answers of those before. */
  readonly isPipelined?: boolean;
  /** Statements take as long as they take, which changes of tables may. */
  readonly isPatient?: boolean;
  /** Every statement has a name and finds its rows by a key, but those of {@link search}. */
  readonly isByKey?: boolean;
}

/**
 * Connects to the first host that is written to: a standby is not. Rejects with `ledger-unavailable` where there is
 * none.
 */
export async function openSession(
  address: LedgerAddress,
  wishes: SessionWishes = {},
): Promise<pg.Client> {
  const reasons: string[] = [];
  let cause: unknown;
  for (const { host, port } of address.hosts) {
    try {
      const client = await connect(address, { host, port, ...wishes });
      if (client !== undefined) return client;
      reasons.push(`${host}:${port}: it is a standby, or read only.`);
    } catch (error) {
      cause = error;
      reasons.push(`${host}:${port}: ${toFailure(error).issues[0]?.message ?? ''}`);
    }
  }
  throw buildError('transient', 'ledger-unavailable', reasons.join(' '), cause);
}

/** Undefined: nothing can be written there. */
async function connect(
  address: LedgerAddress,
  options: SessionWishes & { readonly host: string; readonly port: number },
): Promise<pg.Client | undefined> {
  const { host, port, isPipelined = false, isPatient = false, isByKey = false } = options;
  const { passwordFile, statementTimeoutMs } = address;
  const password =
    passwordFile === undefined
      ? address.password
      : (await readFile(passwordFile, 'utf8')).replace(/\r?\n$/, '');
  const client = new pg.Client({
    host,
    port,
    user: address.user,
    // An absent one would be looked for in the environment and in the home folder.
    password: password ?? '',
    database: address.database,
    ssl: buildTls(address, host),
    application_name: 'hilum',
    connectionTimeoutMillis: address.connectTimeoutMs,
    ...(isPatient
      ? {}
      : { statement_timeout: statementTimeoutMs, query_timeout: statementTimeoutMs + silenceMs }),
    idle_in_transaction_session_timeout: idleInTransactionMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    pipeline: isPipelined,
  });
  // Whoever uses it hears of it by what it asked.
  client.on('error', () => undefined);
  client.setTypeParser(pg.types.builtins.INT8, Number);
  try {
    await client.connect();
    const { rows } = await client.query<{ readonly refuses: boolean }>(
      `SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean AS refuses`,
    );
    if (rows[0]?.refuses === true) {
      await client.end();
      return undefined;
    }
    const settings = { search_path: schemaName, ...(isByKey ? byKey : {}) };
    await client.query(
      Object.entries(settings)
        .map(([name, value]) => `SET ${name} TO ${value}`)
        .join('; '),
    );
    return client;
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error;
  }
}
