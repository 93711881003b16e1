import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { buildError } from '../../core/errors.ts';
import type { HilumError } from '../../core/errors.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Accept, Source } from '../../core/ports/source.ts';
import type {
  CommitMode,
  ListenerLimits,
  ListenerTls,
  ProxyProtocol,
} from '../../core/interface.ts';
import { createBufferBudget, type BufferBudget } from './buffer-budget.ts';
import { createAdmission, type Admission, type Admitted } from './admission.ts';
import { formatEndpoint } from './peer-address.ts';
import { serveConnection } from './server-connection.ts';
import type { ConnectionLimits, MllpCounts, ServerConnection } from './server-connection.ts';
import { openTlsServer, type TlsServer } from './tls-server.ts';

/** An MLLP listener. Times in milliseconds, sizes in bytes. */
export interface MllpSourceOptions extends ListenerLimits {
  readonly host: string;
  /** 0: the system chooses one. */
  readonly port: number;
  /** Called for up to `maxInFlight` messages of a connection at a time, in their order. */
  readonly accept: Accept;
  readonly logger: Logger;
  readonly maxFrameBytes: number;
  /** A connection with nothing to answer and nothing coming is closed after it; 0: never. */
  readonly idleTimeoutMs: number;
  /** For a frame to be finished, longer for large ones that keep coming. Default 30 s. */
  readonly frameTimeoutMs?: number;
  /** For bytes outside any frame to be followed by one. Default 5 s. */
  readonly garbageTimeoutMs?: number;
  /** Default 8192. */
  readonly maxGarbageBytes?: number;
  /** Default: plain TCP. */
  readonly tls?: ListenerTls;
  /** Default: all. */
  readonly allowedPeers?: readonly string[];
  /** Default: no header is expected. */
  readonly proxyProtocol?: ProxyProtocol;
  /** Default: release 1, no commit blocks. */
  readonly commit?: CommitMode;
  /** What this listener's connections share with those of others. */
  readonly budget?: BufferBudget;
  /** How often to look whether a file of `tls` has changed. Default 10 s. */
  readonly reloadCheckMs?: number;
}

/** What `ListenerLimits` are where they are not set; the first byte's time is that of an idle connection. */
const usualLimits = {
  maxConnections: 2000,
  maxConnectionsPerPeer: Infinity,
  maxInFlight: 32,
  maxUnacknowledgedBytes: 64 * 1024 * 1024,
  maxBufferedBytes: 128 * 1024 * 1024,
} as const satisfies ListenerLimits;

/**
 * A peer that lost its power or its network says no goodbye: without probes its connection would count
 * against `maxConnections` for ever where no idle time is set.
 */
const keepAlive = { keepAlive: true, keepAliveInitialDelay: 60_000 } as const;

/** A handshake or a proxy's header that does not come holds a connection for this long at most. */
const longestAdmissionMs = 10_000;

export interface MllpSource extends Source {
  /** What has been counted since it was made; `connections` is how many are open. */
  counts(): Readonly<MllpCounts>;
  /**
   * Reads the certificates again for new connections; open ones go on. Rejects with HilumError
   * `tls-certificate-unreadable` and keeps those before. Done by itself when the files change.
   */
  reloadCertificates(): Promise<void>;
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
  const { maxBufferedBytes = usualLimits.maxBufferedBytes } = options;
  const budget = createBufferBudget(maxBufferedBytes, options.budget);
  const counts: MllpCounts = {
    connections: 0,
    connectionsTotal: 0,
    messages: 0,
    answers: 0,
    faults: 0,
  };
  const where = { listener: `${options.host}:${options.port}` };
  let server: Server | undefined;
  let tls: TlsServer | undefined;
  let admission: Admission | undefined;
  let sweeper: NodeJS.Timeout | undefined;
  let stopping: Promise<void> | undefined;

  function receive(socket: Socket): void {
    counts.connectionsTotal += 1;
    counts.connections += 1;
    const id = `${socket.localPort ?? 0}-${counts.connectionsTotal}`;
    socket.once('close', () => {
      counts.connections -= 1;
    });
    admission?.admit(socket, id, (admitted) => serve(id, admitted));
  }

