import { Heap } from './heap.ts';
import type { DeliveryParcel, Parcel } from './protocol.ts';

/** A client as the queues see it: where deliveries go. */
export interface Receiver {
  deliver(parcel: DeliveryParcel): void;
  /** False while it reads more slowly than it is sent to: bodies would pile up in memory. */
  readonly canTake: boolean;
}

export interface QueueConsumer {
  /** The client's own number for it. */
  readonly id: number;
  readonly receiver: Receiver;
  readonly queue: QueueState;
  readonly window: number;
  /** What it holds unsettled. */
  readonly leases: Set<Lease>;
}

/** One row in the hands of a consumer. Kept in memory only: it ends with the owner. */
export interface Lease {
  readonly id: number;
  readonly position: number;
  readonly consumer: QueueConsumer;
}

/** A row that waits to be delivered. */
export interface WaitingRow {
  readonly position: number;
  readonly parcel: Parcel;
}

/** A row that was delivered before and is to be delivered again, read when its turn comes. */
export interface ReturnedRow {
  readonly position: number;
  /** A consumer went away with it; false where it was retried. */
  readonly givenBack: boolean;
}

const bufferedRows = 512;
const bufferedBytes = 1024 * 1024;

/**
 * What the owner knows of one queue without asking the file: how much it holds, who consumes it, and
 * where in it the next delivery stands. Rows up to `cursor` are settled, leased, returned or waiting for a
 * retry; those behind it are in `buffer`, or still to be read.
 */
export class QueueState {
  readonly number: number;
  readonly name: string;
  readonly deadOf: number | undefined;
  /** What stands at or before it may have been delivered by an owner before this one. */
  readonly markAtOpen: number;
  interface: string;
  /** One consumer at a time. Until it is declared nobody consumes it. */
  isOrdered = false;

  /** Nothing behind it is delivered before a transaction has moved it: it is how a crash is survived. */
  mark: number;
  lastPosition: number;
  cursor = 0;
  count = 0;
  leased = 0;
  /** The position that a delivery waits for `mark` to reach. */
  blockedAt: number | undefined;

  readonly returned = new Heap<ReturnedRow>((row) => row.position);
  readonly consumers: QueueConsumer[] = [];
  #turn = 0;

  #buffer: WaitingRow[] = [];
  #bufferHead = 0;
  #bufferBytes = 0;
  /** The last position that went through the buffer. */
  loaded = 0;
  /** Every row behind `loaded` is in the buffer: new ones need not be read. */
  atTail = false;

  constructor(options: {
    readonly number: number;
    readonly name: string;
    readonly interface: string;
    readonly deadOf: number | undefined;
    readonly mark: number;
    readonly lastPosition: number;
  }) {
    this.number = options.number;
    this.name = options.name;
    this.interface = options.interface;
    this.deadOf = options.deadOf;
    this.mark = options.mark;
    this.markAtOpen = options.mark;
    this.lastPosition = Math.max(options.lastPosition, options.mark);
  }

  get buffered(): number {
    return this.#buffer.length - this.#bufferHead;
  }

  /** Takes a row that was just committed; beyond a bound it is read when its turn comes. */
  offer(row: WaitingRow): void {
    if (!this.atTail) return;
    if (this.buffered < bufferedRows && this.#bufferBytes < bufferedBytes) this.buffer(row);
    else this.atTail = false;
  }

  /** Takes a row that was read. */
  buffer(row: WaitingRow): void {
    this.#buffer.push(row);
    this.#bufferBytes += row.parcel[3].length;
    this.loaded = row.position;
  }

  peekBuffer(): WaitingRow | undefined {
    return this.#buffer[this.#bufferHead];
  }

  shiftBuffer(): void {
    const row = this.peekBuffer();
    if (row === undefined) return;
    this.#bufferBytes -= row.parcel[3].length;
    this.cursor = row.position;
    this.#bufferHead += 1;
    if (this.#bufferHead === this.#buffer.length) {
      this.#buffer = [];
      this.#bufferHead = 0;
    }
  }

  /** The next consumer in turn that may take one more; of an ordered queue only the first, and alone. */
  nextConsumer(): QueueConsumer | undefined {
    if (this.isOrdered) {
      const [first] = this.consumers;
      return first?.leases.size === this.leased && hasRoom(first) ? first : undefined;
    }
    for (const last = this.#turn + this.consumers.length; this.#turn < last;) {
      this.#turn += 1;
      const consumer = this.consumers[this.#turn % this.consumers.length];
      if (consumer !== undefined && hasRoom(consumer)) return consumer;
    }
    return undefined;
  }

  removeConsumer(consumer: QueueConsumer): void {
    const at = this.consumers.indexOf(consumer);
    if (at >= 0) this.consumers.splice(at, 1);
  }
}

function hasRoom({ leases, window, receiver }: QueueConsumer): boolean {
  return leases.size < window && receiver.canTake;
}
