import type {
  PruneRequest,
  PruneResult,
  RetentionLimit,
  StorageFigures,
} from '../../core/ports/retention.ts';
import type { Database, Row } from './database.ts';
import { messageStates } from '../../core/ledger/codes.ts';
import { firstNumberOf, receivedAtOf } from './message-numbers.ts';

/** A step ends when it has removed so many bytes: others wait for it. */
const maxStepBytes = 1024 * 1024;

const columns = 'number, id, interface, state, correlation_id, content, bytes';

const stateNumber = (name: (typeof messageStates)[number]): number => messageStates.indexOf(name);
const deadState = stateNumber('dead-lettered');
/** Nothing more is to come of a message in one of these. */
const endedStates: ReadonlySet<number> = new Set([
  deadState,
  ...(['received', 'refused', 'duplicate', 'processed', 'delivered', 'withdrawn'] as const).map(
    stateNumber,
  ),
]);

/** The limits by the interfaces' numbers in the file: messages below these numbers may go. */
interface Cutoffs {
  readonly ended: number;
  readonly dead: number;
}

type Verdict = 'goes' | 'stays' | 'dead-queue';

/** What was decided of a correlation, and what of it goes. */
interface Decision {
  readonly verdict: Verdict;
  /** The first message last: it is what the others are found by. */
  readonly members: readonly Row[];
}

/**
 * One step of removing old messages, in a transaction of its own that need not be flushed: what a crash brings back
 * goes the next time. To be called while the tables are all there is: after a write-back. `onRemoved` hears the ids
 * when that is committed.
 */
export function prune(
  database: Database,
  request: PruneRequest,
  onRemoved: (ids: readonly string[]) => void,
): PruneResult {
  const cutoffs = readCutoffs(database, request.limits);
  const below = Math.max(0, ...[...cutoffs.values()].flatMap(({ ended, dead }) => [ended, dead]));
  const candidates = database.all(
    `SELECT ${columns} FROM message WHERE number > ? AND number < ? ORDER BY number LIMIT ?`,
    request.after ?? 0,
    below,
    request.limit,
  );
  const step = { removed: 0, bytes: 0, kept: 0 };
  const dead = new Set<string>();
  const removed = new Set<string>();
  let next = candidates.length < request.limit ? undefined : numberOf(candidates.at(-1));
  const decisions = new Map<string, Decision>();
  const work = (): void => {
    for (const candidate of candidates) {
      if (removed.has(String(candidate['id']))) continue;
      // Too young for any of its limits: an interface that is kept for longer than others.
      if (!isOld(candidate, cutoffs)) continue;
      const correlation = String(candidate['correlation_id'] ?? candidate['id']);
      const decision =
        decisions.get(correlation) ?? decide(database, correlation, candidate, cutoffs);
      decisions.set(correlation, decision);
      if (decision.verdict === 'stays') step.kept += 1;
      else if (request.isDryRun === true) {
        step.removed += 1;
        step.bytes += Number(candidate['bytes'] ?? 0);
      } else if (decision.verdict === 'dead-queue') {
        for (const { id } of decision.members) dead.add(String(id));
      } else {
        // In pieces where it is a large one: the rest of it is old as well, and goes with the next step.
        const members = decision.members.slice(0, request.limit);
        for (const member of members) {
          step.removed += 1;
          step.bytes += Number(member['bytes'] ?? 0);
          remove(database, member);
          removed.add(String(member['id']));
        }
        const isWhole = members.length === decision.members.length;
        if (!isWhole || step.bytes >= maxStepBytes || removed.size >= request.limit) {
          next = (numberOf(candidate) ?? 0) - (isWhole ? 0 : 1);
          return;
        }
      }
    }
  };
  if (request.isDryRun === true) work();
  else database.beyondLimit(() => database.transactUnflushed(work));
  onRemoved([...removed]);
  return { ...step, dead: [...dead], ...(next === undefined ? {} : { next }) };
}

/** Gives pages back to the disk, at most so many bytes; how many it were. */
export function giveBack(database: Database, bytes: number): number {
  const before = readPages(database);
  const pages = Math.min(Math.ceil(bytes / before.pageBytes), before.free);
  if (!before.canGiveBack || pages === 0) return 0;
  database.transactUnflushed(() => database.execute(`PRAGMA incremental_vacuum(${pages})`));
  return (before.all - readPages(database).all) * before.pageBytes;
}

