import type { MessageState } from '../../core/ports/ledger.ts';
import type { Database } from './database.ts';
import { Delayed } from './delayed.ts';
import type { Leases } from './leases.ts';
import type { PendingRows } from './pending-rows.ts';
import { readBehind, readDelayed, setMark } from './queue-rows.ts';
import type { QueueSet } from './queue-set.ts';
import type { QueueConsumer, QueueState, WaitingRow } from './queue-state.ts';

/** How far ahead of the deliveries a mark is set, so that few transactions move one. */
const markAhead = 1024;

/** How far one reading goes, so that a backlog of large bodies is not taken into memory. */
const loadedRows = 256;
const loadedBytes = 4 * 1024 * 1024;

interface Options {
  readonly database: Database;
  readonly queues: QueueSet;
  readonly rows: PendingRows;
  readonly leases: Leases;
  /** Queues whose next delivery may have become possible. */
  readonly touched: Set<QueueState>;
  /** Asks for a transaction soon: a delivery waits for a mark to move. */
  readonly wake: () => void;
  /** What the ledger knows of a message. */
  readonly stateOf: (messageId: string) => MessageState | undefined;
}

/** Hands out what waits in the queues, in order, as far as consumers and marks let it. */
export class Dispatcher {
  readonly #options: Options;
  readonly #delayed: Delayed;

  constructor(options: Options) {
    this.#options = options;
    this.#delayed = new Delayed(options.wake);
  }

  /** Takes up the rows that waited for a retry when the last owner ended. */
  load(): void {
    const { database, queues, rows } = this.#options;
    const [now, clock] = [performance.now(), Date.now()];
    const stored = readDelayed(database).filter(
      ({ queue, position }) => !rows.isAway(queue, position),
    );
    for (const { queue, position, due, delay } of [...stored, ...rows.waits()]) {
      const state = queues.find(queue);
      if (state === undefined) continue;
      // A clock that was set back since may not make it wait longer than it was told to.
      const waitMs = Math.min(due - clock, delay);
      this.#delayed.push(state, { position, givenBack: false }, now + waitMs);
    }
    this.#delayed.setTimer();
  }

  /** A row that is to be delivered again when it is due, on the monotonic clock. */
  delay(queue: QueueState, position: number, dueAt: number): void {
    this.#delayed.push(queue, { position, givenBack: false }, dueAt);
  }

  /** Whether a mark is in the way of deliveries that may be due. */
  get needsMarks(): boolean {
    for (const queue of this.#options.touched) if (reachOf(queue) !== undefined) return true;
    return false;
  }

  /** The last step of a transaction: marks what its deliveries may reach. Returns what follows from its commit. */
  moveMarks(): () => void {
    const moved: { readonly queue: QueueState; readonly mark: number }[] = [];
    for (const queue of this.#options.touched) {
      const reach = reachOf(queue);
      if (reach === undefined) continue;
      const mark = reach + markAhead;
      setMark(this.#options.database, queue.number, mark);
      moved.push({ queue, mark });
    }
    return () => {
      for (const { queue, mark } of moved) {
        queue.mark = mark;
        queue.blockedAt = undefined;
      }
    };
  }

  /**
   * Hands out what can be handed out. Outside a transaction. Returns the errors of the queues that could
   * not be read; they have lost nothing and are to be tried again.
   */
  dispatch(): readonly unknown[] {
    const { touched } = this.#options;
    for (const queue of this.#delayed.release()) touched.add(queue);
    const queues = [...touched];
    // Emptied first: a queue with a mark in its way is put into it again.
    touched.clear();
    const errors: unknown[] = [];
    for (const queue of queues) {
      try {
        this.#dispatchQueue(queue);
      } catch (error) {
        touched.add(queue);
        errors.push(error);
      }
    }
    this.#delayed.setTimer();
    return errors;
  }

  /** Remembers how far deliveries really went, so that the next owner need not guess. */
  close(): void {
    const { database, queues } = this.#options;
    this.#delayed.stop();
    database.transact(() => {
      for (const queue of queues) {
        if (queue.cursor === 0 || queue.cursor >= queue.mark) continue;
        setMark(database, queue.number, Math.max(queue.cursor, queue.markAtOpen));
      }
    });
  }

  #dispatchQueue(queue: QueueState): void {
    const { rows, touched, wake } = this.#options;
    for (;;) {
      const consumer = queue.nextConsumer();
      if (consumer === undefined) return;
      const returned = queue.returned.peek();
      if (returned !== undefined) {
        // Read before it is taken out: where reading fails it is still there.
        const row = rows.read(queue.number, returned.position);
        queue.returned.pop();
        if (row !== undefined) this.#deliver(consumer, row, returned.givenBack);
        continue;
      }
      while (queue.buffered === 0 && !queue.atTail) this.#fillBuffer(queue);
      const row = queue.peekBuffer();
      if (row === undefined) return;
      if (row.position > queue.mark) {
        queue.blockedAt = row.position;
        touched.add(queue);
        wake();
        return;
      }
      queue.shiftBuffer();
      this.#deliver(consumer, row, false);
    }
  }

  /** Reads on behind what was read last: in the file, and then what came since it was last written. */
  #fillBuffer(queue: QueueState): void {
    const { database, rows } = this.#options;
    let [count, bytes] = [0, 0];
    const isFilledBy = (row: WaitingRow): boolean => {
      count += 1;
      if (rows.isAway(queue.number, row.position)) queue.loaded = row.position;
      else queue.buffer(row);
      bytes += row.parcel[3].length;
      return bytes >= loadedBytes || count >= loadedRows;
    };
    if (rows.stored(queue.number) > 0) {
      const from = { position: queue.loaded, limit: loadedRows };
      for (const row of readBehind(database, queue.number, from)) if (isFilledBy(row)) return;
    }
    for (const row of rows.behind(queue.number, queue.loaded)) if (isFilledBy(row)) return;
    queue.atTail = true;
  }

  #deliver(consumer: QueueConsumer, row: WaitingRow, givenBack: boolean): void {
    const { leases, stateOf } = this.#options;
    const { queue } = consumer;
    const lease = leases.add(consumer, row);
    const redelivered = givenBack || row.position <= queue.markAtOpen;
    const state = stateOf(row.parcel[0]) ?? 'unknown';
    consumer.receiver.deliver([consumer.id, lease.id, redelivered, row.parcel, state]);
  }
}

/** From where on a queue's mark is to move; undefined where it is far enough. */
function reachOf({ cursor, blockedAt = 0, mark, lastPosition }: QueueState): number | undefined {
  const reach = Math.max(cursor, blockedAt);
  return mark >= lastPosition || mark >= reach + markAhead / 2 ? undefined : reach;
}
