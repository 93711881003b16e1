import type pg from 'pg';
import type {
  LedgerRetention,
  PruneRequest,
  PruneResult,
  StorageFigures,
} from '../../core/ports/retention.ts';
import { dropPart, findOldPart } from './drop-part.ts';
import { readCutoffs } from './prune-limits.ts';
import { pruneRows } from './prune-rows.ts';
import type { Sessions } from './sessions.ts';
import { schemaName } from './session.ts';

/**
 * Removing old messages from PostgreSQL: parts of the tables that are old as a whole are dropped, and what of them must
 * stay goes into the rest; there, and in parts of which much stays, messages go one by one. Where a step stopped is a
 * number: below zero the end (ms) of the last part that was looked at, from zero on the time of receipt (ms) of the
 * last message.
 */
export class PostgresRetention implements LedgerRetention {
  readonly #sessions: Sessions<{ readonly client: pg.Client }>;

  constructor(sessions: Sessions<{ readonly client: pg.Client }>) {
    this.#sessions = sessions;
  }

  prune(request: PruneRequest): Promise<PruneResult> {
    return this.#sessions.use(async ({ client }) => {
      const cutoffs = await readCutoffs(client, request.limits);
      const { after = Number.MIN_SAFE_INTEGER, isDryRun = false } = request;
      if (after < 0 && !isDryRun) {
        const lookedAt = after === Number.MIN_SAFE_INTEGER ? 0 : -after;
        const part = await findOldPart(client, cutoffs, lookedAt);
        if (part !== undefined) {
          return { ...(await dropPart(client, part, cutoffs)), dead: [], next: -part.endMs };
        }
      }
      const step = await pruneRows(client, { ...request, after: Math.max(0, after) }, cutoffs);
      return { ...step, dead: [] };
    });
  }

  /** What waits in RabbitMQ's dead-letter queues has no body here that it needs. */
  async discardDead(): Promise<void> {
    // Nothing to be taken out.
  }

  /** Dropped tables give back theirs at once; what single messages leave is used again. */
  giveBack(): Promise<number> {
    return Promise.resolve(0);
  }

  storage(): Promise<StorageFigures> {
    return this.#sessions.use(async ({ client }) => {
      const size = await client.query<{ readonly bytes: number }>(
        `SELECT coalesce(sum(pg_total_relation_size(pg_class.oid)), 0)::bigint AS bytes
         FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE nspname = '${schemaName}' AND relkind = 'r'`,
      );
      const oldest = await client.query<{ readonly ms: number | null }>(
        'SELECT min(received_ms + 0) AS ms FROM message',
      );
      const pruned = await client.query<StorageFigures['pruned']>(
        'SELECT messages, events, bytes FROM pruned',
      );
      const ms = oldest.rows[0]?.ms ?? undefined;
      return {
        fileBytes: size.rows[0]?.bytes ?? 0,
        freeBytes: 0,
        canGiveBack: true,
        ...(ms === undefined ? {} : { oldestAt: new Date(ms).toISOString() }),
        pruned: pruned.rows[0] ?? { messages: 0, events: 0, bytes: 0 },
      };
    });
  }
}
