import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { createConnectionPool, reconnectDelayMs } from '../../../connectors/mllp/pool.ts';
import { startPartner, says } from './partner.ts';

const never = new AbortController().signal;

/** A port where nobody listens, and may again. */
async function reservePort(): Promise<{
  readonly port: number;
  readonly listen: () => Promise<Server>;
}> {
  const first = createServer().listen(0, '127.0.0.1');
  await once(first, 'listening');
  const { port } = first.address() as AddressInfo;
  first.close();
  await once(first, 'close');
  return {
    port,
    async listen() {
      const server = createServer((socket) => void socket.on('error', () => undefined).resume());
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return server;
    },
  };
}

describe('the delay before connecting again', () => {
  it.each([
    [1, 0, 500],
    [1, 1, 1500],
    [2, 0.5, 2000],
    [4, 0.5, 8000],
    [10, 0, 15_000],
    [10_000, 1, 45_000],
  ])('after %d failures, at chance %d, is %d ms', (failures, chance, expected) => {
    expect(reconnectDelayMs(failures, () => chance)).toBe(expected);
  });
});

describe('a pool of connections', () => {
  it('whose partner is away waits before it tries again', async () => {
    const { port, listen } = await reservePort();
    const asked: number[] = [];
    const pool = createConnectionPool(
      { host: '127.0.0.1', port },
      { size: 2, delayMs: (failures) => 30 * asked.push(failures) },
    );
    await expect(pool.take(never)).rejects.toMatchObject({ errorClass: 'transient' });
    const failedAt = performance.now();
    await expect(pool.take(never)).rejects.toMatchObject({ errorClass: 'transient' });
    // A timer may be early by less than a millisecond.
    expect(performance.now() - failedAt).toBeGreaterThan(28);
    const server = await listen();
    const lease = await pool.take(never);
    expect(asked).toEqual([1, 2]);
    lease.release('destroy');
    pool.close();
    server.close();
  });

  it('whose partner is away tries for all that wait at once', async () => {
    const { port } = await reservePort();
    let attempts = 0;
    const pool = createConnectionPool(
      { host: '127.0.0.1', port },
      { size: 20, delayMs: () => 20, onConnect: () => (attempts += 1) },
    );
    await expect(pool.take(never)).rejects.toThrow();
    const waiting = Array.from({ length: 20 }, () => pool.take(never));
    const results = await Promise.allSettled(waiting);
    expect(results.map(({ status }) => status)).toEqual(results.map(() => 'rejected'));
    expect(attempts).toBe(2);
    pool.close();
  });

  it('lets all go on when the partner is back', async () => {
    const { port, listen } = await reservePort();
    const pool = createConnectionPool({ host: '127.0.0.1', port }, { size: 5, delayMs: () => 20 });
    await expect(pool.take(never)).rejects.toThrow();
    const server = await listen();
    const leases = await Promise.all(Array.from({ length: 5 }, () => pool.take(never)));
    for (const lease of leases) lease.release('destroy');
    pool.close();
    server.close();
  });

  it('stops waiting when it is told to', async () => {
    const { port } = await reservePort();
    const pool = createConnectionPool(
      { host: '127.0.0.1', port },
      { size: 5, delayMs: () => 60_000 },
    );
    await expect(pool.take(never)).rejects.toThrow();
    const ending = new AbortController();
    const waiting = [pool.take(ending.signal), pool.take(ending.signal)];
    ending.abort();
    for (const each of waiting) await expect(each).rejects.toThrow('stopped');
    pool.close();
  });

  it('closes a connection that was given back after it was closed itself', async () => {
    const partner = await startPartner(says('AA'));
    const pool = createConnectionPool({ host: '127.0.0.1', port: partner.port }, { size: 1 });
    const lease = await pool.take(never);
    const [socket] = partner.sockets;
    pool.close();
    lease.release('keep');
    await partner.gone(socket!);
    await partner.stop();
  });
});
