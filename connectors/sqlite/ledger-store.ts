import type { Batch, LedgerEntry, LedgerEvent, MessageState } from '../../core/ports/ledger.ts';
import type { Database } from './database.ts';
import { LedgerBatches } from './ledger-batches.ts';
import { checkEntry } from './ledger-entry.ts';
import { compareInstants, laterOf } from './instants.ts';
import { toEvent } from './ledger-rows.ts';
import { KnownMessages, type Known } from './known-messages.ts';
import {
  closingKinds,
  eventKinds,
  finalityOf,
  messageStates,
  rankOf,
  stateAfter,
} from './ledger-codes.ts';

/** At most so many messages of the file are behind what its events say of them. */
const maxBehind = 4_096;

/**
 * Writes messages and events, and keeps what follows from them: states, who waits where, counters.
 * Its methods run inside the caller's transaction; {@link flush} is the last of them before the commit.
 */
export class LedgerStore {
  readonly #database: Database;
  readonly #messages: KnownMessages;
  readonly #batches: LedgerBatches;
  readonly #counts = new Map<string, Map<string, Map<number, number>>>();
  readonly #dirtyCounts = new Set<string>();
  readonly #waiting = new Map<string, number>();
  /** How many rows of parked messages there are: hardly ever one. */
  #parked = 0;
  #lastEvent = 0;
  /** Something of the transaction under way is in memory. */
  #changed = false;

  constructor(database: Database) {
    this.#database = database;
    this.#messages = new KnownMessages(database);
    this.#batches = new LedgerBatches(database);
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
    return this.#messages.interfaces;
  }

  /** Where a message stands; undefined where nothing of it is known. */
  stateOf(id: string): MessageState | undefined {
    return this.#messages.stateOf(id);
  }

  /** A batch that is there already is not written again. */
  append(entries: readonly LedgerEntry[], batch?: Batch): void {
    for (const entry of entries) checkEntry(entry);
    this.#changed = true;
    if (batch !== undefined && !this.#batches.isNew(batch)) return;
    for (const entry of entries) {
      if (entry.type === 'message') this.#messages.arrive(entry);
      else this.#addEvent(entry.event);
    }
  }

  /** Writes what is new since the last call. */
  flush(): void {
    this.#messages.flush();
    this.#batches.flush();
    if (this.#messages.changed >= maxBehind) this.writeBack();
  }

  /** Whether states, waiting and counters of the file are behind what its events say. */
  get isBehind(): boolean {
    return this.#messages.changed > 0;
  }

  /** Brings them up to date, inside the caller's transaction. */
  writeBack(): void {
    this.#changed = true;
    this.#messages.flush();
    this.#messages.writeBack();
    this.#database.run('UPDATE written_back SET event = ?', this.#lastEvent);
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
    this.#messages.reload();
    this.#batches.reload();
    this.#dirtyCounts.clear();
    this.#counts.clear();
    this.#waiting.clear();
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
    this.#lastEvent = Number(database.get('SELECT max(number) AS last FROM event')?.['last'] ?? 0);
    this.#catchUp();
  }

  /** What follows from the events that nothing was written back for. */
  #catchUp(): void {
    const from = Number(this.#database.get('SELECT event FROM written_back')?.['event'] ?? 0);
    const rows = this.#database.all(
      `SELECT event.*, message.id FROM event JOIN message ON message.number = event.message
       WHERE event.number > ? ORDER BY event.number`,
      from,
    );
    for (const row of rows) {
      this.#followEvent(this.#messages.find(String(row['id'])), toEvent(row, String(row['id'])));
    }
  }

  #addEvent(event: LedgerEvent): void {
    const known = this.#messages.find(event.messageId);
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
    this.#followEvent(known, event);
    if (event.kind === 'parked' && event.queue !== undefined) {
      this.#park(known, event.queue, event);
    } else if (event.kind === 'resumed') {
      this.#database.run(
        'UPDATE parked SET stopped = 0 WHERE message = ? AND queue = coalesce(?, queue)',
        known.number,
        event.queue ?? null,
      );
    } else if (closingKinds.has(event.kind)) {
      this.#endParking(known, event.queue);
    }
  }

  /** What follows from an event in memory alone: a state, somebody's waiting, a count. */
  #followEvent(known: Known, event: LedgerEvent): void {
    this.#count(known.interface, event.queue ?? '', eventKinds.indexOf(event.kind));
    this.#follow(known, event);
    if (event.kind === 'queued' && event.queue !== undefined) {
      this.#startWaiting(known, event.queue, event.at);
    } else if (closingKinds.has(event.kind)) {
      this.#endWaiting(known, event.queue);
    }
  }

  #follow(known: Known, event: LedgerEvent): void {
    this.#messages.change(known);
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
    // Who looks for what was received must not find what was refused since.
    if (state === 'refused' && known.stored) this.#messages.writeNow(known);
  }

  #startWaiting(known: Known, queue: string, at: string): void {
    // The worker's "processed" may be written before the edge's "queued", and a flow that is retried may
    // say again that it queued what has long gone on.
    if (!known.open && this.#isClosed(known, queue)) return;
    if (known.waits.has(queue)) return;
    known.waits.set(queue, at);
    this.#waiting.set(queue, (this.#waiting.get(queue) ?? 0) + 1);
  }

  /** By its key; a message without one has nobody behind it and is alone with its own id. */
  #park(known: Known, queue: string, { at, issues = [] }: LedgerEvent): void {
    if (!known.open && this.#isClosed(known, queue)) return;
    const key =
      known.arrived?.envelope.key ??
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
    for (const name of queue === undefined ? [...known.waits.keys()] : [queue]) {
      if (!known.waits.delete(name)) continue;
      this.#waiting.set(name, (this.#waiting.get(name) ?? 1) - 1);
    }
  }

  #endParking(known: Known, queue: string | undefined): void {
    if (this.#parked === 0) return;
    this.#parked -= this.#database.run(
      'DELETE FROM parked WHERE message = ? AND queue = coalesce(?, queue)',
      known.number,
      queue ?? null,
    );
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