export function readStorage(database: Database): StorageFigures {
  const { all, free, pageBytes, canGiveBack } = readPages(database);
  const oldest = numberOf(database.get('SELECT min(number) AS number FROM message'));
  const pruned = database.get('SELECT messages, events, bytes FROM pruned');
  return {
    fileBytes: all * pageBytes,
    freeBytes: free * pageBytes,
    canGiveBack,
    ...(oldest === undefined ? {} : { oldestAt: receivedAtOf(oldest) }),
    pruned: {
      messages: Number(pruned?.['messages'] ?? 0),
      events: Number(pruned?.['events'] ?? 0),
      bytes: Number(pruned?.['bytes'] ?? 0),
    },
  };
}

function readPages(database: Database) {
  const read = (name: string): number => Number(database.get(`PRAGMA ${name}`)?.[name] ?? 0);
  return {
    all: read('page_count'),
    free: read('freelist_count'),
    pageBytes: read('page_size'),
    /** 2: incremental. */
    canGiveBack: read('auto_vacuum') === 2,
  };
}

function readCutoffs(
  database: Database,
  limits: readonly RetentionLimit[],
): ReadonlyMap<number, Cutoffs> {
  const byName = new Map(limits.map((limit) => [limit.interface, limit]));
  const rows = database.all('SELECT number, name FROM interface');
  return new Map(
    rows.map(({ number, name }) => {
      const limit = byName.get(String(name)) ?? byName.get(undefined);
      const toNumber = (instant: string | undefined): number =>
        instant === undefined ? 0 : firstNumberOf(instant);
      return [
        Number(number),
        { ended: toNumber(limit?.before), dead: toNumber(limit?.deadBefore) },
      ];
    }),
  );
}

function isOld(row: Row, cutoffs: ReadonlyMap<number, Cutoffs>): boolean {
  const { ended = 0, dead = 0 } = cutoffs.get(Number(row['interface'])) ?? {};
  return Number(row['number']) < (Number(row['state']) === deadState ? dead : ended);
}

/** Everything of the correlation must be old and ended, or all of it stays. */
function decide(
  database: Database,
  correlation: string,
  candidate: Row,
  cutoffs: ReadonlyMap<number, Cutoffs>,
): Decision {
  const members = database.all(
    `SELECT ${columns} FROM message WHERE correlation_id = ? AND correlation_id <> id`,
    correlation,
  );
  const first = database.get(`SELECT ${columns} FROM message WHERE id = ?`, correlation);
  if (first !== undefined) members.push(first);
  // One that only events have made belongs to nothing.
  if (members.length === 0) members.push(candidate);
  let verdict: Verdict = 'goes';
  for (const member of members) {
    if (!isOld(member, cutoffs) || !endedStates.has(Number(member['state']))) {
      return { verdict: 'stays', members: [] };
    }
    const number = numberOf(member) ?? 0;
    const waits =
      database.get('SELECT 1 FROM waiting WHERE message = ? LIMIT 1', number) ??
      database.get('SELECT 1 FROM parked WHERE message = ? LIMIT 1', number);
    if (waits !== undefined) return { verdict: 'stays', members: [] };
    const where = isReferred(database, member);
    if (where === 'queue') return { verdict: 'stays', members: [] };
    if (where === 'dead-queue') verdict = 'dead-queue';
  }
  return { verdict, members };
}

/** Whether a queue has the message, or has its body: a row that came later has a copy of its own. */
function isReferred(database: Database, { id, content }: Row): 'queue' | 'dead-queue' | undefined {
  const rows = database.all(
    `SELECT queue.dead_of IS NOT NULL AS is_dead FROM queued JOIN queue ON queue.number = queued.queue
       WHERE content = ? AND owned = 0
     UNION ALL
     SELECT queue.dead_of IS NOT NULL FROM queue CROSS JOIN queued
       ON queued.queue = queue.number AND queued.id = ?`,
    content == null ? null : Number(content),
    String(id),
  );
  if (rows.length === 0) return undefined;
  return rows.every((row) => Number(row['is_dead']) === 1) ? 'dead-queue' : 'queue';
}

function remove(database: Database, row: Row): void {
  const number = numberOf(row) ?? 0;
  const { content, bytes } = row;
  database.run(
    `UPDATE pruned SET messages = messages + 1, bytes = bytes + ?,
       events = events + (SELECT coalesce(sum(json_array_length(events)), 0) FROM event WHERE message = ?)`,
    Number(bytes ?? 0),
    number,
  );
  database.run('DELETE FROM event WHERE message = ?', number);
  database.run('DELETE FROM payload_change WHERE message = ?', number);
  if (content !== null) database.run('DELETE FROM content WHERE number = ?', Number(content));
  database.run('DELETE FROM message WHERE number = ?', number);
}

function numberOf(row: Row | undefined): number | undefined {
  const number = row?.['number'];
  return number == null ? undefined : Number(number);
}
