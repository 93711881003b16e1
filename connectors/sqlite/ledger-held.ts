import { packHeld, unpackHeld } from '../../core/held-code.ts';
import type { HeldGroup, HeldMessage } from '../../core/ports/ledger.ts';
import type { Database } from './database.ts';
import { messages } from './ledger-rows.ts';
import type { ReadHeldRequest } from './protocol.ts';

const maxGroups = 10_000;
/** While those behind them are counted nobody else is served. */
const maxCounted = 1_000;
const maxExamples = 3;

/**
 * What messages are held for, those first that were set aside first. From group to group by the index, which has the
 * messages of each in their order: a sort of all of them would hold up everybody else.
 */
export function findHeld(database: Database): readonly HeldGroup[] {
  const found: { readonly first: number; readonly group: HeldGroup }[] = [];
  let [queue, held] = ['', ''];
  while (found.length < maxGroups) {
    const next = database.get(
      `SELECT queue, held FROM parked WHERE held IS NOT NULL AND (queue, held) > (?, ?)
       ORDER BY queue, held LIMIT 1`,
      queue,
      held,
    );
    if (next === undefined) break;
    [queue, held] = [String(next['queue']), String(next['held'])];
    found.push(readGroup(database, queue, held));
  }
  return found.sort((one, other) => one.first - other.first).map(({ group }) => group);
}

const ofGroup = 'parked.held IS NOT NULL AND parked.queue = ? AND parked.held = ?';

function readGroup(database: Database, queue: string, held: string) {
  const count = Number(
    database.get(`SELECT count(*) AS count FROM parked WHERE ${ofGroup}`, queue, held)?.['count'],
  );
  const firsts = database.all(
    `SELECT id, interface.name, parked.number AS place, since
     FROM parked JOIN (${messages}) ON message.number = parked.message
     WHERE ${ofGroup} ORDER BY parked.number LIMIT ${maxExamples}`,
    queue,
    held,
  );
  const sql = `SELECT since FROM parked WHERE ${ofGroup} ORDER BY number DESC LIMIT 1`;
  const last = database.get(sql, queue, held);
  const [first] = firsts;
  const group: HeldGroup = {
    interface: String(first?.['name']),
    queue,
    codes: unpackHeld(held),
    messages: count,
    ...(count > maxCounted ? {} : { waiting: count + countBehind(database, queue, held) }),
    firstAt: String(first?.['since']),
    lastAt: String(last?.['since']),
    examples: firsts.map((row) => String(row['id'])),
  };
  return { first: Number(first?.['place']), group };
}

function countBehind(database: Database, queue: string, held: string): number {
  const row = database.get(
    `SELECT count(*) AS count FROM parked JOIN parked AS behind
       ON behind.queue = parked.queue AND behind.key = parked.key AND behind.stopped = 0
     WHERE ${ofGroup}`,
    queue,
    held,
  );
  return Number(row?.['count']);
}

/** The messages of a group, in the order of their setting aside. */
export function readHeld(
  database: Database,
  { queue, codes, limit, after = 0 }: ReadHeldRequest,
): readonly HeldMessage[] {
  return database
    .all(
      `SELECT id, parked.key, parked.number, state_at FROM parked JOIN message ON message.number = parked.message
       WHERE ${ofGroup} AND parked.number > ? ORDER BY parked.number LIMIT ?`,
      queue,
      packHeld(codes),
      after,
      limit,
    )
    .map((row) => ({
      id: String(row['id']),
      key: String(row['key']),
      place: Number(row['number']),
      heldAt: String(row['state_at']),
    }));
}
