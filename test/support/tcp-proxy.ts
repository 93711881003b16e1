import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** A loopback proxy in front of a server, to do to connections what networks do. */
export interface TcpProxy {
  readonly port: number;
  /** Connections open right now. */
  readonly connections: number;
  /** Resets every open connection. */
  cut(): void;
  /** Resets every open connection and every new one until {@link TcpProxy.restore}. */
  refuse(): void;
  /** Holds back all bytes in both directions until {@link TcpProxy.restore}; nobody is told. */
  stall(): void;
  restore(): void;
  close(): Promise<void>;
}

/** Listens on a free loopback port and passes bytes on to `target`. */
export async function openTcpProxy(target: {
  readonly host?: string;
  readonly port: number;
}): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let refusing = false;
  let stalled = false;

  const server = createServer((inner) => {
    if (refusing) {
      inner.on('error', () => undefined);
      inner.resetAndDestroy();
      return;
    }
    const outer = connect({ host: target.host ?? '127.0.0.1', port: target.port, noDelay: true });
    inner.setNoDelay(true);
    const pair = [inner, outer] as const;
    pairs.add(pair);
    for (const socket of pair) {
      // A reset is what this proxy is for; the other side learns of it by its own connection.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        inner.destroy();
        outer.destroy();
      });
    }
    pass(inner, outer);
    pass(outer, inner);
    if (stalled) for (const socket of pair) socket.pause();
  });

  const cut = (): void => {
    for (const [inner, outer] of pairs) {
      inner.resetAndDestroy();
      outer.resetAndDestroy();
    }
  };

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return pairs.size;
    },
    cut,
    refuse() {
      refusing = true;
      cut();
    },
    stall() {
      stalled = true;
      for (const pair of pairs) for (const socket of pair) socket.pause();
    },
    restore() {
      refusing = false;
      stalled = false;
      for (const pair of pairs) for (const socket of pair) socket.resume();
    },
    close() {
      return new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      });
    },
  };
}

function pass(from: Socket, to: Socket): void {
  from.on('data', (chunk) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
}
