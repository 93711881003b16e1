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
}

type Arrived = Extract<LedgerEntry, { readonly type: 'message' }>;

const rememberedMessages = 20_000;

/** The messages' rows: read once, changed in memory, written once a transaction. */
export class KnownMessages {
  readonly #database: Database;
  readonly #known = new Map<string, Known>();
  readonly #dirty = new Set<Known>();
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
    this.#dirty.clear();
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
    const known = this.#read(id) ?? this.#begin(id);
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
    this.change(known);
  }

  /** It is written by the next `flush`. */
  change(known: Known): void {
    this.#dirty.add(known);
  }

  /** They are no more in the file. */
  forget(ids: Iterable<string>): void {
    for (const id of ids) this.#known.delete(id);
  }

  /** Writes what has changed since the last call. */
  flush(): void {
    for (const known of this.#dirty) this.#write(known);
    this.#dirty.clear();
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
    };
  }

  #read(id: string): Known | undefined {
    const row = this.#database.get(
      `SELECT message.number, interface.name AS interface, state, state_at, last_event_at, content_type
       FROM message JOIN interface ON interface.number = message.interface WHERE id = ?`,
      id,
    );
    return (
      row && {
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
      }
    );
  }

  #write(known: Known): void {
    const { arrived } = known;
    if (known.stored && arrived === undefined) {
      this.#database.run(
        'UPDATE message SET state = ?, state_at = ?, last_event_at = ? WHERE number = ?',
        known.state,
        known.stateAt,
        known.lastEventAt,
        known.number,
      );
      return;
    }
    const envelope = arrived?.envelope;
    known.stored = true;
    known.arrived = undefined;
    const state = messageStates[known.state];
    const isTaken = state !== 'refused' && state !== 'duplicate';
    // A row that only events have made is replaced by the whole one.
    this.#database.run(
      'INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
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
