import type { Database, Row } from './database.ts';
import { messageStates, rankOfState } from '../../core/ledger/codes.ts';
import type { Parking } from '../../core/ledger/standing.ts';
import type { Known } from './known.ts';

/** The rows of messages, and those of other tables that go with them. Writes inside the caller's transaction. */
export class MessageRows {
  readonly #database: Database;
  readonly #interfaces = new Map<string, number>();
  /** Whether any message of the file is set aside: hardly ever. */
  #hasParked = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The interfaces' numbers by their ids. */
  get interfaces(): ReadonlyMap<string, number> {
    return this.#interfaces;
  }

  reload(): void {
    this.#interfaces.clear();
    for (const row of this.#database.all('SELECT number, name FROM interface')) {
      this.#interfaces.set(String(row['name']), Number(row['number']));
    }
    this.#hasParked = this.#database.get('SELECT 1 FROM parked LIMIT 1') !== undefined;
  }

  read(id: string): Known | undefined {
    const row = this.#database.get(
      `SELECT message.number, interface.name AS interface, state, state_at, last_event_at, content_type
       FROM message JOIN interface ON interface.number = message.interface WHERE id = ?`,
      id,
    );
    if (row === undefined) return undefined;
    const number = Number(row['number']);
    const waits = this.#readWaits(number);
    return {
      number,
      id,
      interface: String(row['interface']),
      state: Number(row['state']),
      stateAt: String(row['state_at']),
      // Not kept in the file: by its state, the kind of the event that led to it is known.
      stateRank: rankOfState(Number(row['state'])),
      lastEventAt: String(row['last_event_at']),
      received: row['content_type'] !== null,
      open: false,
      arrived: undefined,
      events: [],
      changes: undefined,
      waits,
      writtenWaits: new Set(waits.keys()),
      parkings: this.#readParkings(number),
      hasNewParkings: false,
      journalRow: 0,
    };
  }

  insert(known: Known, number: number): void {
    const { arrived, state } = known;
    const header = arrived?.header;
    const name = messageStates[state];
    const isTaken = name !== 'refused' && name !== 'duplicate';
    known.number = number;
    known.arrived = undefined;
    this.#database.run(
      'INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      number,
      known.id,
      this.#interfaceNumber(known.interface),
      state,
      known.stateAt,
      known.lastEventAt,
      header?.contentType ?? null,
      header?.messageType ?? null,
      header?.controlId ?? null,
      header?.key ?? null,
      header?.correlationId ?? null,
      header?.causationId ?? null,
      header?.receivedAt ?? null,
      header?.attempt ?? null,
      header?.charset ?? null,
      arrived?.content.body.length ?? null,
      isTaken ? (arrived?.digest ?? null) : null,
      arrived?.content.number ?? null,
      header?.replyTo ?? null,
    );
  }

  update({ state, stateAt, lastEventAt, number = 0 }: Known): void {
    const sql = 'UPDATE message SET state = ?, state_at = ?, last_event_at = ? WHERE number = ?';
    this.#database.run(sql, state, stateAt, lastEventAt, number);
  }

  /** A row that only events have made becomes the whole one, in its place by time. */
  complete(known: Known, number: number): void {
    const { number: before = 0 } = known;
    this.#database.run('DELETE FROM message WHERE number = ?', before);
    this.insert(known, number);
    for (const table of ['event', 'payload_change', 'waiting', 'parked']) {
      this.#database.run(`UPDATE ${table} SET message = ? WHERE message = ?`, number, before);
    }
  }

  /** Its new events, what nodes made of its payload, where it waits, and where it is set aside. */
  writeAround(known: Known): void {
    const { number = 0, events, waits, writtenWaits } = known;
    const [first] = events;
    if (first !== undefined) {
      const packed = JSON.stringify(events);
      this.#database.run('INSERT INTO event VALUES (?, ?, ?)', number, first[0], packed);
      known.events = [];
    }
    if (known.changes !== undefined) {
      const sql = 'REPLACE INTO payload_change VALUES (?, ?)';
      this.#database.run(sql, number, known.changes);
      known.changes = undefined;
    }
    for (const queue of writtenWaits) {
      if (waits.has(queue)) continue;
      this.#database.run('DELETE FROM waiting WHERE message = ? AND queue = ?', number, queue);
      writtenWaits.delete(queue);
    }
    for (const [queue, since] of waits) {
      if (writtenWaits.has(queue)) continue;
      this.#database.run('INSERT INTO waiting VALUES (?, ?, ?)', number, queue, since);
      writtenWaits.add(queue);
    }
    if (known.hasNewParkings) this.#writeParkings(known, number);
  }

  #writeParkings(known: Known, message: number): void {
    known.hasNewParkings = false;
    this.#hasParked = true;
    this.#database.run('DELETE FROM parked WHERE message = ?', message);
    for (const [queue, { number, key, since, isStopped, held }] of known.parkings) {
      const stopped = isStopped ? 1 : 0;
      const sql = 'INSERT INTO parked VALUES (?, ?, ?, ?, ?, ?, ?)';
      this.#database.run(sql, number, queue, key, message, since, stopped, held ?? null);
    }
  }

  #readWaits(number: number): Known['waits'] {
    const sql = 'SELECT queue, since FROM waiting WHERE message = ?';
    const rows = this.#database.all(sql, number);
    return new Map(rows.map((row) => [String(row['queue']), String(row['since'])]));
  }

  #readParkings(number: number): Known['parkings'] {
    if (!this.#hasParked) return new Map();
    const rows = this.#database.all('SELECT * FROM parked WHERE message = ?', number);
    return new Map(rows.map((row) => [String(row['queue']), toParking(row)]));
  }

  #interfaceNumber(name: string): number {
    let number = this.#interfaces.get(name);
    if (number === undefined) {
      number = this.#interfaces.size + 1;
      this.#database.run('INSERT INTO interface VALUES (?, ?)', number, name);
      this.#interfaces.set(name, number);
    }
    return number;
  }
}

function toParking(row: Row): Parking {
  return {
    number: Number(row['number']),
    key: String(row['key']),
    since: String(row['since']),
    isStopped: Number(row['stopped']) === 1,
    held: typeof row['held'] === 'string' ? row['held'] : undefined,
  };
}
