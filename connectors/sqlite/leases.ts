import { Refusal } from './database.ts';
import type { Lease, QueueConsumer, QueueState, Receiver, WaitingRow } from './queue-state.ts';

/** Who consumes, and what each holds unsettled. In memory only: an owner that dies gives back everything. */
export class Leases {
  readonly #byId = new Map<number, Lease>();
  readonly #consumers = new Map<Receiver, Map<number, QueueConsumer>>();
  /** Told which queue's next delivery may have become possible. */
  readonly #touch: (queue: QueueState) => void;
  #lastId = 0;

  constructor(touch: (queue: QueueState) => void) {
    this.#touch = touch;
  }

  addConsumer(consumer: QueueConsumer): void {
    const { receiver, queue, id } = consumer;
    const own = this.#consumers.get(receiver) ?? new Map<number, QueueConsumer>();
    // One that was paused comes back, and what it still holds is its own.
    const known = own.get(id) ?? consumer;
    this.#consumers.set(receiver, own.set(id, known));
    if (!queue.consumers.includes(known)) queue.consumers.push(known);
    this.#touch(queue);
  }

  /** No more for it; what it holds it keeps, or gives back with `giveBack`. */
  stopConsumer(consumer: QueueConsumer, { giveBack }: { readonly giveBack: boolean }): void {
    consumer.queue.removeConsumer(consumer);
    if (giveBack) for (const lease of [...consumer.leases]) this.giveBack(lease);
    this.#forgetIdle(consumer);
  }

  findConsumer(receiver: Receiver, id: number): QueueConsumer | undefined {
    return this.#consumers.get(receiver)?.get(id);
  }

  consumersOf(receiver: Receiver): readonly QueueConsumer[] {
    return [...(this.#consumers.get(receiver)?.values() ?? [])];
  }

  /** A client is gone: what it held is delivered to others, at once. */
  leave(receiver: Receiver): void {
    for (const consumer of this.consumersOf(receiver)) {
      this.stopConsumer(consumer, { giveBack: true });
    }
    this.#consumers.delete(receiver);
  }

  add(consumer: QueueConsumer, { position }: WaitingRow): Lease {
    this.#lastId += 1;
    const lease: Lease = { id: this.#lastId, position, consumer };
    this.#byId.set(lease.id, lease);
    consumer.leases.add(lease);
    consumer.queue.leased += 1;
    return lease;
  }

  /** Absent where it is settled, was given back, or is somebody else's. */
  find(receiver: Receiver, id: number): Lease | undefined {
    const lease = this.#byId.get(id);
    return lease?.consumer.receiver === receiver ? lease : undefined;
  }

  /** The lease that is to be settled. Throws Refusal where it is not held any more. */
  require(receiver: Receiver, id: number): Lease {
    const lease = this.find(receiver, id);
    if (lease === undefined) {
      throw new Refusal({
        errorClass: 'transient',
        code: 'broker-unavailable',
        message:
          'A delivery that is held was expected: this one was given back and is delivered again.',
      });
    }
    // Its consumer has room again once this is settled.
    this.#touch(lease.consumer.queue);
    return lease;
  }

  /** Ends it; false where it had ended before. */
  release(lease: Lease): boolean {
    if (!this.#byId.delete(lease.id)) return false;
    const { consumer } = lease;
    consumer.leases.delete(lease);
    consumer.queue.leased -= 1;
    this.#touch(consumer.queue);
    this.#forgetIdle(consumer);
    return true;
  }

  /** Ends it unsettled: it is delivered again, in its place in the queue. */
  giveBack(lease: Lease): void {
    if (!this.release(lease)) return;
    const { position, consumer } = lease;
    consumer.queue.returned.push({ position, givenBack: true });
  }

  /** A consumer that was stopped is remembered only while it holds something. */
  #forgetIdle(consumer: QueueConsumer): void {
    if (consumer.leases.size > 0 || consumer.queue.consumers.includes(consumer)) return;
    this.#consumers.get(consumer.receiver)?.delete(consumer.id);
  }
}
