import { buildError } from '../../core/errors.ts';
import { openMllpConnection } from './connection.ts';
import type { ConnectOptions, MllpConnection } from './connection.ts';

/** A connection taken from the pool; give it back exactly once. */
export interface Lease {
  readonly connection: MllpConnection;
  /** `keep` it for the next message, or close it because it is in an unknown state. */
  release(end: 'keep' | 'destroy'): void;
}

/** Up to so many connections to one partner, each used for one message at a time and kept open between. */
export interface ConnectionPool {
  /** Waits for a free place, then connects unless a connection is open. Rejects as `openMllpConnection`. */
  take(signal: AbortSignal): Promise<Lease>;
  /** Closes what is idle now and the rest when it is given back. Idempotent. */
  close(): void;
}

/** Partners and firewalls close idle connections at about a minute; we are first. */
const keepAliveMs = 30_000;

export function createConnectionPool(options: ConnectOptions, size: number): ConnectionPool {
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

  return {
    async take(signal) {
      if (isClosed || signal.aborted) throw buildStopped();
      await waitForPlace(signal);
      let connection: MllpConnection;
      try {
        connection = takeIdle() ?? (await openMllpConnection({ ...options, signal }));
      } catch (error) {
        freePlace();
        throw error;
      }
      return {
        connection,
        release(end) {
          if (end === 'destroy') connection.destroy();
          else if (isClosed) connection.end();
          else if (connection.isOpen) keep(connection);
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

function buildStopped() {
  return buildError('transient', 'sender-stopped', 'The sender was stopped before sending.');
}
