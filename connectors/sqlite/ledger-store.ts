import type { Envelope } from '../../core/envelope.ts';
import type { LedgerEntry, LedgerEvent, MessageState } from '../../core/ports/ledger.ts';
import type { Database } from './database.ts';
import { checkEntry } from './ledger-entry.ts';
import { compareInstants, laterOf } from './instants.ts';
import {
  closingKinds,
  eventKinds,
  finalityOf,
  messageStates,
  rankOf,
  stateAfter,
} from './ledger-codes.ts';

/** A message as the ledger remembers it while events of it keep coming. */
interface Known {
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
  arrived: Envelope | undefined;
}

const rememberedMessages = 20_000;

/**
 * Writes messages and events, and keeps what follows from them: states, who waits where, counters.
 * Its methods run inside the caller's transaction; {@link flush} is the last of them before the commit.
 */
export class LedgerStore {
  readonly #database: Database;
  readonly #known = new Map<string, Known>();
  readonly #dirty = new Set<Known>();
  readonly #interfaces = new Map<string, number>();
  readonly #counts = new Map<string, Map<string, Map<number, number>>>();
  readonly #dirtyCounts = new Set<string>();
  readonly #waiting = new Map<string, number>();
  #lastMessage = 0;
  /** How many rows of parked messages there are: hardly ever one. */
  #parked = 0;
  #lastEvent = 0;
  /** Something of the transaction under way is in memory. */
  #changed = false;

  constructor(database: Database) {
    this.#database = database;
    this.#reload();
  }

  /** How many wait in each queue that any message ever waited in since the start. */
  get waiting(): ReadonlyMap<string, number> {
    return this.#waiting;
  }

  /** Events by interface, queue (`''`: none) and kind. */
  get counts(): ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<number, number>>> {
    return this.#counts;
  }

  /** The interfaces' numbers by their ids. */
  get interfaces(): ReadonlyMap<string, number> {
    return this.#interfaces;
  }

  /** Where a message stands; undefined where nothing of it is known. */
  stateOf(id: string): MessageState | undefined {
    const known = this.#known.get(id);
    if (known !== undefined) return messageStates[known.state];
    const row = this.#database.get('SELECT state FROM message WHERE id = ?', id);
    return row === undefined ? undefined : messageStates[Number(row['state'])];
  }

  append(entries: readonly LedgerEntry[]): void {
    for (const entry of entries) checkEntry(entry);
    this.#changed = true;
    for (const entry of entries) {
      if (entry.type === 'message') this.#addMessage(entry.envelope);
      else this.#addEvent(entry.event);
    }
  }

