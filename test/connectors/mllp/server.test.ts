import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { createMllpSource } from '../../../connectors/mllp/server.ts';
import type { MllpSource, MllpSourceOptions } from '../../../connectors/mllp/server.ts';
import type { Accept } from '../../../core/ports/source.ts';
import { describeSource } from '../../contract/source.ts';
import type { LargeFrameCost } from './large-frame.ts';
import { connectRaw, createLogRecorder } from './peer.ts';
import type { RawPeer } from './peer.ts';

const base = { host: '127.0.0.1', port: 0, maxFrameBytes: 1_000_000, idleTimeoutMs: 60_000 };

describeSource('MLLP', {
  open: (accept, port = 0) =>
    createMllpSource({ ...base, port, accept, logger: createLogRecorder() }),
  connect: connectRaw,
});

describeSource('MLLP, strictly one message after another', {
  open: (accept, port = 0) =>
    createMllpSource({ ...base, port, accept, logger: createLogRecorder(), maxInFlight: 1 }),
  connect: connectRaw,
});

describe('MLLP server', () => {
  const log = createLogRecorder();
  const peers: RawPeer[] = [];
  let source: MllpSource;
  let accepted: string[] = [];

  const acknowledge: Accept = ({ bytes }) => {
    const text = Buffer.from(bytes).toString('latin1');
    accepted.push(text);
    return Promise.resolve(Buffer.from(`ack ${text.length > 20 ? text.length : text}`, 'latin1'));
  };

  async function start(options: Partial<MllpSourceOptions> = {}): Promise<void> {
    source = createMllpSource({ ...base, accept: acknowledge, logger: log, ...options });
    await source.start();
  }

  async function connect(): Promise<RawPeer> {
    const peer = await connectRaw(source.address!);
    peers.push(peer);
    return peer;
  }

  /** A message on a new connection is still served. */
  async function expectServed(): Promise<void> {
    const peer = await connect();
    peer.send('served');
    expect(await peer.answer()).toBe('ack served');
  }

  beforeEach(() => {
    accepted = [];
    log.lines.length = 0;
  });

  afterEach(async () => {
    for (const peer of peers.splice(0)) peer.close();
    await source.stop({ drainMs: 0 });
  });

  it('reads a message that arrives byte by byte, and one cut inside a character', async () => {
    await start();
    const peer = await connect();
    for (const byte of Buffer.from('\x0bé\x1c\r')) peer.write(Uint8Array.of(byte));
    expect(await peer.answer()).toBe('ack Ã©');
  });

  it('answers ten messages of one chunk, each once', async () => {
    await start();
    const peer = await connect();
    const names = Array.from({ length: 10 }, (_, index) => `M${index}`);
    peer.write(names.map((name) => `\x0b${name}\x1c\r`).join(''));
    for (const name of names) expect(await peer.answer()).toBe(`ack ${name}`);
    expect(accepted).toEqual(names);
  });

  it('answers a message and a half, then the rest', async () => {
    await start();
    const peer = await connect();
    peer.write('\x0bM1\x1c\r\x0bM');
    expect(await peer.answer()).toBe('ack M1');
    peer.write('2\x1c\r');
    expect(await peer.answer()).toBe('ack M2');
    expect(accepted).toEqual(['M1', 'M2']);
  });

  it('does not wait for the CR behind a frame', async () => {
    await start();
    const peer = await connect();
    peer.write('\x0bM1\x1c');
    expect(await peer.answer()).toBe('ack M1');
    peer.write('\r\x0bM2\x1c');
    expect(await peer.answer()).toBe('ack M2');
  });

  it('skips garbage in front of a frame and says so once, without quoting it', async () => {
    await start();
    const peer = await connect();
    peer.write('secret');
    peer.write('words\x0bM1\x1c\r');
    expect(await peer.answer()).toBe('ack M1');
    const lines = log.lines.filter((line) => line.includes('garbage'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('"bytes":11');
    expect(log.lines.join()).not.toMatch(/secret|words/);
  });

  it('leaves a frame without an end unanswered, and serves the one behind it', async () => {
    await start();
    const peer = await connect();
    peer.write('\x0bbroken\r\x0bM2\x1c\r');
    expect(await peer.answer()).toBe('ack M2');
    expect(accepted).toEqual(['M2']);
    expect(log.lines.join()).toContain('frame-not-ended');
  });

  it('hands over an empty frame as an empty message, so that it is answered', async () => {
    await start();
    const peer = await connect();
    peer.write('\x0b\x1c\r\x0bM1\x1c\r');
    expect(await peer.answer()).toBe('ack ');
    expect(await peer.answer()).toBe('ack M1');
    expect(accepted).toEqual(['', 'M1']);
    expect(log.lines.join()).toContain('empty-frame');
  });

  it('closes a connection on which fault follows fault', async () => {
    await start();
    const peer = await connect();
    peer.write('\x0b\x1c\r'.repeat(100));
    for (let count = 0; count < 16; count++) expect(await peer.answer()).toBe('ack ');
    await peer.closed;
    expect(log.lines.join()).toContain('too many faulty frames');
    expect(log.lines.join()).not.toContain('broke');
    await expectServed();
  });

  it('closes the connection at a frame over the limit, after answering what came before', async () => {
    await start({ maxFrameBytes: 100 });
    const peer = await connect();
    peer.write(`\x0bM1\x1c\r\x0b${'x'.repeat(101)}`);
    expect(await peer.answer()).toBe('ack M1');
    await peer.closed;
    expect(log.lines.join()).toContain('frame-too-large');
    await expectServed();
  });

  it.each([
    ['an HTTP request', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'HTTP'],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'TLS'],
    ['HL7 without MLLP', 'MSH|^~\\&|A|B\rPID|1\r', 'HL7 without MLLP'],
  ])('closes at once, with the reason, when it is sent %s', async (_name, bytes, reason) => {
    await start();
    const peer = await connect();
    peer.write(Buffer.from(bytes, 'latin1'));
    await peer.closed;
    expect(log.lines.join()).toContain(reason);
    expect(accepted).toEqual([]);
    await expectServed();
  });

  it('closes when bytes without a frame become too many', async () => {
    await start({ maxGarbageBytes: 1000 });
    const peer = await connect();
    peer.write('x'.repeat(2000));
    await peer.closed;
    expect(log.lines.join()).toContain('no-frame');
    await expectServed();
  });

  it.each<[string, Partial<MllpSourceOptions>, string, string]>([
    ['bytes without a frame are not followed by one', { garbageTimeoutMs: 60 }, 'x', 'not MLLP'],
    ['a frame is not finished', { frameTimeoutMs: 60 }, '\x0bM1', 'not finished in time'],
    ['nothing was sent at all', { firstByteTimeoutMs: 60 }, '', 'nothing was sent in time'],
    ['nothing more comes', { idleTimeoutMs: 60 }, '\x0bM1\x1c\r', 'idle'],
  ])('closes in time when %s', async (_name, options, bytes, reason) => {
    await start(options);
    const peer = await connect();
    peer.write(bytes);
    await peer.closed;
    expect(log.lines.join()).toContain(reason);
    await expectServed();
  });

  it('never closes an idle connection where the time is 0', async () => {
    await start({ idleTimeoutMs: 0, frameTimeoutMs: 40 });
    const peer = await connect();
    const other = await connect();
    // The sweep that closes the one would have closed the other.
    other.write('\x0bM');
    await other.closed;
    peer.send('M1');
    expect(await peer.answer()).toBe('ack M1');
  });

  it('does not count the time in which it was not reading against a frame', async () => {
    const release = Promise.withResolvers<undefined>();
    await start({
      maxInFlight: 1,
      frameTimeoutMs: 50,
      accept: async (received) => {
        await release.promise;
        return acknowledge(received);
      },
    });
    const peer = await connect();
    const other = await connect();
    peer.write('\x0bM1\x1c\r\x0bM2');
    other.write('\x0bnever');
    await other.closed;
    release.resolve(undefined);
    expect(await peer.answer()).toBe('ack M1');
    peer.write('\x1c\r');
    expect(await peer.answer()).toBe('ack M2');
  });

  it('has no more messages in work than allowed, and reads on when they are answered', async () => {
    let inWork = 0;
    let most = 0;
    await start({
      maxInFlight: 4,
      accept: async ({ bytes }) => {
        inWork += 1;
        most = Math.max(most, inWork);
        await new Promise((resolve) => setImmediate(resolve));
        inWork -= 1;
        return bytes;
      },
    });
    const peer = await connect();
    const names = Array.from({ length: 500 }, (_, index) => `M${index}`);
    peer.write(names.map((name) => `\x0b${name}\x1c\r`).join(''));
    for (const name of names) expect(await peer.answer()).toBe(name);
    expect(most).toBe(4);
  });

  it('stops reading from a peer that does not read its answers', async () => {
    const answer = Buffer.alloc(100_000, 'x');
    let taken = 0;
    await start({
      accept: () => {
        taken += 1;
        return Promise.resolve(answer);
      },
    });
    const peer = await connect();
    peer.socket.pause();
    const total = 600;
    peer.write('\x0bM\x1c\r'.repeat(total));
    let before = -1;
    // Until nothing moves any more: the buffers between the two are full.
    while (before !== taken) {
      before = taken;
      await expectQuiet();
    }
    expect(taken).toBeLessThan(total);
    peer.socket.resume();
    for (let count = 0; count < total; count += 1) await peer.answer();
    expect(taken).toBe(total);
  });

  it('answers a peer that has finished sending', async () => {
    await start();
    const peer = await connect();
    peer.socket.end('\x0bM1\x1c\r\x0bM2\x1c\r');
    expect([await peer.answer(), await peer.answer()]).toEqual(['ack M1', 'ack M2']);
    await peer.closed;
  });

  it('survives peers that reset the connection', async () => {
    const release = Promise.withResolvers<undefined>();
    await start({
      accept: async (received) => {
        if (received.bytes.length === 1) await release.promise;
        return acknowledge(received);
      },
    });
    const peer = await connect();
    peer.send('x');
    peer.write('\x0bhalf');
    peer.socket.resetAndDestroy();
    await peer.closed;
    release.resolve(undefined);
    await expectServed();
  });

  it('sends the answers before a rejected message, and none behind it', async () => {
    const release = Promise.withResolvers<undefined>();
    await start({
      accept: async ({ bytes }) => {
        const text = Buffer.from(bytes).toString();
        if (text === 'M1') await release.promise;
        if (text === 'M2') {
          release.resolve(undefined);
          throw new Error('disk full');
        }
        return bytes;
      },
    });
    const peer = await connect();
    peer.write('\x0bM1\x1c\r\x0bM2\x1c\r\x0bM3\x1c\r');
    expect(await peer.answer()).toBe('M1');
    await expect(peer.answer()).rejects.toThrow('closed');
    expect(log.lines.join()).toContain('disk full');
  });

  it('turns away connections over the limit', async () => {
    await start({ maxConnections: 1 });
    const first = await connect();
    first.send('M1');
    await first.answer();
    const second = await connect();
    await second.closed;
    expect(log.lines.join()).toContain('turned away');
    first.send('M2');
    expect(await first.answer()).toBe('ack M2');
  });

  it('counts', async () => {
    await start();
    const peer = await connect();
    peer.write('junk\x0bM1\x1c\r\x0bM2\x1c\r');
    await peer.answer();
    await peer.answer();
    expect(source.counts()).toEqual({
      connections: 1,
      connectionsTotal: 1,
      messages: 2,
      answers: 2,
      faults: 1,
    });
  });

  it('survives any bytes and serves the next', async () => {
    await start({ maxFrameBytes: 10_000, garbageTimeoutMs: 50, frameTimeoutMs: 50 });
    let seed = 7;
    const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648);
    for (let round = 0; round < 40; round += 1) {
      const peer = await connect();
      peer.socket.end(Buffer.from(Array.from({ length: 3000 }, () => (random() >> 8) & 0xff)));
      await peer.closed;
    }
    await expectServed();
  });

  it('takes a frame of 20 MB in under half a second and three times its size', async () => {
    const size = 20_000_000;
    const script = path.join(import.meta.dirname, 'large-frame.ts');
    const costs: LargeFrameCost[] = [];
    const isCheap = ({ milliseconds, rss }: LargeFrameCost): boolean =>
      milliseconds < 500 && rss < 3 * size;
    // Other tests run beside it, which delay it and the collector: the cheapest of some is what it takes.
    while (costs.length < 5 && !costs.some(isCheap)) {
      const command = ['--expose-gc', script, String(size)];
      const { stdout } = await promisify(execFile)(process.execPath, command);
      const cost = JSON.parse(stdout) as LargeFrameCost;
      expect(cost.received).toBe(size);
      expect(cost.arrayBuffers).toBeLessThan(3 * size);
      costs.push(cost);
    }
    expect(costs.filter(isCheap)).toHaveLength(1);
  });

  it('reads no further when the unanswered messages of a connection are too many bytes', async () => {
    const release = Promise.withResolvers<undefined>();
    let taken = 0;
    await start({
      maxUnacknowledgedBytes: 2500,
      accept: async ({ bytes }) => {
        taken += 1;
        await release.promise;
        return bytes;
      },
    });
    const peer = await connect();
    peer.write(`\x0b${'x'.repeat(1000)}\x1c\r`.repeat(10));
    await expectQuiet();
    expect(taken).toBe(3);
    release.resolve(undefined);
    for (let count = 0; count < 10; count += 1) expect(await peer.answer()).toHaveLength(1000);
    expect(taken).toBe(10);
  });

  it('takes a message that is larger than all unanswered ones may be, alone', async () => {
    await start({ maxUnacknowledgedBytes: 100 });
    const peer = await connect();
    peer.write(`\x0b${'x'.repeat(5000)}\x1c\r\x0bM2\x1c\r`);
    expect([await peer.answer(), await peer.answer()]).toEqual(['ack 5000', 'ack M2']);
  });

  it('tells with each message which connection it came by', async () => {
    const ids: unknown[] = [];
    await start({
      accept: ({ bytes, connection }) => {
        ids.push(connection);
        return Promise.resolve(bytes);
      },
    });
    const [first, second] = [await connect(), await connect()];
    for (const peer of [first, second, first]) {
      peer.send('M');
      await peer.answer();
    }
    const { port } = source.address!;
    expect(ids).toEqual([{ id: `${port}-1` }, { id: `${port}-2` }, { id: `${port}-1` }]);
  });

  it.each([
    ['ends', (peer: RawPeer) => void peer.socket.end()],
    ['is reset', (peer: RawPeer) => void peer.socket.resetAndDestroy()],
  ])('accepts nothing of a frame in whose middle the connection %s', async (_how, act) => {
    await start();
    const peer = await connect();
    peer.write('\x0bM1\x1c\r\x0bhalf');
    await peer.answer();
    act(peer);
    await peer.closed;
    await expectServed();
    expect(accepted).toEqual(['M1', 'served']);
  });

  it('serves 2,000 connections at a time', async () => {
    await start();
    const all = await Promise.all(Array.from({ length: 2000 }, () => connect()));
    for (const peer of all) peer.send('M');
    const answers = await Promise.all(all.map((peer) => peer.answer()));
    expect(answers.every((answer) => answer === 'ack M')).toBe(true);
    expect(source.counts().connections).toBe(2000);
  });

  it('answers what it has taken when it is stopped, and takes nothing new', async () => {
    const release = Promise.withResolvers<undefined>();
    await start({
      accept: async (received) => {
        await release.promise;
        return acknowledge(received);
      },
    });
    const peer = await connect();
    peer.write('\x0bM1\x1c\r\x0bM2\x1c\r\x0bhalf');
    await expectQuiet();
    const stopped = source.stop({ drainMs: 10_000 });
    peer.write('M3\x1c\r\x0bM4\x1c\r');
    await expectQuiet();
    release.resolve(undefined);
    expect([await peer.answer(), await peer.answer()]).toEqual(['ack M1', 'ack M2']);
    await stopped;
    await peer.closed;
    expect(accepted).toEqual(['M1', 'M2']);
  });
});

/** A few turns of the event loop in which sockets may move bytes. */
async function expectQuiet(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
