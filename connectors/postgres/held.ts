import type pg from 'pg';
import { packHeld, unpackHeld } from '../../core/held-code.ts';
import type { HeldGroup, HeldMessage } from '../../core/ports/ledger.ts';
import { toText } from './text.ts';

/** What messages are held for, those first that were set aside first. */
export async function findHeld(client: pg.Client): Promise<readonly HeldGroup[]> {
  const { rows } = await client.query<{
    readonly interface: string;
    readonly queue: string;
    readonly held: string;
    readonly messages: number;
    readonly waiting: number | null;
    readonly first_at: string;
    readonly last_at: string;
    readonly examples: readonly string[];
  }>({
    name: 'held',
    text: `SELECT interface.name AS interface, grouped.*,
        CASE WHEN messages <= 1000 THEN messages + (
          SELECT count(*) FROM parked JOIN parked AS behind
            ON behind.queue = parked.queue AND behind.key = parked.key AND NOT behind.stopped
          WHERE parked.held IS NOT NULL AND parked.queue = grouped.queue AND md5(parked.held) = md5(grouped.held))
        END AS waiting
      FROM (SELECT queue, held, count(*) AS messages, min(number) AS first, min(since) AS first_at, max(since) AS last_at,
          (array_agg(id ORDER BY number))[1:3] AS examples
        FROM parked WHERE held IS NOT NULL GROUP BY queue, held ORDER BY first LIMIT 10000) AS grouped
      JOIN standing ON standing.id = examples[1] JOIN interface ON interface.number = standing.interface
      ORDER BY first`,
  });
  return rows.map((row) => ({
    interface: row.interface,
    queue: row.queue,
    codes: unpackHeld(row.held),
    messages: row.messages,
    ...(row.waiting === null ? {} : { waiting: row.waiting }),
    firstAt: row.first_at,
    lastAt: row.last_at,
    examples: row.examples,
  }));
}

/** The messages of a group, in the order of their setting aside. */
export async function readHeld(
  client: pg.Client,
  { queue, codes }: Pick<HeldGroup, 'queue' | 'codes'>,
  { limit, after = 0 }: { readonly limit: number; readonly after?: number },
): Promise<readonly HeldMessage[]> {
  const { rows } = await client.query<HeldMessage>({
    name: 'read-held',
    text: `SELECT parked.id, key, number AS place, state_at AS "heldAt"
      FROM (SELECT id, key, number FROM parked
        WHERE held IS NOT NULL AND queue = $3 AND md5(held) = md5($2) AND held = $2 AND number > $1
        ORDER BY number LIMIT $4) AS parked
      JOIN standing ON standing.id = parked.id ORDER BY number`,
    values: [after, packHeld(codes), toText(queue), limit],
  });
  return rows;
}
