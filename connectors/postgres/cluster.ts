import type pg from 'pg';
import { buildError } from '../../core/errors.ts';
import type {
  Cluster,
  Member,
  Notice,
  Revision,
  RevisionSummary,
} from '../../core/ports/cluster.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { LedgerAddress } from './address.ts';
import { isRefusal, sqlStateOf } from './failures.ts';
import { Listening } from './listening.ts';
import { schemaName } from './session.ts';
import { Sessions } from './sessions.ts';
import { buildOpening } from './up-to-date.ts';

const channel = `${schemaName}_notice`;
/** PostgreSQL takes less than 8,000 bytes. */
const mostPayloadBytes = 7_900;
/** A member that has not reported for so long is forgotten. */
const forgetAfter = '1 day';
const uniqueViolation = '23505';
const summary = 'number, at, made_by AS by, message';

/** How a notice travels: as it is, or as the number of a row that holds it. */
type Parcel = Notice | { readonly type: 'large'; readonly number: number };

/**
 * The cluster in the database of the ledger. While PostgreSQL is away it resolves all the same, and what is asked rejects
 * with `ledger-unavailable`; the first connection brings the tables up to date. Rejects where PostgreSQL is reached and no
 * try will mend it (a newer schema, a wrong password, no such database, no rights).
 */
export async function openCluster(options: {
  readonly address: LedgerAddress;
  readonly logger: Logger;
}): Promise<Cluster> {
  const { address, logger } = options;
  const open = buildOpening(address);
  const sessions = new Sessions({
    open: async () => ({ client: await open() }),
    size: 2,
    logger,
  });
  try {
    await sessions.use(() => Promise.resolve());
  } catch (error) {
    if (isRefusal(error)) {
      await sessions.close();
      throw error;
    }
  }
  return new PostgresCluster(sessions, new Listening({ address, logger, channel }));
}

class PostgresCluster implements Cluster {
  readonly #sessions: Sessions<{ readonly client: pg.Client }>;
  readonly #listening: Listening;

  constructor(sessions: Sessions<{ readonly client: pg.Client }>, listening: Listening) {
    this.#sessions = sessions;
    this.#listening = listening;
  }

  async latest(): Promise<Revision | undefined> {
    const sql = `SELECT ${summary}, content FROM revision ORDER BY number DESC LIMIT 1`;
    return (await this.#query<Row<Revision>>(sql)).map(toRevision)[0];
  }

  async read(number: number): Promise<Revision | undefined> {
    const sql = `SELECT ${summary}, content FROM revision WHERE number = $1`;
    return (await this.#query<Row<Revision>>(sql, [number])).map(toRevision)[0];
  }

  async list(limit: number): Promise<readonly RevisionSummary[]> {
    const sql = `SELECT ${summary} FROM revision ORDER BY number DESC LIMIT $1`;
    return (await this.#query<Row<RevisionSummary>>(sql, [limit])).map(toRevision);
  }

  async add(
    { by, message, content }: Pick<Revision, 'by' | 'message' | 'content'>,
    after: number,
  ): Promise<RevisionSummary> {
    const sql = `
      INSERT INTO revision (number, made_by, message, content)
      SELECT $1::integer + 1, $2, $3, $4
      WHERE (SELECT coalesce(max(number), 0) FROM revision) = $1::integer
      RETURNING ${summary}`;
    const values = [after, by, message, JSON.stringify(content)];
    const rows = await this.#query<Row<RevisionSummary>>(sql, values).catch((error: unknown) => {
      // Two at the same moment: the other was first.
      if (sqlStateOf((error as Error).cause ?? error) === uniqueViolation) return [];
      throw error;
    });
    const [added] = rows.map(toRevision);
    if (added === undefined) {
      throw buildError(
        'permanent',
        'revision-outdated',
        `Expected revision ${after} to be the newest, found a newer one: somebody else has deployed meanwhile. Load the flows again, and repeat what you changed.`,
      );
    }
    await this.#notify({ type: 'revision' });
    return added;
  }

  async report(member: Member): Promise<void> {
    await this.#query(
      `INSERT INTO member (id, member) VALUES ($1, $2)
       ON CONFLICT (id) DO UPDATE SET member = excluded.member, seen_at = now()`,
      [member.id, JSON.stringify(member)],
    );
    await this.#query('DELETE FROM member WHERE seen_at < now() - $1::interval', [forgetAfter]);
  }

  async leave(id: string): Promise<void> {
    await this.#query('DELETE FROM member WHERE id = $1', [id]);
  }

  async members(withinMs: number): Promise<readonly Member[]> {
    const sql = `SELECT member FROM member WHERE seen_at > now() - $1 * interval '1 ms' ORDER BY id`;
    const rows = await this.#query<{ readonly member: Member }>(sql, [withinMs]);
    return rows.map(({ member }) => member);
  }

  async readKept(name: string): Promise<string | undefined> {
    const sql = 'SELECT text FROM kept_text WHERE name = $1';
    return (await this.#query<{ readonly text: string }>(sql, [name]))[0]?.text;
  }

  async writeKept(name: string, text: string): Promise<void> {
    await this.#query(
      'INSERT INTO kept_text VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET text = excluded.text',
      [name, text],
    );
    await this.#notify({ type: 'kept', name });
  }

  tell(message: unknown): Promise<void> {
    return this.#notify({ type: 'message', message });
  }

  listen(listener: (notice: Notice) => void): void {
    this.#listening.start({
      onPayload: (payload) => {
        this.#hear(payload, listener);
      },
      onMissed: () => {
        listener({ type: 'missed' });
      },
    });
  }

  async close(): Promise<void> {
    await this.#listening.stop();
    await this.#sessions.close();
  }

  #hear(payload: string, listener: (notice: Notice) => void): void {
    const parcel = JSON.parse(payload) as Parcel;
    if (parcel.type !== 'large') {
      listener(parcel);
      return;
    }
    const sql = 'SELECT notice FROM large_notice WHERE number = $1';
    this.#query<{ readonly notice: string }>(sql, [parcel.number]).then(
      ([row]) => {
        if (row !== undefined) listener(JSON.parse(row.notice) as Notice);
      },
      () => {
        listener({ type: 'missed' });
      },
    );
  }

  async #notify(notice: Notice): Promise<void> {
    const text = JSON.stringify(notice);
    const payload = Buffer.byteLength(text) > mostPayloadBytes ? await this.#store(text) : text;
    await this.#query('SELECT pg_notify($1, $2)', [channel, payload]);
  }

  async #store(notice: string): Promise<string> {
    await this.#query(`DELETE FROM large_notice WHERE at < now() - interval '1 minute'`);
    const sql = 'INSERT INTO large_notice (notice) VALUES ($1) RETURNING number';
    const [row] = await this.#query<{ readonly number: number }>(sql, [notice]);
    return JSON.stringify({ type: 'large', number: row?.number ?? 0 } satisfies Parcel);
  }

  #query<T extends object>(sql: string, values: unknown[] = []): Promise<readonly T[]> {
    return this.#sessions.use(async ({ client }) => (await client.query<T>(sql, values)).rows);
  }
}

/** As the driver reads it. */
type Row<T extends RevisionSummary> = Omit<T, 'at'> & { readonly at: Date };

function toRevision<T extends RevisionSummary>(row: Row<T>): T {
  return { ...row, at: row.at.toISOString() } as unknown as T;
}
