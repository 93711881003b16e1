import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { buildError } from '../../core/errors.ts';
import type { HilumError } from '../../core/errors.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Accept, Source } from '../../core/ports/source.ts';
import { serveConnection } from './server-connection.ts';
import type { ConnectionLimits, MllpCounts, ServerConnection } from './server-connection.ts';

/** An MLLP listener. Times in milliseconds, sizes in bytes. */
export interface MllpSourceOptions {
  readonly host: string;
  /** 0: the system chooses one. */
  readonly port: number;
  /** Called for up to `maxInFlight` messages of a connection at a time, in their order. */
  readonly accept: Accept;
  readonly logger: Logger;
  readonly maxFrameBytes: number;
  /** A connection with nothing to answer and nothing coming is closed after it; 0: never. */
  readonly idleTimeoutMs: number;
  /** For the first byte after connecting. Default: as `idleTimeoutMs`. */
  readonly firstByteTimeoutMs?: number;
  /** For a frame to be finished, longer for large ones that keep coming. Default 30 s. */
  readonly frameTimeoutMs?: number;
  /** For bytes outside any frame to be followed by one. Default 5 s. */
  readonly garbageTimeoutMs?: number;
  /** Default 8192. */
  readonly maxGarbageBytes?: number;
  /** Unanswered messages of one connection before it is read no further. Default 32; 1: strictly one by one. */
  readonly maxInFlight?: number;
  /** More are turned away. Default 2000. */
  readonly maxConnections?: number;
}

export interface MllpSource extends Source {
  /** What has been counted since it was made; `connections` is how many are open. */
  counts(): Readonly<MllpCounts>;
}

/**
 * Listens for MLLP. Every message goes to `accept` in the order of arrival, and its answer goes back in
 * that order; `accept` may be called again before the one before has resolved, up to `maxInFlight`. A
 * rejection closes the connection after the answers before it. Logs ids and sizes, never content.
 */
export function createMllpSource(options: MllpSourceOptions): MllpSource {
  const { logger } = options;
  const limits = toLimits(options);
  const connections = new Set<ServerConnection>();
  const counts: MllpCounts = {
    connections: 0,
    connectionsTotal: 0,
    messages: 0,
    answers: 0,
    faults: 0,
  };
  let server: Server | undefined;
  let sweeper: NodeJS.Timeout | undefined;
  let stopping: Promise<void> | undefined;

  function serve(socket: Socket): void {
    counts.connectionsTotal += 1;
    counts.connections += 1;
    const remote = `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
    const id = `${socket.localPort ?? 0}-${counts.connectionsTotal}`;
    logger.debug({ connection: id, remote }, 'An MLLP connection was opened');
    const connection = serveConnection(socket, {
      id,
      remote,
      limits,
      accept: options.accept,
      logger,
      counts,
      onClose: () => {
        counts.connections -= 1;
        connections.delete(connection);
      },
    });
    connections.add(connection);
  }

  async function drain(listening: Server, drainMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => listening.close(() => resolve()));
    for (const connection of connections) connection.finish('the listener stops');
    const patience = setTimeout(() => {
      for (const connection of connections) connection.destroy();
    }, drainMs);
    await closed;
    clearTimeout(patience);
    clearInterval(sweeper);
  }

  return {
    start() {
      const listening = createServer({ allowHalfOpen: true }, serve);
      listening.maxConnections = options.maxConnections ?? 2000;
      listening.on('drop', (dropped) => {
        const remote = `${dropped?.remoteAddress ?? 'unknown'}:${dropped?.remotePort ?? 0}`;
        logger.warn({ remote }, 'An MLLP connection was turned away: maxConnections are open');
      });
      const shortestMs = Math.min(...Object.values(toTimeouts(limits)));
      sweeper = setInterval(
        () => {
          const now = performance.now();
          for (const connection of connections) connection.sweep(now);
        },
        Math.min(1000, Math.max(10, shortestMs / 4)),
      );
      sweeper.unref();
      return new Promise((resolve, reject) => {
        listening.once('error', (error) => {
          clearInterval(sweeper);
          reject(toListenError(error, options));
        });
        listening.listen(options.port, options.host, () => {
          listening.removeAllListeners('error');
          listening.on('error', (error) => {
            logger.error({ error: error.message }, 'An MLLP listener reported an error');
          });
          server = listening;
          resolve();
        });
      });
    },
    stop({ drainMs }) {
      if (server === undefined) return Promise.resolve();
      stopping ??= drain(server, drainMs);
      return stopping;
    },
    get address() {
      const address = server?.address() as AddressInfo | null | undefined;
      return address ? { host: address.address, port: address.port } : undefined;
    },
    counts: () => ({ ...counts }),
  };
}

function toLimits(options: MllpSourceOptions): ConnectionLimits {
  const idleTimeoutMs = options.idleTimeoutMs === 0 ? Infinity : options.idleTimeoutMs;
  return {
    maxFrameBytes: options.maxFrameBytes,
    maxGarbageBytes: options.maxGarbageBytes ?? 8192,
    maxInFlight: options.maxInFlight ?? 32,
    idleTimeoutMs,
    firstByteTimeoutMs: options.firstByteTimeoutMs ?? idleTimeoutMs,
    frameTimeoutMs: options.frameTimeoutMs ?? 30_000,
    garbageTimeoutMs: options.garbageTimeoutMs ?? 5_000,
  };
}

function toTimeouts(limits: ConnectionLimits): Record<string, number> {
  const { idleTimeoutMs, firstByteTimeoutMs, frameTimeoutMs, garbageTimeoutMs } = limits;
  return { idleTimeoutMs, firstByteTimeoutMs, frameTimeoutMs, garbageTimeoutMs };
}

function toListenError(error: NodeJS.ErrnoException, options: MllpSourceOptions): HilumError {
  const where = `${options.host}:${options.port}`;
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${options.port} is taken by another program; stop that one or choose another port.`,
    EACCES: `Ports below 1024 need a privilege that this process does not have; choose a higher one.`,
    EADDRNOTAVAIL: `This machine has no address ${options.host}; choose one of its own, or 0.0.0.0 for all.`,
  };
  const reason = reasons[error.code ?? ''] ?? error.message;
  return buildError(
    'transient',
    'listen-failed',
    `Cannot listen for MLLP on ${where}: ${reason}`,
    error,
  );
}
