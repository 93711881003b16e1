import type { Database, Row } from './database.ts';
import type { Parcel } from './protocol.ts';
import { QueueState } from './queue-state.ts';
import type { WaitingRow } from './queue-state.ts';

/** A retry: how many attempts it has, until when it waits (ms since 1970; 0: it does not), and for how long it was to. */
export interface Delay {
  readonly attempt: number;
  readonly due: number;
  readonly delay: number;
}

const columns = 'position, id, attempt, header, body';
const rows = 'queued JOIN content ON content.number = queued.content';

export function insertRow(
  database: Database,
  queue: number,
  row: Delay & {
    readonly position: number;
    readonly id: string;
    readonly header: string;
    readonly issues: string | undefined;
    readonly content: number;
    readonly isOwned: boolean;
  },
): void {
  database.run(
    'INSERT INTO queued VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    queue,
    row.position,
    row.id,
    row.attempt,
    row.due,
    row.delay,
    row.header,
    row.issues ?? null,
    row.content,
    row.isOwned ? 1 : 0,
  );
}

/** With its bytes, unless a message of the ledger has them. */
export function deleteRow(database: Database, queue: number, position: number): void {
  database.run(
    `DELETE FROM content WHERE number =
       (SELECT content FROM queued WHERE queue = ? AND position = ? AND owned = 1)`,
    queue,
    position,
  );
  database.run('DELETE FROM queued WHERE queue = ? AND position = ?', queue, position);
}

export function setDelay(database: Database, queue: number, position: number, to: Delay): void {
  database.run(
    'UPDATE queued SET attempt = ?, due = ?, delay = ? WHERE queue = ? AND position = ?',
    to.attempt,
    to.due,
    to.delay,
    queue,
    position,
  );
}

export function hasRow(database: Database, queue: number, position: number): boolean {
  const sql = 'SELECT 1 FROM queued WHERE queue = ? AND position = ?';
  return database.get(sql, queue, position) !== undefined;
}

export function findPosition(database: Database, queue: number, id: string): number | undefined {
  const row = database.get('SELECT position FROM queued WHERE queue = ? AND id = ?', queue, id);
  return row === undefined ? undefined : Number(row['position']);
}

export function setMark(database: Database, queue: number, mark: number): void {
  database.run('UPDATE queue SET mark = ? WHERE number = ?', mark, queue);
}

export function readRow(
  database: Database,
  queue: number,
  position: number,
): WaitingRow | undefined {
  const row = database.get(
    `SELECT ${columns} FROM ${rows} WHERE queue = ? AND position = ?`,
    queue,
    position,
  );
  return row === undefined ? undefined : toWaitingRow(row);
}

/** The rows of a queue behind a position, at most `limit`, but those that wait for a retry. */
export function* readBehind(
  database: Database,
  queue: number,
  { position, limit }: { readonly position: number; readonly limit: number },
): Iterable<WaitingRow> {
  const found = database.iterate(
    `SELECT ${columns} FROM ${rows}
     WHERE queue = ? AND position > ? AND due = 0 ORDER BY position LIMIT ?`,
    queue,
    position,
    limit,
  );
  for (const row of found) yield toWaitingRow(row);
}

/** Every queue as the last owner left it, without what the journal has. */
export function readQueues(database: Database): QueueState[] {
  return database
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
}

/** The rows of the file that wait for a retry. */
export function readDelayed(
  database: Database,
): ({ readonly queue: number; readonly position: number } & Delay)[] {
  return database
    .all('SELECT queue, position, attempt, due, delay FROM queued WHERE due > 0')
    .map((row) => ({
      queue: Number(row['queue']),
      position: Number(row['position']),
      attempt: Number(row['attempt']),
      due: Number(row['due']),
      delay: Number(row['delay']),
    }));
}

function toWaitingRow(row: Row): WaitingRow {
  const body = row['body'];
  const parcel: Parcel = [
    String(row['id']),
    Number(row['attempt']),
    String(row['header']),
    body instanceof Uint8Array ? body : new Uint8Array(),
  ];
  return { position: Number(row['position']), parcel };
}
