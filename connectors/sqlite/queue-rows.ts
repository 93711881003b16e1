import type { Database, Row } from './database.ts';
import type { Parcel } from './protocol.ts';
import { QueueState } from './queue-state.ts';
import type { WaitingRow } from './queue-state.ts';

/** How far one reading goes, so that a backlog of large bodies is not taken into memory. */
const loadedRows = 256;
const loadedBytes = 4 * 1024 * 1024;

const columns = 'number, position, id, attempt, header, body';

/** Adds an envelope; false where the queue has its id already. */
export function insertRow(database: Database, queue: number, row: WaitingRow): boolean {
  const [id, attempt, header, body] = row.parcel;
  const inserted = database.run(
    `INSERT INTO queued (number, queue, position, id, attempt, header, body)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (queue, id) DO NOTHING`,
    row.number,
    queue,
    row.position,
    id,
    attempt,
    header,
    body,
  );
  return inserted > 0;
}

/** How many rows are gone: 0 where it was not there. */
export function deleteRow(database: Database, number: number): number {
  return database.run('DELETE FROM queued WHERE number = ?', number);
}

/** Makes a row wait for `delayMs`, so many attempts higher. */
export function delayRow(
  database: Database,
  number: number,
  by: { readonly delayMs: number; readonly attempts: number },
): void {
  database.run(
    'UPDATE queued SET attempt = attempt + ?, due = ?, delay = ? WHERE number = ?',
    by.attempts,
    Date.now() + by.delayMs,
    by.delayMs,
    number,
  );
}

/** Moves a row into a queue of dead letters; how many rows were moved, and replaced there. */
export function moveRow(
  database: Database,
  number: number,
  to: { readonly queue: number; readonly number: number; readonly position: number },
  issues: string,
): { readonly moved: number; readonly replaced: number } {
  // The same id may lie there already, from before it was published again: the newer reasons count.
  const replaced = database.run(
    'DELETE FROM queued WHERE queue = ? AND id = (SELECT id FROM queued WHERE number = ?)',
    to.queue,
    number,
  );
  const moved = database.run(
    `UPDATE queued SET number = ?, queue = ?, position = ?, due = 0, delay = 0, issues = ?
     WHERE number = ?`,
    to.number,
    to.queue,
    to.position,
    issues,
    number,
  );
  return { moved, replaced };
}

export function setMark(database: Database, queue: number, mark: number): void {
  database.run('UPDATE queue SET mark = ? WHERE number = ?', mark, queue);
}

export function readRow(database: Database, number: number): WaitingRow | undefined {
  const row = database.get(`SELECT ${columns} FROM queued WHERE number = ?`, number);
  return row === undefined ? undefined : toWaitingRow(row);
}

/** Reads on in the file, behind what was read last, into the queue's buffer. */
export function fillBuffer(database: Database, queue: QueueState): void {
  let rows = 0;
  let bytes = 0;
  for (const row of database.iterate(
    `SELECT ${columns} FROM queued
     WHERE queue = ? AND position > ? AND due = 0 ORDER BY position LIMIT ?`,
    queue.number,
    queue.loaded,
    loadedRows,
  )) {
    const waiting = toWaitingRow(row);
    queue.buffer(waiting);
    rows += 1;
    bytes += waiting.parcel[3].length;
    if (bytes >= loadedBytes) return;
  }
  queue.atTail = rows < loadedRows;
}

/** Every queue with what it holds, as the last owner left it. */
export function readQueues(database: Database): QueueState[] {
  const queues = database
    .all(
      `SELECT number, name, interface, dead_of, mark,
         (SELECT max(position) FROM queued WHERE queue = queue.number) AS last FROM queue`,
    )
    .map(
      (row) =>
        new QueueState({
          number: Number(row['number']),
          name: String(row['name']),
          interface: String(row['interface']),
          deadOf: row['dead_of'] === null ? undefined : Number(row['dead_of']),
          mark: Number(row['mark']),
          lastPosition: Number(row['last'] ?? 0),
        }),
    );
  const counts = new Map(
    database
      .all('SELECT queue, count(*) AS count FROM queued GROUP BY queue')
      .map((row) => [Number(row['queue']), Number(row['count'])]),
  );
  for (const queue of queues) queue.count = counts.get(queue.number) ?? 0;
  return queues;
}

/** The rows that wait for a retry, and for how much longer. */
export function readDelayed(database: Database): {
  readonly number: number;
  readonly queue: number;
  readonly position: number;
  readonly waitMs: number;
}[] {
  const now = Date.now();
  return database
    .all('SELECT number, queue, position, due, delay FROM queued WHERE due > 0')
    .map((row) => ({
      number: Number(row['number']),
      queue: Number(row['queue']),
      position: Number(row['position']),
      // A clock that was set back since may not make it wait longer than it was told to.
      waitMs: Math.min(Number(row['due']) - now, Number(row['delay'])),
    }));
}

/** The highest number of a row that is there. */
export function readLastNumber(database: Database): number {
  return Number(database.get('SELECT max(number) AS last FROM queued')?.['last'] ?? 0);
}

function toWaitingRow(row: Row): WaitingRow {
  const body = row['body'];
  const parcel: Parcel = [
    String(row['id']),
    Number(row['attempt']),
    String(row['header']),
    body instanceof Uint8Array ? body : new Uint8Array(),
  ];
  return { number: Number(row['number']), position: Number(row['position']), parcel };
}