  function serve(id: string, { socket, peer, certificate, leave }: Admitted): void {
    const remote = formatEndpoint(peer);
    logger.debug({ connection: id, remote, certificate }, 'An MLLP connection was opened');
    const connection = serveConnection(socket, {
      identity: { id, ...(certificate === undefined ? {} : { certificate }) },
      remote,
      limits,
      accept: options.accept,
      commit: options.commit,
      logger,
      counts,
      budget,
      onClose: () => {
        connections.delete(connection);
        leave();
      },
    });
    connections.add(connection);
    if (stopping !== undefined) connection.finish('the listener stops');
  }

  async function drain(listening: Server, drainMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => listening.close(() => resolve()));
    admission?.close();
    tls?.close();
    for (const connection of connections) connection.finish('the listener stops');
    const patience = setTimeout(() => {
      for (const connection of connections) connection.destroy();
    }, drainMs);
    await closed;
    clearTimeout(patience);
    clearInterval(sweeper);
  }

  async function listen(): Promise<Server> {
    const listening = createServer({ allowHalfOpen: true, ...keepAlive }, receive);
    listening.maxConnections = options.maxConnections ?? usualLimits.maxConnections;
    listening.on('drop', (dropped) => {
      const remote = formatEndpoint({
        host: dropped?.remoteAddress ?? 'unknown',
        port: dropped?.remotePort ?? 0,
      });
      logger.warn({ remote }, 'An MLLP connection was turned away: maxConnections are open');
    });
    const { idleTimeoutMs, firstByteTimeoutMs, frameTimeoutMs, garbageTimeoutMs } = limits;
    const shortestMs = Math.min(
      idleTimeoutMs,
      firstByteTimeoutMs,
      frameTimeoutMs,
      garbageTimeoutMs,
    );
    sweeper = setInterval(
      () => {
        const now = performance.now();
        for (const connection of connections) connection.sweep(now);
      },
      Math.min(1000, Math.max(10, shortestMs / 4)),
    );
    sweeper.unref();
    const { host, port } = options;
    listening.listen(port, host);
    await once(listening, 'listening');
    listening.on('error', (error) => {
      logger.error({ error: error.message }, 'An MLLP listener reported an error');
    });
    return listening;
  }

  return {
    async start() {
      const firstByteTimeoutMs = Math.min(limits.firstByteTimeoutMs, longestAdmissionMs);
      if (options.tls !== undefined) {
        const { reloadCheckMs = 10_000 } = options;
        const times = { handshakeTimeoutMs: longestAdmissionMs, reloadCheckMs };
        tls = await openTlsServer(options.tls, { logger, about: where, ...times });
      }
      const { allowedPeers, proxyProtocol } = options;
      const { maxConnectionsPerPeer = usualLimits.maxConnectionsPerPeer } = options;
      const rules = { allowedPeers, proxyProtocol, tls, maxConnectionsPerPeer };
      admission = createAdmission({ ...rules, firstByteTimeoutMs, logger });
      try {
        server = await listen();
      } catch (error) {
        clearInterval(sweeper);
        tls?.close();
        throw toListenError(error as NodeJS.ErrnoException, options);
      }
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
    async reloadCertificates() {
      await tls?.reload();
    },
  };
}

function toLimits(options: MllpSourceOptions): ConnectionLimits {
  const idleTimeoutMs = options.idleTimeoutMs === 0 ? Infinity : options.idleTimeoutMs;
  return {
    maxFrameBytes: options.maxFrameBytes,
    maxGarbageBytes: options.maxGarbageBytes ?? 8192,
    maxInFlight: options.maxInFlight ?? usualLimits.maxInFlight,
    maxUnacknowledgedBytes: options.maxUnacknowledgedBytes ?? usualLimits.maxUnacknowledgedBytes,
    idleTimeoutMs,
    firstByteTimeoutMs: options.firstByteTimeoutMs ?? idleTimeoutMs,
    frameTimeoutMs: options.frameTimeoutMs ?? 30_000,
    garbageTimeoutMs: options.garbageTimeoutMs ?? 5_000,
  };
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
