import type { QueueDepth } from '../../core/ports/broker.ts';
import type { MessageState } from '../../core/ports/ledger.ts';
import type { Contents } from './contents.ts';
import type { Database } from './database.ts';
import { Dispatcher } from './dispatcher.ts';
import type { Journal, Journaled } from './journal.ts';
import { Leases } from './leases.ts';
import { PendingRows } from './pending-rows.ts';
import type { PendingRow } from './pending-rows.ts';
import { checkParcel } from './parcel.ts';
import type { OutgoingParcel, Parcel } from './protocol.ts';
import { hasRow } from './queue-rows.ts';
import { QueueSet } from './queue-set.ts';
import type { Lease, QueueState, Receiver } from './queue-state.ts';
import type { UndoLog } from './undo-log.ts';

/** What a request changes in memory, once its transaction is committed; its value is the answer. */
export type Effect = () => unknown;

const nothing: Effect = () => undefined;

/** What one owner's queues and ledger have in common. */
export interface Stores {
  readonly database: Database;
  readonly journal: Journal;
  readonly contents: Contents;
  readonly undo: UndoLog;
}

/**
 * The queues of one file. Its methods run inside the caller's transaction; what they return changes who holds what,
 * and is called after the commit. Deliveries go out in {@link dispatch}.
 */
export class Queues {
  readonly #stores: Stores;
  readonly #set: QueueSet;
  readonly #leases: Leases;
  readonly #dispatcher: Dispatcher;
  /** Queues whose next delivery may have become possible. */
  readonly #touched = new Set<QueueState>();
  readonly rows: PendingRows;

