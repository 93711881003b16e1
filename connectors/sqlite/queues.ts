import type { QueueDepth } from '../../core/ports/broker.ts';
import type { MessageState } from '../../core/ports/ledger.ts';
import { Refusal } from './database.ts';
import type { Database } from './database.ts';
import { Delayed } from './delayed.ts';
import { Leases } from './leases.ts';
import type { OutgoingParcel, Parcel } from './protocol.ts';
import {
  delayRow,
  deleteRow,
  fillBuffer,
  insertRow,
  moveRow,
  readDelayed,
  readLastNumber,
  readQueues,
  readRow,
  setMark,
} from './queue-rows.ts';
import { QueueState } from './queue-state.ts';
import type { Lease, QueueConsumer, Receiver, WaitingRow } from './queue-state.ts';
import { Subscriptions } from './subscriptions.ts';

/** What a request changes in memory, once its transaction is committed; its value is the answer. */
export type Effect = () => unknown;

/** How far ahead of the deliveries a mark is set, so that few transactions move one. */
const markAhead = 1024;

const nothing: Effect = () => undefined;

/**
 * The queues of one file. Its methods run inside the caller's transaction and change only the file; what
 * they return changes the memory and is called after the commit. Deliveries go out in {@link dispatch}.
 */
export class Queues {
  readonly #database: Database;
  /** Asks for a transaction soon: a delivery waits for a mark to move. */
  readonly #wake: () => void;
  /** What the ledger knows of a message. */
  readonly #stateOf: (messageId: string) => MessageState | undefined;
  readonly #byName = new Map<string, QueueState>();
  readonly #byNumber = new Map<number, QueueState>();
  readonly #leases = new Leases((queue) => this.#touched.add(queue));
  readonly #delayed: Delayed;
  readonly #subscriptions: Subscriptions;
  /** Queues whose next delivery may have become possible. */
  readonly #touched = new Set<QueueState>();
  #created: QueueState[] = [];
  #lastNumber = 0;

  constructor(
    database: Database,
    {
      wake,
      stateOf,
    }: {
      readonly wake: () => void;
      readonly stateOf: (messageId: string) => MessageState | undefined;
    },
  ) {
    this.#database = database;
    this.#wake = wake;
    this.#stateOf = stateOf;
    this.#delayed = new Delayed(wake);
    this.#subscriptions = new Subscriptions(database);
    this.#load();
  }

  declare(
    name: string,
    interfaceId: string,
    { topics, isOrdered }: { readonly topics: readonly string[]; readonly isOrdered: boolean },
  ): Effect {
    const queue = this.#ensure(name, interfaceId, undefined);
    this.#ensure(`${name}.dead`, interfaceId, queue.number);
    this.#subscriptions.add(queue.number, topics);
    return () => {
      queue.interface = interfaceId;
      queue.isOrdered = isOrdered;
    };
  }

  publish(name: string, parcel: Parcel): Effect {
    return this.#insert(this.#require(name), parcel);
  }

