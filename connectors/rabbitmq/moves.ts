import type { ConsumeMessage } from 'amqplib';
import { setTimeout as pause } from 'node:timers/promises';

/** A message that belongs elsewhere; `move` resolves when it is durable there. */
export interface Move {
  readonly message: ConsumeMessage;
  readonly move: () => Promise<void>;
}

/** The session that the messages were delivered to. */
interface Owner {
  /** Whether the next may be begun; it may change across any await. */
  readonly mayBegin: () => boolean;
  readonly isOver: () => boolean;
  readonly onBegun: (message: ConsumeMessage) => void;
  /** Where it throws, the message counts as not moved. */
  readonly onMoved: (message: ConsumeMessage) => void;
  readonly onFailed: (message: ConsumeMessage, error: unknown) => void;
}

/** How long what could not be moved is held before that is tried again. */
const againMs = 1_000;

/** What of a session belongs elsewhere, in the order of the queue: moved one after the other, which keeps it. */
export class Moves {
  readonly #owner: Owner;
  readonly #waiting: Move[] = [];
  #last: Promise<void> = Promise.resolve();
  #isMoving = false;

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  /** Resolves when the move that was begun last is settled or has failed. Never rejects. */
  get settled(): Promise<void> {
    return this.#last;
  }

  add(move: Move): void {
    this.#waiting.push(move);
  }

  /** What was not begun is moved by nobody here. */
  clear(): void {
    this.#waiting.length = 0;
  }

  /** Moves what waits, as long as the owner lets the next begin. Never rejects. */
  async goOn(): Promise<void> {
    if (this.#isMoving) return;
    this.#isMoving = true;
    while (this.#owner.mayBegin()) {
      const [next] = this.#waiting;
      if (next === undefined) break;
      const moving = this.#move(next);
      this.#last = moving.then(() => undefined);
      if (await moving) this.#waiting.shift();
      else if (!this.#owner.isOver()) await pause(againMs, undefined, { ref: false });
    }
    this.#isMoving = false;
  }

  /** Whether it is where it belongs, and settled here. Never rejects. */
  async #move({ message, move }: Move): Promise<boolean> {
    this.#owner.onBegun(message);
    try {
      await move();
      this.#owner.onMoved(message);
      return true;
    } catch (error) {
      if (!this.#owner.isOver()) this.#owner.onFailed(message, error);
      return false;
    }
  }
}