  constructor(
    stores: Stores,
    options: {
      /** Asks for a transaction soon: a delivery waits for a mark to move. */
      readonly wake: () => void;
      /** What the ledger knows of a message. */
      readonly stateOf: (messageId: string) => MessageState | undefined;
    },
  ) {
    const { database, contents, undo } = stores;
    this.#stores = stores;
    this.#set = new QueueSet(database, undo);
    this.rows = new PendingRows(database, contents, undo);
    this.#leases = new Leases((queue) => this.#touched.add(queue));
    this.#dispatcher = new Dispatcher({
      database,
      queues: this.#set,
      rows: this.rows,
      leases: this.#leases,
      touched: this.#touched,
      ...options,
    });
  }

  /** Takes up what the last owner left: the file, and its journal in order. To be called first, and once. */
  load(journal: Iterable<Journaled>): void {
    for (const each of journal) this.#restore(each);
    this.#stores.undo.forget();
    this.#set.countRows(this.rows);
    this.#dispatcher.load();
  }

  declare(
    name: string,
    interfaceId: string,
    { topics, isOrdered }: { readonly topics: readonly string[]; readonly isOrdered: boolean },
  ): Effect {
    const queue = this.#set.declare(name, interfaceId, topics);
    return () => {
      queue.interface = interfaceId;
      queue.isOrdered = isOrdered;
    };
  }

  publish(name: string, parcel: Parcel): Effect {
    checkParcel(parcel);
    return this.#insert(this.#set.require(name), parcel);
  }

  publishEvent(topic: string, parcel: Parcel): Effect {
    checkParcel(parcel);
    const effects = this.#set.route(topic).map((queue) => this.#insert(queue, parcel));
    return () => {
      for (const effect of effects) effect();
    };
  }

  /** Settles what the receiver holds, with what it publishes beside: all or nothing of it. */
  settle(
    receiver: Receiver,
    {
      leaseId,
      outgoing,
    }: { readonly leaseId: number; readonly outgoing: readonly OutgoingParcel[] },
    how: (lease: Lease) => Effect,
  ): Effect {
    const lease = this.#leases.require(receiver, leaseId);
    if (outgoing.length === 0) return how(lease);
    // All that can be refused is found before anything is written.
    for (const [, , parcel] of outgoing) checkParcel(parcel);
    const publications = outgoing.map(
      ([kind, name, parcel]) =>
        [kind === 'queue' ? [this.#set.require(name)] : this.#set.route(name), parcel] as const,
    );
    const effects = publications.flatMap(([queues, parcel]) =>
      queues.map((queue) => this.#insert(queue, parcel)),
    );
    effects.push(how(lease));
    return () => {
      for (const effect of effects) effect();
    };
  }

  accept(lease: Lease): Effect {
    const { queue } = lease.consumer;
    const removed = this.#remove(queue, lease.position);
    return () => {
      this.#leases.release(lease);
      if (removed) queue.count -= 1;
    };
  }

  retry(lease: Lease, by: { readonly delayMs: number; readonly countAttempt: boolean }): Effect {
    const { position, consumer } = lease;
    const { queue } = consumer;
    const delayMs = Math.max(0, Math.ceil(by.delayMs));
    const dueAt = performance.now() + delayMs;
    const row = this.rows.read(queue.number, position);
    if (row !== undefined) {
      const attempt = row.parcel[1] + (by.countAttempt ? 1 : 0);
      const due = Date.now() + delayMs;
      this.rows.delay(queue.number, position, { attempt, due, delay: delayMs });
      this.#stores.journal.add(['delayed', queue.number, position, attempt, due, delayMs]);
    }
    return () => {
      if (this.#leases.release(lease)) this.#dispatcher.delay(queue, position, dueAt);
    };
  }

  deadLetter(lease: Lease, issues: string): Effect {
    const { queue } = lease.consumer;
    const dead = this.#set.deadOf(queue);
    const row = this.rows.readWhole(queue.number, lease.position);
    let replaced = false;
    if (row !== undefined) {
      // The same id may lie there already, from before it was published again: the newer reasons count.
      const former = this.rows.find(dead.number, row.id);
      replaced = former !== undefined && this.#remove(dead, former);
      dead.lastPosition += 1;
      const { row: journalRow } = this.#stores.journal;
      const place = { position: dead.lastPosition, journalRow };
      this.#add(dead, { ...row, ...place, issues, due: 0, delay: 0 });
      this.#remove(queue, lease.position);
    }
    if (dead.consumers.length > 0) this.#touched.add(dead);
    return () => {
      dead.count += (row === undefined ? 0 : 1) - (replaced ? 1 : 0);
      // It is read when somebody consumes the dead letters.
      dead.atTail = false;
      this.#leases.release(lease);
      if (row !== undefined) queue.count -= 1;
    };
  }

  /** Takes messages out of the dead-letter queues that nobody consumes. */
  discardDead(ids: readonly string[]): Effect {
    const counts = new Map<QueueState, number>();
    for (const queue of this.#set) {
      if (queue.deadOf === undefined || queue.consumers.length > 0) continue;
      for (const id of ids) {
        const position = this.rows.find(queue.number, id);
        if (position === undefined || !this.#remove(queue, position)) continue;
        counts.set(queue, (counts.get(queue) ?? 0) + 1);
      }
    }
    return () => {
      for (const [queue, count] of counts) queue.count -= count;
    };
  }

  /** It could not be settled: it is delivered again. In memory only, since the disk may be full. */
  release(receiver: Receiver, leaseId: number): Effect {
    return () => {
      const lease = this.#leases.find(receiver, leaseId);
      if (lease !== undefined) this.#leases.giveBack(lease);
    };
  }

  consume(receiver: Receiver, name: string, consumer: { id: number; window: number }): Effect {
    const queue = this.#set.require(name);
    this.#touched.add(queue);
    return () => {
      this.#leases.addConsumer({ ...consumer, receiver, queue, leases: new Set() });
    };
  }

  stop(receiver: Receiver, consumerId: number, giveBack: boolean): Effect {
    return () => {
      const consumer = this.#leases.findConsumer(receiver, consumerId);
      if (consumer !== undefined) this.#leases.stopConsumer(consumer, { giveBack });
    };
  }

  depths(): Effect {
    return () => {
      const depths: QueueDepth[] = [];
      for (const queue of this.#set) {
        if (queue.deadOf !== undefined) continue;
        depths.push({
          queue: queue.name,
          interface: queue.interface,
          ready: queue.count - queue.leased,
          unsettled: queue.leased,
          dead: this.#set.deadOf(queue).count,
        });
      }
      return depths;
    };
  }

  /** A client is gone: what it held is delivered to others, at once. */
  leave(receiver: Receiver): void {
    this.#leases.leave(receiver);
  }

  /** A client that could not take more can again. */
  resume(receiver: Receiver): void {
    for (const { queue } of this.#leases.consumersOf(receiver)) this.#touched.add(queue);
  }

  /** Whether a delivery waits for a mark: a transaction is needed. */
  get needsMarks(): boolean {
    return this.#dispatcher.needsMarks;
  }

  /** The last step of a transaction: marks what its deliveries may reach. */
  moveMarks(): Effect {
    return this.#dispatcher.moveMarks();
  }

  /**
   * Hands out what can be handed out. Outside a transaction. Returns the errors of the queues that could
   * not be read; they have lost nothing and are to be tried again.
   */
  dispatch(): readonly unknown[] {
    return this.#dispatcher.dispatch();
  }

  /** Remembers how far deliveries really went, so that the next owner need not guess. */
  close(): void {
    this.#dispatcher.close();
  }

  #insert(queue: QueueState, parcel: Parcel): Effect {
    const [id, attempt, header, body] = parcel;
    if (this.rows.find(queue.number, id) !== undefined) return nothing;
    const content = this.#stores.contents.store(id, body);
    const position = queue.lastPosition + 1;
    const { row: journalRow } = this.#stores.journal;
    const waits = { due: 0, delay: 0, issues: undefined };
    this.#add(queue, { position, id, attempt, header, content, journalRow, ...waits });
    queue.lastPosition = position;
    if (queue.consumers.length > 0) this.#touched.add(queue);
    return () => {
      queue.count += 1;
      queue.offer({ position, parcel: [id, attempt, header, content.body] });
    };
  }

  #add(queue: QueueState, row: PendingRow): void {
    this.rows.insert(queue.number, row);
    const { position, id, attempt, header, content, issues = null } = row;
    this.#stores.journal.add([
      'queued',
      queue.number,
      position,
      id,
      attempt,
      header,
      content.number,
      issues,
    ]);
  }

  #remove(queue: QueueState, position: number): boolean {
    if (!this.rows.remove(queue.number, position)) return false;
    this.#stores.journal.add(['gone', queue.number, position]);
    return true;
  }

  #restore({ row: journalRow, entry }: Journaled): void {
    if (entry[0] === 'queued') {
      const [, queue, position, id, attempt, header, number, issues] = entry;
      if (hasRow(this.#stores.database, queue, position)) {
        this.#stores.contents.keepForRow(number);
        return;
      }
      const content = this.#stores.contents.restore(number, id);
      const rest = { journalRow, issues: issues ?? undefined, due: 0, delay: 0 };
      this.rows.insert(queue, { position, id, attempt, header, content, ...rest });
    } else if (entry[0] === 'gone') {
      this.rows.remove(entry[1], entry[2]);
    } else if (entry[0] === 'delayed') {
      const [, queue, position, attempt, due, delay] = entry;
      this.rows.delay(queue, position, { attempt, due, delay });
    }
  }
}