  publishEvent(topic: string, parcel: Parcel): Effect {
    const effects = this.#route(topic).map((queue) => this.#insert(queue, parcel));
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
    const publications = outgoing.map(
      ([kind, name, parcel]) =>
        [kind === 'queue' ? [this.#require(name)] : this.#route(name), parcel] as const,
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
    const deleted = deleteRow(this.#database, lease.number);
    return () => {
      this.#leases.release(lease);
      lease.consumer.queue.count -= deleted;
    };
  }

  retry(lease: Lease, by: { readonly delayMs: number; readonly countAttempt: boolean }): Effect {
    const delayMs = Math.max(0, Math.ceil(by.delayMs));
    const dueAt = performance.now() + delayMs;
    delayRow(this.#database, lease.number, { delayMs, attempts: by.countAttempt ? 1 : 0 });
    return () => {
      if (!this.#leases.release(lease)) return;
      const { number, position, consumer } = lease;
      this.#delayed.push(consumer.queue, { number, position, givenBack: false }, dueAt);
    };
  }

  deadLetter(lease: Lease, issues: string): Effect {
    const { queue } = lease.consumer;
    const dead = this.#require(`${queue.name}.dead`);
    dead.lastPosition += 1;
    const to = {
      queue: dead.number,
      number: this.#nextNumber(),
      position: dead.lastPosition,
    };
    const { moved, replaced } = moveRow(this.#database, lease.number, to, issues);
    if (dead.consumers.length > 0) this.#touched.add(dead);
    return () => {
      dead.count += moved - replaced;
      // The row stays in the file until somebody consumes the dead letters.
      dead.atTail = false;
      this.#leases.release(lease);
      queue.count -= moved;
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
    const queue = this.#require(name);
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
      for (const queue of this.#byName.values()) {
        if (queue.deadOf !== undefined) continue;
        depths.push({
          queue: queue.name,
          interface: queue.interface,
          ready: queue.count - queue.leased,
          unsettled: queue.leased,
          dead: this.#byName.get(`${queue.name}.dead`)?.count ?? 0,
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

  /** The last step of a transaction: marks what its deliveries may reach. */
  moveMarks(): Effect {
    const moved: { readonly queue: QueueState; readonly mark: number }[] = [];
    for (const queue of this.#touched) {
      const reach = Math.max(queue.cursor, queue.blockedAt ?? 0);
      if (queue.mark >= queue.lastPosition || queue.mark >= reach + markAhead / 2) continue;
      const mark = reach + markAhead;
      setMark(this.#database, queue.number, mark);
      moved.push({ queue, mark });
    }
    if (moved.length === 0) return nothing;
    return () => {
      for (const { queue, mark } of moved) {
        queue.mark = mark;
        queue.blockedAt = undefined;
      }
    };
  }

  /** The transaction is committed: what was declared in it stays. */
  committed(): void {
    this.#created = [];
  }

  /** The transaction is undone, and with it what was declared in it. */
  rolledBack(): void {
    for (const queue of this.#created) {
      this.#byName.delete(queue.name);
      this.#byNumber.delete(queue.number);
      this.#touched.delete(queue);
    }
    this.#created = [];
    this.#subscriptions.reload();
  }

  /**
   * Hands out what can be handed out. Outside a transaction. Returns the errors of the queues that could
   * not be read; they have lost nothing and are to be tried again.
   */
  dispatch(): readonly unknown[] {
    for (const queue of this.#delayed.release()) this.#touched.add(queue);
    const touched = [...this.#touched];
    // Emptied first: a queue with a mark in its way is put into it again.
    this.#touched.clear();
    const errors: unknown[] = [];
    for (const queue of touched) {
      try {
        this.#dispatchQueue(queue);
      } catch (error) {
        this.#touched.add(queue);
        errors.push(error);
      }
    }
    this.#delayed.setTimer();
    return errors;
  }

  /** Remembers how far deliveries really went, so that the next owner need not guess. */
  close(): void {
    this.#delayed.stop();
    this.#database.transact(() => {
      for (const queue of this.#byName.values()) {
        if (queue.cursor === 0 || queue.cursor >= queue.mark) continue;
        const mark = Math.max(queue.cursor, queue.markAtOpen);
        setMark(this.#database, queue.number, mark);
      }
    });
  }

  #require(name: string): QueueState {
    const queue = this.#byName.get(name);
    if (queue === undefined) throw queueMissing(name);
    return queue;
  }

  /** The queues that are subscribed to a topic. Throws Refusal where there is none. */
  #route(topic: string): readonly QueueState[] {
    const queues = this.#subscriptions
      .route(topic)
      .map((number) => this.#byNumber.get(number))
      .filter((queue) => queue !== undefined);
    if (queues.length > 0) return queues;
    throw new Refusal({
      errorClass: 'permanent',
      code: 'topic-without-queue',
      message: `A queue subscribed to the topic ${topic} was expected and there is none: declare a queue with this topic.`,
    });
  }

  #insert(queue: QueueState, parcel: Parcel): Effect {
    const row: WaitingRow = {
      number: this.#nextNumber(),
      position: queue.lastPosition + 1,
      parcel,
    };
    if (!insertRow(this.#database, queue.number, row)) return nothing;
    queue.lastPosition = row.position;
    if (queue.consumers.length > 0) this.#touched.add(queue);
    return () => {
      queue.count += 1;
      queue.offer(row);
    };
  }

  #dispatchQueue(queue: QueueState): void {
    for (;;) {
      const consumer = queue.nextConsumer();
      if (consumer === undefined) return;
      const returned = queue.returned.peek();
      if (returned !== undefined) {
        // Read before it is taken out: where reading fails it is still there.
        const row = readRow(this.#database, returned.number);
        queue.returned.pop();
        if (row !== undefined) this.#deliver(consumer, row, returned.givenBack);
        continue;
      }
      if (queue.buffered === 0 && !queue.atTail) fillBuffer(this.#database, queue);
      const row = queue.peekBuffer();
      if (row === undefined) return;
      if (row.position > queue.mark) {
        queue.blockedAt = row.position;
        this.#touched.add(queue);
        this.#wake();
        return;
      }
      queue.shiftBuffer();
      this.#deliver(consumer, row, false);
    }
  }

  #deliver(consumer: QueueConsumer, row: WaitingRow, givenBack: boolean): void {
    const { queue } = consumer;
    const lease = this.#leases.add(consumer, row);
    const redelivered = givenBack || row.position <= queue.markAtOpen;
    const state = this.#stateOf(row.parcel[0]) ?? 'unknown';
    consumer.receiver.deliver([consumer.id, lease.id, redelivered, row.parcel, state]);
  }

  #ensure(name: string, interfaceId: string, deadOf: number | undefined): QueueState {
    const known = this.#byName.get(name);
    if (known?.interface === interfaceId) return known;
    this.#database.run(
      `INSERT INTO queue (name, interface, dead_of) VALUES (?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET interface = excluded.interface`,
      name,
      interfaceId,
      deadOf ?? null,
    );
    if (known !== undefined) return known;
    const number = Number(
      this.#database.get('SELECT number FROM queue WHERE name = ?', name)?.['number'],
    );
    const queue = new QueueState({
      number,
      name,
      interface: interfaceId,
      deadOf,
      mark: 0,
      lastPosition: 0,
    });
    queue.atTail = true;
    this.#byName.set(name, queue);
    this.#byNumber.set(number, queue);
    this.#created.push(queue);
    return queue;
  }

  #nextNumber(): number {
    // Never SQLite's own choice: it may use a number again that an old lease still names.
    this.#lastNumber += 1;
    return this.#lastNumber;
  }

  #load(): void {
    for (const queue of readQueues(this.#database)) {
      this.#byName.set(queue.name, queue);
      this.#byNumber.set(queue.number, queue);
    }
    const now = performance.now();
    for (const { queue, waitMs, ...row } of readDelayed(this.#database)) {
      const state = this.#byNumber.get(queue);
      if (state !== undefined)
        this.#delayed.push(state, { ...row, givenBack: false }, now + waitMs);
    }
    this.#lastNumber = readLastNumber(this.#database);
    this.#delayed.setTimer();
  }
}

function queueMissing(name: string): Refusal {
  return new Refusal({
    errorClass: 'permanent',
    code: 'queue-missing',
    message: `A queue named ${name} was expected and there is none: declare it first.`,
  });
}
