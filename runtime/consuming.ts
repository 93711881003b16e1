import type { Broker, ConsumeOptions, Consumer, Delivery } from '../core/ports/broker.ts';
import type { Logger } from '../core/ports/logger.ts';
import { backoffMs } from './retry-policy.ts';

/** A consumer that is established as soon as that is possible. */
export interface Consuming {
  /** Takes no more until `resume`; what was taken is dealt with. Idempotent, and in the order of the calls. */
  pause(): void;
  resume(): void;
  /** See {@link Consumer.announce}; not while it is paused. Never rejects: it is asked again. */
  announce(keys: readonly string[]): Promise<void>;
  /** No more deliveries after this resolves. Idempotent. */
  stop(): Promise<void>;
  /** Resolves when every delivery that was handed out so far has been dealt with. */
  idle(): Promise<void>;
}

/**
 * Consumes a queue until stopped. The broker being away at the start only delays it; once consuming, the
 * broker's own recovery keeps it going.
 */
export function startConsuming(
  broker: Broker,
  queue: string,
  options: ConsumeOptions & {
    readonly logger: Logger;
    /** Before the first delivery, and not before the queue may be consumed. */
    readonly prepare?: () => Promise<void>;
    readonly isPaused?: boolean;
    /** Resolves when the delivery is dealt with; must not reject. */
    readonly onDelivery: (delivery: Delivery) => Promise<void>;
    readonly onState?: (state: 'connected' | 'disconnected') => void;
  },
): Consuming {
  const stopping = new AbortController();
  const underway = new Set<Promise<void>>();
  const handle = (delivery: Delivery): void => {
    const work = options.onDelivery(delivery).finally(() => underway.delete(work));
    underway.add(work);
  };
  const isStopping = (): boolean => stopping.signal.aborted;
  let isPaused = options.isPaused ?? false;
  const mayBegin = Promise.withResolvers<undefined>();
  if (!isPaused) mayBegin.resolve(undefined);
  const begin = async (): Promise<Consumer | undefined> => {
    await mayBegin.promise;
    if (!isStopping()) await options.prepare?.();
    for (let attempt = 1; !isStopping(); attempt += 1) {
      try {
        const consumer = await broker.consume(queue, options, handle);
        options.onState?.('connected');
        return consumer;
      } catch (error) {
        options.onState?.('disconnected');
        options.logger.warn({ queue, err: error }, 'The queue cannot be consumed yet.');
        await pause(backoffMs(attempt), stopping.signal);
      }
    }
    return undefined;
  };
  const beginning = begin();
  let changing: Promise<void> = Promise.resolve();
  const change = (): void => {
    changing = changing.then(async () => {
      const consumer = await beginning;
      // Whoever changes their mind meanwhile is heard: what counts is what is wanted by now.
      const verb = isPaused ? 'pause' : 'resume';
      await consumer?.[verb]().catch((error: unknown) => {
        options.logger.warn({ queue, verb, err: error }, 'The queue could not be told.');
      });
    });
  };
  return {
    pause: () => {
      isPaused = true;
      change();
    },
    resume: () => {
      isPaused = false;
      mayBegin.resolve(undefined);
      change();
    },
    announce: async (keys) => {
      if (isPaused) return;
      await (await beginning)?.announce(keys).catch((error: unknown) => {
        options.logger.warn(
          { queue, err: error },
          'Who holds the lanes of a queue cannot be told.',
        );
      });
    },
    stop: async () => {
      stopping.abort();
      mayBegin.resolve(undefined);
      await (await beginning)?.stop();
    },
    idle: async () => {
      await Promise.all(underway);
    },
  };
}

/** Waits for what never rejects, or less long when the signal says so. */
export function settledOr(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      signal.removeEventListener('abort', finish);
      resolve();
    };
    void work.then(finish);
    if (signal.aborted) finish();
    else signal.addEventListener('abort', finish);
  });
}

/** Waits, or less long when the signal says so. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    if (signal.aborted) finish();
    else signal.addEventListener('abort', finish);
  });
}
