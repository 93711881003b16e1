import { Heap } from './heap.ts';
import type { QueueState, ReturnedRow } from './queue-state.ts';

interface DelayedRow {
  readonly queue: QueueState;
  readonly row: ReturnedRow;
  /** On the monotonic clock: a wall clock that is set back must not hold a retry up. */
  readonly dueAt: number;
}

const longestTimerMs = 2 ** 31 - 1;

/** The rows that wait for their retry, and the one timer that the earliest of them needs. */
export class Delayed {
  readonly #rows = new Heap<DelayedRow>((row) => row.dueAt);
  readonly #wake: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(wake: () => void) {
    this.#wake = wake;
  }

  push(queue: QueueState, row: ReturnedRow, dueAt: number): void {
    this.#rows.push({ queue, row, dueAt });
  }

  /** Gives the rows that are due back to their queues, and names these. */
  release(): readonly QueueState[] {
    const now = performance.now();
    const queues: QueueState[] = [];
    for (let next = this.#rows.peek(); next !== undefined; next = this.#rows.peek()) {
      if (next.dueAt > now) break;
      this.#rows.pop();
      next.queue.returned.push(next.row);
      queues.push(next.queue);
    }
    return queues;
  }

  setTimer(): void {
    this.stop();
    const next = this.#rows.peek();
    if (next === undefined) return;
    const waitMs = Math.ceil(Math.max(0, next.dueAt - performance.now()));
    // The owner lives as long as it is served, not as long as something waits.
    this.#timer = setTimeout(this.#wake, Math.min(waitMs, longestTimerMs)).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