  /** Writes what has changed since the last call. */
  flush(): void {
    for (const known of this.#dirty) this.#write(known);
    this.#dirty.clear();
    for (const key of this.#dirtyCounts) {
      const [interfaceId = '', queue = '', kind = ''] = key.split('\0');
      this.#database.run(
        `INSERT INTO event_count VALUES (?, ?, ?, ?)
         ON CONFLICT (interface, queue, kind) DO UPDATE SET count = excluded.count`,
        interfaceId,
        queue,
        Number(kind),
        this.#counts.get(interfaceId)?.get(queue)?.get(Number(kind)) ?? 0,
      );
    }
    this.#dirtyCounts.clear();
    if (this.#known.size > 2 * rememberedMessages) {
      const excess = this.#known.size - rememberedMessages;
      for (const id of this.#known.keys().take(excess).toArray()) this.#known.delete(id);
    }
  }

  /** The transaction is committed: memory and file agree. */
  committed(): void {
    this.#changed = false;
  }

  /** The transaction is undone: what it left in memory is forgotten. */
  rolledBack(): void {
    if (this.#changed) this.#reload();
  }

  #reload(): void {
    this.#changed = false;
    const database = this.#database;
    this.#known.clear();
    this.#dirty.clear();
    this.#dirtyCounts.clear();
    this.#interfaces.clear();
    this.#counts.clear();
    this.#waiting.clear();
    for (const row of database.all('SELECT number, name FROM interface')) {
      this.#interfaces.set(String(row['name']), Number(row['number']));
    }
    for (const row of database.all('SELECT interface, queue, kind, count FROM event_count')) {
      this.#countsOf(String(row['interface']), String(row['queue'])).set(
        Number(row['kind']),
        Number(row['count']),
      );
    }
    for (const row of database.all('SELECT queue, count(*) AS count FROM waiting GROUP BY queue')) {
      this.#waiting.set(String(row['queue']), Number(row['count']));
    }
    this.#parked = Number(database.get('SELECT count(*) AS count FROM parked')?.['count'] ?? 0);
    this.#lastMessage = Number(
      database.get('SELECT max(number) AS last FROM message')?.['last'] ?? 0,
    );
    this.#lastEvent = Number(database.get('SELECT max(number) AS last FROM event')?.['last'] ?? 0);
  }

  #addMessage(envelope: Envelope): void {
    const known = this.#find(envelope.id);
    if (known.received) return;
    known.received = true;
    known.arrived = envelope;
    known.interface = envelope.interface;
    known.lastEventAt = laterOf(known.lastEventAt, envelope.receivedAt);
    this.#dirty.add(known);
  }

  #addEvent(event: LedgerEvent): void {
    const known = this.#find(event.messageId);
    const kind = eventKinds.indexOf(event.kind);
    this.#lastEvent += 1;
    this.#database.run(
      'INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      this.#lastEvent,
      known.number,
      kind,
      event.at,
      event.queue ?? null,
      event.attempt ?? null,
      event.summary ?? null,
      event.issues === undefined ? null : JSON.stringify(event.issues),
    );
    this.#count(known.interface, event.queue ?? '', kind);
    this.#follow(known, event);
    if (event.kind === 'queued' && event.queue !== undefined) {
      this.#startWaiting(known, event.queue, event.at);
    } else if (event.kind === 'parked' && event.queue !== undefined) {
      this.#park(known, event.queue, event);
    } else if (event.kind === 'resumed') {
      this.#database.run(
        'UPDATE parked SET stopped = 0 WHERE message = ? AND queue = coalesce(?, queue)',
        known.number,
        event.queue ?? null,
      );
    } else if (closingKinds.has(event.kind)) {
      this.#endWaiting(known, event.queue);
    }
  }

  #follow(known: Known, event: LedgerEvent): void {
    this.#dirty.add(known);
    known.lastEventAt = laterOf(known.lastEventAt, event.at);
    const state = stateAfter[event.kind];
    if (state === undefined) return;
    const finality = finalityOf(state);
    const before = finalityOf(messageStates[known.state] ?? 'received');
    if (finality < before) return;
    const rank = rankOf(event.kind);
    // An end counts whatever a clock says that was set back: only what leads there goes by time.
    if (finality === 0) {
      const order = compareInstants(event.at, known.stateAt);
      if (order < 0 || (order === 0 && rank < known.stateRank)) return;
    }
    known.state = messageStates.indexOf(state);
    known.stateAt = event.at;
    known.stateRank = rank;
  }

  #startWaiting(known: Known, queue: string, at: string): void {
    // The worker's "processed" may be written before the edge's "queued", and a flow that is retried may
    // say again that it queued what has long gone on.
    if (!known.open && this.#isClosed(known, queue)) return;
    const added = this.#database.run(
      'INSERT INTO waiting VALUES (?, ?, ?) ON CONFLICT (message, queue) DO NOTHING',
      known.number,
      queue,
      at,
    );
    this.#waiting.set(queue, (this.#waiting.get(queue) ?? 0) + added);
  }

  /** By its key; a message without one has nobody behind it and is alone with its own id. */
  #park(known: Known, queue: string, { at, issues = [] }: LedgerEvent): void {
    if (!known.open && this.#isClosed(known, queue)) return;
    const key =
      known.arrived?.key ??
      this.#database.get('SELECT key FROM message WHERE number = ?', known.number)?.['key'] ??
      known.id;
    this.#parked += this.#database.run(
      'INSERT INTO parked VALUES (?, ?, ?, ?, ?, 0) ON CONFLICT (message, queue) DO NOTHING',
      this.#lastEvent,
      queue,
      String(key),
      known.number,
      at,
    );
    if (issues.length === 0) return;
    this.#database.run(
      'UPDATE parked SET stopped = 1 WHERE message = ? AND queue = ?',
      known.number,
      queue,
    );
  }

  #isClosed(known: Known, queue: string): boolean {
    const kinds = [...closingKinds].map((kind) => eventKinds.indexOf(kind)).join(', ');
    const closing = this.#database.get(
      `SELECT 1 FROM event WHERE message = ? AND kind IN (${kinds})
       AND (queue IS NULL OR queue = ?) LIMIT 1`,
      known.number,
      queue,
    );
    return closing !== undefined;
  }

  #endWaiting(known: Known, queue: string | undefined): void {
    known.open = false;
    const ended = this.#database.all(
      `DELETE FROM waiting WHERE message = ? AND queue = coalesce(?, queue) RETURNING queue`,
      known.number,
      queue ?? null,
    );
    for (const row of ended) {
      const name = String(row['queue']);
      this.#waiting.set(name, (this.#waiting.get(name) ?? 1) - 1);
    }
    if (this.#parked === 0) return;
    this.#parked -= this.#database.run(
      'DELETE FROM parked WHERE message = ? AND queue = coalesce(?, queue)',
      known.number,
      queue ?? null,
    );
  }

  #find(id: string): Known {
    const remembered = this.#known.get(id);
    if (remembered !== undefined) return remembered;
    const row = this.#database.get(
      `SELECT message.number, interface.name AS interface, state, state_at, last_event_at, content_type
       FROM message JOIN interface ON interface.number = message.interface WHERE id = ?`,
      id,
    );
    let known: Known;
    if (row === undefined) {
      this.#lastMessage += 1;
      known = {
        number: this.#lastMessage,
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
    } else {
      known = {
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
      };
    }
    this.#known.set(id, known);
    return known;
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
    known.stored = true;
    known.arrived = undefined;
    // A row that only events have made is replaced by the whole one.
    this.#database.run(
      'INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      known.number,
      known.id,
      this.#interfaceNumber(known.interface),
      known.state,
      known.stateAt,
      known.lastEventAt,
      arrived?.contentType ?? null,
      arrived?.messageType ?? null,
      arrived?.controlId ?? null,
      arrived?.key ?? null,
      arrived?.correlationId ?? null,
      arrived?.causationId ?? null,
      arrived?.receivedAt ?? null,
      arrived?.attempt ?? null,
      arrived?.charset ?? null,
      arrived?.body.length ?? null,
    );
    if (arrived !== undefined) {
      this.#database.run('INSERT INTO content VALUES (?, ?)', known.number, arrived.body);
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

  #countsOf(interfaceId: string, queue: string): Map<number, number> {
    const queues = this.#counts.get(interfaceId) ?? new Map<string, Map<number, number>>();
    this.#counts.set(interfaceId, queues);
    const kinds = queues.get(queue) ?? new Map<number, number>();
    queues.set(queue, kinds);
    return kinds;
  }

  #count(interfaceId: string, queue: string, kind: number): void {
    const kinds = this.#countsOf(interfaceId, queue);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    this.#dirtyCounts.add(`${interfaceId}\0${queue}\0${kind}`);
  }
}
