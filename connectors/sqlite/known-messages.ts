import type { LedgerEntry, MessageState } from '../../core/ports/ledger.ts';
import type { Database } from './database.ts';
import { laterOf } from './instants.ts';
import { messageStates } from './ledger-codes.ts';

/** A message as the ledger remembers it while events of it keep coming. */
export interface Known {
  readonly number: number;
  readonly id: string;
  interface: string;
  state: number;
  stateAt: string;
  stateRank: number;
  lastEventAt: string;
  /** False while only events of it are known. */
  received: boolean;
  /** Already a row of the file, perhaps an older one. */
  stored: boolean;
  /** Nothing has ended its waiting yet, for certain. */
  open: boolean;
  /** To be written at the end of the transaction. */
  arrived: Arrived | undefined;
  /** The queues that it waits in, and since when; the file may be behind. */
  readonly waits: Map<string, string>;
  /** Those of them that the file has. */
  readonly writtenWaits: Set<string>;
}

type Arrived = Extract<LedgerEntry, { readonly type: 'message' }>;

const rememberedMessages = 20_000;

/**
 * The messages' rows: read once, written when they are new, and then changed in memory. What changes (states, and
 * who waits where) follows from the events, which are in the file: it is written back now and then, most of it once
 * a message although it changes many times.
 */
export class KnownMessages {
  readonly #database: Database;
  readonly #known = new Map<string, Known>();
  readonly #new = new Set<Known>();
  readonly #changed = new Set<Known>();
  readonly #interfaces = new Map<string, number>();
  #last = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The interfaces' numbers by their ids. */
  get interfaces(): ReadonlyMap<string, number> {
    return this.#interfaces;
  }

  /** Forgets what is not in the file. */
  reload(): void {
    this.#known.clear();
    this.#new.clear();
    this.#changed.clear();
    this.#interfaces.clear();
    for (const row of this.#database.all('SELECT number, name FROM interface')) {
      this.#interfaces.set(String(row['name']), Number(row['number']));
    }
    this.#last = Number(
      this.#database.get('SELECT max(number) AS last FROM message')?.['last'] ?? 0,
    );
  }

  /** The message as it stands; a new one where the ledger has not heard of it. */
  find(id: string): Known {
    const remembered = this.#known.get(id);
    if (remembered !== undefined) return remembered;
    const found = this.#read(id);
    const known = found ?? this.#begin(id);
    if (found === undefined) this.#new.add(known);
    this.#known.set(id, known);
    return known;
  }

  /** Where a message stands; undefined where nothing of it is known. */
  stateOf(id: string): MessageState | undefined {
    const known = this.#known.get(id);
    if (known !== undefined) return messageStates[known.state];
    const row = this.#database.get('SELECT state FROM message WHERE id = ?', id);
    return row === undefined ? undefined : messageStates[Number(row['state'])];
  }

  /** A message with its bytes; once it is there, writing it again changes nothing. */
  arrive(arrived: Arrived): void {
    const { envelope } = arrived;
    const known = this.find(envelope.id);
    if (known.received) return;
    known.received = true;
    known.arrived = arrived;
    known.interface = envelope.interface;
    known.lastEventAt = laterOf(known.lastEventAt, envelope.receivedAt);
    this.#new.add(known);
  }

  /** It is written by the next `writeBack`. */
  change(known: Known): void {
    this.#changed.add(known);
  }

  /** What cannot wait for that. */
  writeNow(known: Known): void {
    this.#update(known);
  }

  /** How many the file is behind with. */
  get changed(): number {
    return this.#changed.size;
  }

  /** They are no more in the file. */
  forget(ids: Iterable<string>): void {
    for (const id of ids) this.#known.delete(id);
  }

  /** Writes what is new since the last call. */
  flush(): void {
    for (const known of this.#new) this.#insert(known);
    this.#new.clear();
  }

  /** Writes what has changed since the last call. */
  writeBack(): void {
    for (const known of this.#changed) this.#update(known);
    this.#changed.clear();
    if (this.#known.size > 2 * rememberedMessages) {
      const excess = this.#known.size - rememberedMessages;
      for (const id of this.#known.keys().take(excess).toArray()) this.#known.delete(id);
    }
  }

  #begin(id: string): Known {
    this.#last += 1;
    return {
      number: this.#last,
      id,
      interface: '',
      state: 0,
      stateAt: '',
      stateRank: 0,
      lastEventAt: '',
      received: false,
      stored: false,
      open: true,
      arrived: undefined,
      waits: new Map(),
      writtenWaits: new Set(),
    };
  }

  #read(id: string): Known | undefined {
    const row = this.#database.get(
      `SELECT message.number, interface.name AS interface, state, state_at, last_event_at, content_type
       FROM message JOIN interface ON interface.number = message.interface WHERE id = ?`,
      id,
    );
    if (row === undefined) return undefined;
    const waits = this.#readWaits(Number(row['number']));
    return {
      number: Number(row['number']),
      id,
      interface: String(row['interface']),
      state: Number(row['state']),
      stateAt: String(row['state_at']),
      // Not kept in the file: by its state, the kind of the event that led to it is known.
      stateRank: Number(row['state']) <= messageStates.indexOf('queued') ? 0 : 1,
      lastEventAt: String(row['last_event_at']),
      received: row['content_type'] !== null,
      stored: true,
      open: false,
      arrived: undefined,
      waits,
      writtenWaits: new Set(waits.keys()),
    };
  }

  #readWaits(number: number): Map<string, string> {
    return new Map(
      this.#database
        .all('SELECT queue, since FROM waiting WHERE message = ?', number)
        .map((row) => [String(row['queue']), String(row['since'])]),
    );
  }

  #update(known: Known): void {
    const { number, waits, writtenWaits } = known;
    this.#database.run(
      'UPDATE message SET state = ?, state_at = ?, last_event_at = ? WHERE number = ?',
      known.state,
      known.stateAt,
      known.lastEventAt,
      number,
    );
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
  }

  #insert(known: Known): void {
    const { arrived, stored } = known;
    const envelope = arrived?.envelope;
    known.stored = true;
    known.arrived = undefined;
    const state = messageStates[known.state];
    const isTaken = state !== 'refused' && state !== 'duplicate';
    // A row that only events have made is replaced by the whole one.
    if (stored) this.#database.run('DELETE FROM message WHERE number = ?', known.number);
    this.#database.run(
      'INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      known.number,
      known.id,
      this.#interfaceNumber(known.interface),
      known.state,
      known.stateAt,
      known.lastEventAt,
      envelope?.contentType ?? null,
      envelope?.messageType ?? null,
      envelope?.controlId ?? null,
      envelope?.key ?? null,
      envelope?.correlationId ?? null,
      envelope?.causationId ?? null,
      envelope?.receivedAt ?? null,
      envelope?.attempt ?? null,
      envelope?.charset ?? null,
      envelope?.body.length ?? null,
      isTaken ? (arrived?.digest ?? null) : null,
    );
    if (envelope !== undefined) {
      this.#database.run('INSERT INTO content VALUES (?, ?)', known.number, envelope.body);
    }
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
