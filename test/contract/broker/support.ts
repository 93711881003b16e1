import type { Envelope } from '../../../core/envelope.ts';
import { HilumError } from '../../../core/errors.ts';
import type { Broker, Consumer, Delivery, QueueDepth } from '../../../core/ports/broker.ts';
import { buildEnvelope } from '../envelope.ts';

/** For things that must happen, seconds apart on a busy machine and with a broker that reconnects. */
const deadlineMs = 25_000;
export const restartTimeoutMs = 150_000;

/** Deliveries as they arrive, for tests that take them one by one. */
export class Inbox {
  arrived = 0;
  #waiting: Delivery[] = [];
  #takers: ((delivery: Delivery) => void)[] = [];

  push(delivery: Delivery): void {
    this.arrived += 1;
    const taker = this.#takers.shift();
    if (taker === undefined) this.#waiting.push(delivery);
    else taker(delivery);
  }

  next(): Promise<Delivery> {
    const delivery = this.#waiting.shift();
    if (delivery !== undefined) return Promise.resolve(delivery);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`No delivery within ${deadlineMs} ms; ${this.arrived} before it.`));
      }, deadlineMs);
      timer.unref();
      this.#takers.push((it) => {
        clearTimeout(timer);
        resolve(it);
      });
    });
  }
}

export async function consumeInto(broker: Broker, queue: string, window = 10): Promise<Inbox> {
  const inbox = new Inbox();
  await consumeHandle(broker, queue, inbox, window);
  return inbox;
}

/** Consumes, repeating the call while the broker is not back after a restart. */
export async function consumeHandle(
  broker: Broker,
  queue: string,
  inbox: Inbox,
  window = 10,
): Promise<Consumer> {
  return untilAvailable(() =>
    broker.consume(queue, { window }, (delivery) => inbox.push(delivery)),
  );
}

export async function acceptIds(inbox: Inbox, count: number): Promise<string[]> {
  const ids: string[] = [];
  const accepting: Promise<void>[] = [];
  while (ids.length < count) {
    const delivery = await inbox.next();
    ids.push(delivery.envelope.id);
    accepting.push(delivery.accept());
  }
  await Promise.all(accepting);
  return ids;
}

/** Publishes without waiting in between, so that order is the broker's to keep. */
export async function publishMany(broker: Broker, queue: string, count: number): Promise<string[]> {
  const envelopes = Array.from({ length: count }, () => buildEnvelope());
  await Promise.all(envelopes.map((envelope) => broker.publish(queue, envelope)));
  return envelopes.map((envelope) => envelope.id);
}

/**
 * What a publisher does with `broker-unavailable`: the same id again. Resolves with how often it had to: each may have
 * left a copy.
 */
export async function publishUntilStored(
  broker: Broker,
  queue: string,
  envelope: Envelope,
): Promise<number> {
  let calls = 0;
  await untilAvailable(() => {
    calls += 1;
    return broker.publish(queue, envelope);
  });
  return calls - 1;
}

async function untilAvailable<Result>(call: () => Promise<Result>): Promise<Result> {
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const [errorClass] = codeOf(error);
      if (errorClass !== 'transient' || performance.now() > giveUpAt) throw error;
      await pause(50);
    }
  }
}

/** A broker may count late: asks until the figures are as expected, or the deadline passes. */
export async function expectDepth(
  broker: Broker,
  queue: string,
  isExpected: (depth: QueueDepth) => boolean,
): Promise<QueueDepth> {
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    const depths = await untilAvailable(() => broker.depths());
    const depth = depths.find((candidate) => candidate.queue === queue);
    if (depth !== undefined && isExpected(depth)) return depth;
    if (performance.now() > giveUpAt) {
      throw new Error(`Depth not as expected within ${deadlineMs} ms: ${JSON.stringify(depth)}`);
    }
    await pause(50);
  }
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('Expected a rejection.');
}

/** Class and code of an error, in that order. */
export function codeOf(error: unknown): [string, string] {
  if (!(error instanceof HilumError)) throw error;
  return [error.errorClass, error.issues[0]?.code ?? ''];
}
