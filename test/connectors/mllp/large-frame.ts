/**
 * Takes one large frame over loopback in this process and prints what it cost, as JSON. In a process of
 * its own, so that nothing else is measured: `node --expose-gc large-frame.ts BYTES`.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createMllpSource } from '../../../connectors/mllp/server.ts';

export interface LargeFrameCost {
  readonly milliseconds: number;
  /** Growth of the process at its highest, in bytes. */
  readonly rss: number;
  readonly arrayBuffers: number;
  readonly received: number;
}

const size = Number(process.argv[2]);
let received = 0;
let rss = 0;
let arrayBuffers = 0;
const before = process.memoryUsage();
const source = createMllpSource({
  host: '127.0.0.1',
  port: 0,
  maxFrameBytes: size,
  idleTimeoutMs: 0,
  logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  accept: ({ bytes }) => {
    received = bytes.length;
    measure();
    return Promise.resolve(Buffer.from('ack'));
  },
});
await source.start();
// Warm: the first connection compiles the code.
await send(1000);
globalThis.gc?.();
rss = 0;
arrayBuffers = 0;
Object.assign(before, process.memoryUsage());
const sampler = setInterval(measure, 1);
let milliseconds = Infinity;
// The quickest of three: another process may have had the machine meanwhile.
for (let round = 0; round < 3; round += 1) {
  milliseconds = Math.min(milliseconds, await send(size));
  globalThis.gc?.();
}
clearInterval(sampler);
console.log(JSON.stringify({ milliseconds, rss, arrayBuffers, received } satisfies LargeFrameCost));
await source.stop({ drainMs: 0 });

function measure(): void {
  const now = process.memoryUsage();
  rss = Math.max(rss, now.rss - before.rss);
  arrayBuffers = Math.max(arrayBuffers, now.arrayBuffers - before.arrayBuffers);
}

/** From a process of its own, whose memory is not ours. Gives the milliseconds until it is answered. */
async function send(bytes: number): Promise<number> {
  const script = `
    const socket = require('node:net').connect(${source.address?.port ?? 0}, '127.0.0.1', () => {
      const content = Buffer.alloc(${bytes}, 'x');
      const startedAt = performance.now();
      socket.write('\\x0b'); socket.write(content); socket.write('\\x1c\\r');
      socket.once('data', () => {
        console.log(performance.now() - startedAt);
        socket.destroy();
      });
    });`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script]);
  return Number(stdout);
}

function ignore(): void {
  // Nothing is to be seen.
}
