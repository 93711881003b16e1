import { setTimeout as wait } from 'node:timers/promises';
import { buildError } from '../../core/errors.ts';
import { openMllpConnection } from './connection.ts';
import type { ConnectOptions, MllpConnection } from './connection.ts';

/** A connection taken from the pool; give it back exactly once. */
export interface Lease {
  readonly connection: MllpConnection;
  /**
   * `keep` it for the next message, `destroy` it because it is in an unknown state, or `hand-over` it to
   * somebody who closes it.
   */
  release(end: 'keep' | 'destroy' | 'hand-over'): void;
}

/** Up to so many connections to one partner, each used for one message at a time and kept open between. */
export interface ConnectionPool {
  /**
   * Waits for a free place, then connects unless a connection is open. Rejects as `openMllpConnection`.
   * After a failure the next connection is not tried at once, and by one at a time.
   */
  take(signal: AbortSignal): Promise<Lease>;
  /** Closes what is idle now and the rest when it is given back. Idempotent. */
  close(): void;
}

interface PoolOptions {
  readonly size: number;
  /** Whether a connection is closed after each message. Default: it is kept. */
  readonly closesAfterUse?: boolean;
  /** Called before each new connection. */
  readonly onConnect?: () => void;
  /** How long to wait after so many failures in a row. Default: {@link reconnectDelayMs}. */
  readonly delayMs?: (failures: number) => number;
}

/** Partners and firewalls close idle connections at about a minute; we are first. */
const keepAliveMs = 30_000;

/**
 * Doubles from a second to half a minute, and anything from half to one and a half of that: senders whose
 * partner went away together do not come back together.
 */
export function reconnectDelayMs(failures: number, random = Math.random): number {
  return Math.min(30_000, 1000 * 2 ** Math.min(failures - 1, 16)) * (0.5 + random());
}

export function createConnectionPool(to: ConnectOptions, options: PoolOptions): ConnectionPool {
  const { size, delayMs = reconnectDelayMs } = options;
  let failures = 0;
  let notBefore = 0;
  let lastFailure: unknown;
  /** While the partner cannot be reached, one attempt after the other. */
  let line: Promise<void> = Promise.resolve();
  const idle: { readonly connection: MllpConnection; readonly expiry: NodeJS.Timeout }[] = [];
  const waiting: (() => void)[] = [];
  let free = size;
  let isClosed = false;

  async function waitForPlace(signal: AbortSignal): Promise<void> {
    if (free > 0) {
      free -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const enter = () => {
      signal.removeEventListener('abort', leave);
      resolve(undefined);
    };
    const leave = () => {
      waiting.splice(waiting.indexOf(enter), 1);
      reject(buildStopped());
    };
    waiting.push(enter);
    signal.addEventListener('abort', leave, { once: true });
    await promise;
  }

  function freePlace(): void {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }

  function takeIdle(): MllpConnection | undefined {
    for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) {
      clearTimeout(kept.expiry);
      if (kept.connection.isOpen) return kept.connection;
    }
    return undefined;
  }

  async function connect(signal: AbortSignal): Promise<MllpConnection> {
    if (failures === 0) return connectNow(signal);
    const failuresBefore = failures;
    const before = line;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    line = promise.then(() => undefined);
    try {
      await orAborted(before, signal);
      // Whoever waited learns what the one before found out.
      if (failures > failuresBefore) throw lastFailure;
      const waitMs = Math.max(0, notBefore - performance.now());
      if (failures > 0) await orAborted(wait(waitMs, undefined, { ref: false }), signal);
      if (signal.aborted || isClosed) throw buildStopped();
      // Timers may be early by a fraction of a millisecond: this attempt's time has come all the same.
      notBefore = 0;
      return await connectNow(signal);
    } finally {
      resolve(undefined);
    }
  }

  async function connectNow(signal: AbortSignal): Promise<MllpConnection> {
    options.onConnect?.();
    try {
      const connection = await openMllpConnection({ ...to, signal });
      failures = 0;
      return connection;
    } catch (error) {
      lastFailure = error;
      // Attempts that began together fail together: that is one failure.
      if (!signal.aborted && performance.now() >= notBefore) {
        failures += 1;
        notBefore = performance.now() + delayMs(failures);
      }
      throw error;
    }
  }

  function keep(connection: MllpConnection): void {
    connection.onClose = undefined;
    // What a partner says unasked, such as an application acknowledgment after CA, is no answer to what follows.
    connection.onMessage = undefined;
    const expiry = setTimeout(() => {
      idle.splice(
        idle.findIndex((each) => each.connection === connection),
        1,
      );
      connection.end();
    }, keepAliveMs);
    expiry.unref();
    idle.push({ connection, expiry });
  }

  function keepOrClose(connection: MllpConnection): void {
    if (isClosed || options.closesAfterUse === true) connection.end();
    else if (connection.isOpen) keep(connection);
  }

  return {
    async take(signal) {
      if (isClosed || signal.aborted) throw buildStopped();
      await waitForPlace(signal);
      let connection: MllpConnection;
      try {
        connection = takeIdle() ?? (await connect(signal));
      } catch (error) {
        freePlace();
        throw error;
      }
      return {
        connection,
        release(end) {
          if (end === 'destroy') connection.destroy();
          else if (end === 'keep') keepOrClose(connection);
          freePlace();
        },
      };
    },
    close() {
      isClosed = true;
      for (const { connection, expiry } of idle.splice(0)) {
        clearTimeout(expiry);
        connection.end();
      }
    },
  };
}

/** Resolves with the promise or when the signal aborts, whichever is first. */
function orAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
    void promise.then(done);
  });
}

function buildStopped() {
  return buildError('transient', 'sender-stopped', 'The sender was stopped before sending.');
}
