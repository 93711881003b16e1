import { packHeld, unpackHeld } from '../../core/held-code.ts';
import type { HeldGroup, HeldMessage } from '../../core/ports/ledger.ts';
import type { Database } from './database.ts';
import { messages } from './ledger-rows.ts';
import type { HeldCursor, HeldPart, ReadHeldRequest } from './protocol.ts';
import { beginTurn } from './turn.ts';

/** Of how many messages those behind them are counted, and how many of these at most. */
const maxCounted = 1_000;
const maxBehind = 10_000;
/** So many of a group are counted at once. */
const countedAtOnce = 20_000;
const maxExamples = 3;

/**
 * What messages are held for, by group from the cursor on: as far as a turn of the owner goes. From group to group by the
 * index, which has the messages of each in their order: a sort of all of them would hold up everybody else.
 */
export function findHeld(database: Database, after: HeldCursor | undefined): HeldPart {
  const mayGoOn = beginTurn();
  const found: HeldPart['found'][number][] = [];
  let cursor = after;
  for (;;) {
    if (!mayGoOn()) return { found, next: cursor };
    const group = cursor?.place === undefined ? findNext(database, cursor) : cursor;
    if (group === undefined) return { found };
    const { queue, held } = group;
    const part = readGroup(database, group);
    found.push(part);
    cursor = part.isWhole ? { queue, held } : { queue, held, place: part.last };
  }
}

function findNext(database: Database, after: HeldCursor | undefined): HeldCursor | undefined {
  const row = database.get(
    `SELECT queue, held FROM parked WHERE held IS NOT NULL AND (queue, held) > (?, ?)
     ORDER BY queue, held LIMIT 1`,
    after?.queue ?? '',
    after?.held ?? '',
  );
  return row && { queue: String(row['queue']), held: String(row['held']) };
}

const ofGroup = 'parked.held IS NOT NULL AND parked.queue = ? AND parked.held = ?';

/** The messages of a group behind a place, as many as are counted at once. */
function readGroup(database: Database, { queue, held, place = 0 }: HeldCursor) {
  const counted = database.get(
    `SELECT count(*) AS count, max(number) AS last FROM (
       SELECT number FROM parked WHERE ${ofGroup} AND number > ? ORDER BY number LIMIT ${countedAtOnce})`,
    queue,
    held,
    place,
  );
  const firsts = database.all(
    `SELECT id, interface.name, parked.number AS place, since
     FROM parked JOIN (${messages}) ON message.number = parked.message
     WHERE ${ofGroup} AND parked.number > ? ORDER BY parked.number LIMIT ${maxExamples}`,
    queue,
    held,
    place,
  );
  const count = Number(counted?.['count']);
  const last = Number(counted?.['last'] ?? place);
  const lastRow = database.get('SELECT since FROM parked WHERE number = ?', last);
  const [first] = firsts;
  const isWhole = count < countedAtOnce;
  const mayCount = isWhole && place === 0 && count <= maxCounted;
  const behind = mayCount ? countBehind(database, queue, held) : undefined;
  const group: HeldGroup = {
    interface: String(first?.['name']),
    queue,
    codes: unpackHeld(held),
    messages: count,
    ...(behind === undefined ? {} : { waiting: count + behind }),
    firstAt: String(first?.['since']),
    lastAt: String(lastRow?.['since']),
    examples: firsts.map((row) => String(row['id'])),
  };
  return { first: Number(first?.['place']), last, group, isWhole, isRest: place > 0 };
}

/** Undefined where there are too many: while they are counted nobody else is served. */
function countBehind(database: Database, queue: string, held: string): number | undefined {
  const row = database.get(
    `SELECT count(*) AS count FROM (
       SELECT 1 FROM parked JOIN parked AS behind
         ON behind.queue = parked.queue AND behind.key = parked.key AND behind.stopped = 0
       WHERE ${ofGroup} LIMIT ${maxBehind + 1})`,
    queue,
    held,
  );
  const count = Number(row?.['count']);
  return count > maxBehind ? undefined : count;
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
