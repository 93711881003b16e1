import type { Database } from './database.ts';
import { Refusal } from './database.ts';
import type { PendingRows } from './pending-rows.ts';
import { readQueues } from './queue-rows.ts';
import { QueueState } from './queue-state.ts';
import { Subscriptions } from './subscriptions.ts';
import type { UndoLog } from './undo-log.ts';

/** The queues of one file, by name and number, and what they subscribe to. */
export class QueueSet {
  readonly #database: Database;
  readonly #undo: UndoLog;
  readonly #subscriptions: Subscriptions;
  readonly #byName = new Map<string, QueueState>();
  readonly #byNumber = new Map<number, QueueState>();

  constructor(database: Database, undo: UndoLog) {
    this.#database = database;
    this.#undo = undo;
    this.#subscriptions = new Subscriptions(database);
    for (const queue of readQueues(database)) {
      this.#byName.set(queue.name, queue);
      this.#byNumber.set(queue.number, queue);
    }
  }

  [Symbol.iterator](): Iterator<QueueState> {
    return this.#byName.values();
  }

  find(number: number): QueueState | undefined {
    return this.#byNumber.get(number);
  }

  /** The dead letters of a queue. */
  deadOf({ name }: QueueState): QueueState {
    return this.require(`${name}.dead`);
  }

  /** Throws Refusal where there is none of this name. */
  require(name: string): QueueState {
    const queue = this.#byName.get(name);
    if (queue !== undefined) return queue;
    throw new Refusal({
      errorClass: 'permanent',
      code: 'queue-missing',
      message: `A queue named ${name} was expected and there is none: declare it first.`,
    });
  }

  /** The queues that are subscribed to a topic. Throws Refusal where there is none. */
  route(topic: string): readonly QueueState[] {
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

  /** Makes a queue with its dead letters and its topics, inside the caller's transaction. */
  declare(name: string, interfaceId: string, topics: readonly string[]): QueueState {
    const queue = this.#ensure(name, interfaceId, undefined);
    this.#ensure(`${name}.dead`, interfaceId, queue.number);
    this.#undo.add(() => this.#subscriptions.reload());
    this.#subscriptions.add(queue.number, topics);
    return queue;
  }

  /** Brings the memory in line with what the journal has told of the rows. */
  countRows(rows: PendingRows): void {
    for (const queue of this.#byName.values()) {
      queue.count = rows.count(queue.number);
      queue.lastPosition = Math.max(queue.lastPosition, rows.lastPosition(queue.number));
    }
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
    const state = { number, name, interface: interfaceId, deadOf, mark: 0, lastPosition: 0 };
    const queue = new QueueState(state);
    queue.atTail = true;
    this.#byName.set(name, queue);
    this.#byNumber.set(number, queue);
    this.#undo.add(() => {
      this.#byName.delete(name);
      this.#byNumber.delete(number);
    });
    return queue;
  }
}
