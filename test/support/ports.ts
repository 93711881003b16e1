import { createServer } from 'node:net';

// Below the range that Linux hands out for outgoing connections, so that a port found free stays free
// until the program that it is meant for listens there.
const lowest = 20_000;
const highest = 32_000;

/** Finds `count` different ports on loopback that nobody listens on. */
export async function findFreePorts(count: number): Promise<readonly number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
