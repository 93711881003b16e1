import type { Ledger } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { LedgerRetention } from '../../core/ports/retention.ts';
import type { LedgerAddress } from './address.ts';
import type { WriteSession } from './append.ts';
import { isRefusal, toFailure } from './failures.ts';
import { PostgresLedger } from './ledger.ts';
import { lockClass } from './migrate.ts';
import { makeEarlierParts, makeParts } from './parts.ts';
import { PostgresRetention } from './retention.ts';
import { openSession } from './session.ts';
import { Sessions } from './sessions.ts';
import { buildOpening } from './up-to-date.ts';

/** The ledger in PostgreSQL as one process has it. */
export interface PostgresStore {
  readonly ledger: Ledger;
  readonly retention: LedgerRetention;
  /** When all that was asked is answered. */
  close(): Promise<void>;
}

const partsEveryMs = 3_600_000;

/**
 * The ledger at an address. Every connection is made, and made again, when it is needed: while there is none, what is
 * asked rejects with `ledger-unavailable`. The first brings the tables up to date, before this resolves where PostgreSQL
 * can be reached. `isStrict`: rejects where PostgreSQL is reached and no try will mend it (a newer schema, a wrong
 * password, no such database, no rights).
 */
export async function openPostgres(options: {
  readonly address: LedgerAddress;
  readonly logger: Logger;
  readonly isStrict?: boolean;
}): Promise<PostgresStore> {
  const { address, logger, isStrict = false } = options;
  const open = buildOpening(address);
  const readers = new Sessions({
    open: async () => ({ client: await open({ isByKey: true }) }),
    size: address.poolSize,
    logger,
  });
  const writer = new Sessions<WriteSession>({
    open: async () => {
      const client = await open({ isPipelined: true, isByKey: true });
      return { client, writer: await takeWriterNumber(client) };
    },
    size: 1,
    logger,
  });
  /** For what takes longer than a question may. */
  const keeper = new Sessions({
    open: async () => ({ client: await open({ isPatient: true }) }),
    size: 1,
    logger,
  });
  const keepParts = async (): Promise<void> => {
    try {
      await keeper.use(({ client }) => makeParts(client, { nowMs: Date.now() }));
    } catch (error) {
      const text =
        'The ledger has no tables ahead for the days to come yet; the next try is in an hour.';
      logger.warn({ err: toFailure(error) }, text);
    }
  };
  const all = [writer, readers, keeper];
  const closeAll = () => Promise.all(all.map((sessions) => sessions.close()));
  try {
    await writer.use(() => Promise.resolve());
    await keepParts();
  } catch (error) {
    if (isStrict && isRefusal(error)) {
      await closeAll();
      throw error;
    }
  }
  const timer = setInterval(() => void keepParts(), partsEveryMs).unref();
  const ledger = new PostgresLedger({ writer, readers });
  return {
    ledger,
    retention: new PostgresRetention(keeper),
    close: async () => {
      clearInterval(timer);
      await ledger.close();
      await closeAll();
    },
  };
}

/** Makes the parts from a time (ms) on, for what comes from elsewhere. */
export async function makeOldParts(address: LedgerAddress, fromMs: number): Promise<void> {
  const client = await openSession(address, { isPatient: true });
  try {
    await makeEarlierParts(client, fromMs);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The lowest that no other connection has, for as long as this one lives. */
async function takeWriterNumber(client: WriteSession['client']): Promise<number> {
  const { rows } = await client.query<{ readonly number: number }>(
    'SELECT number FROM generate_series(1, 10000) AS number WHERE pg_try_advisory_lock($1, number) LIMIT 1',
    [lockClass],
  );
  const number = rows[0]?.number;
  if (number === undefined)
    throw new Error('Fewer than 10,000 writers of the ledger were expected.');
  return number;
}
