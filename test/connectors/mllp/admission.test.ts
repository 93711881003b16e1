import { createMllpSource } from '../../../connectors/mllp/server.ts';
import type { MllpSource, MllpSourceOptions } from '../../../connectors/mllp/server.ts';
import type { Received } from '../../../core/ports/source.ts';
import { makeAuthority } from '../../support/certificates.ts';
import { makeTempFolder } from '../../support/temp.ts';
import { connectRaw, connectRawTls, createLogRecorder } from './peer.ts';
import type { RawPeer } from './peer.ts';
import { buildProxyHeader } from './proxy-header.ts';

const log = createLogRecorder();
const peers: RawPeer[] = [];
let source: MllpSource;
let received: Received[] = [];

async function start(options: Partial<MllpSourceOptions>): Promise<void> {
  source = createMllpSource({
    host: '127.0.0.1',
    port: 0,
    maxFrameBytes: 1_000_000,
    idleTimeoutMs: 60_000,
    logger: log,
    accept: (message) => {
      received.push(message);
      return Promise.resolve(Buffer.from('ack'));
    },
    ...options,
  });
  await source.start();
}

async function connect(): Promise<RawPeer> {
  const peer = await connectRaw(source.address!);
  peers.push(peer);
  return peer;
}

beforeEach(() => {
  received = [];
  log.lines.length = 0;
});

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close();
  await source.stop({ drainMs: 0 });
});

const header = buildProxyHeader({
  family: 0x11,
  addresses: [10, 1, 2, 3, 10, 0, 0, 9, 0x14, 0x03, 0x0a, 0x0f],
});
const local = buildProxyHeader({ command: 0x20, family: 0, addresses: [] });
const frame = Buffer.from('\x0bM1\x1c\r');
const proxyProtocol = { trustedProxies: ['127.0.0.0/8'] };

describe('allowed peers', () => {
  it.each([
    [['127.0.0.1'], true],
    [['10.0.0.0/8', '127.0.0.0/8'], true],
    [['::1', '10.0.0.0/8'], false],
  ])('%j lets the loopback in: %s', async (allowedPeers, served) => {
    await start({ allowedPeers });
    const peer = await connect();
    peer.write(frame);
    if (served) expect(await peer.answer()).toBe('ack');
    else {
      await peer.closed;
      expect(await log.line('turned away')).toContain('peer-not-allowed');
      expect(received).toEqual([]);
    }
  });

  it('are known by their IPv4 address where a listener serves both families', async () => {
    await start({ host: '::', allowedPeers: ['127.0.0.1'] });
    const peer = await connectRaw({ host: '127.0.0.1', port: source.address!.port });
    peers.push(peer);
    peer.write(frame);
    expect(await peer.answer()).toBe('ack');
    expect(received[0]!.remote).toMatch(/^127\.0\.0\.1:/);
  });
});

describe('connections of one address', () => {
  it('are limited, and a place becomes free again', async () => {
    await start({ maxConnectionsPerPeer: 2 });
    const [first, second] = [await connect(), await connect()];
    const third = await connect();
    await third.closed;
    expect(await log.line('turned away')).toContain('maxConnectionsPerPeer');
    first.close();
    await log.line('Closing an MLLP connection');
    const fourth = await connect();
    for (const peer of [second, fourth]) {
      peer.write(frame);
      expect(await peer.answer()).toBe('ack');
    }
  });

  it('are counted by the address before the proxy', async () => {
    await start({ maxConnectionsPerPeer: 1, proxyProtocol });
    const other = Buffer.from('PROXY TCP4 10.1.2.4 10.0.0.9 5123 2575\r\n');
    const [first, second, third] = [await connect(), await connect(), await connect()];
    first.write(Buffer.concat([header, frame]));
    expect(await first.answer()).toBe('ack');
    second.write(Buffer.concat([other, frame]));
    expect(await second.answer()).toBe('ack');
    third.write(Buffer.concat([header, frame]));
    await third.closed;
    expect(received.map(({ remote }) => remote)).toEqual(['10.1.2.3:5123', '10.1.2.4:5123']);
  });
});

describe('behind a proxy', () => {
  it.each<[string, readonly Uint8Array[]]>([
    ['at once with the message', [Buffer.concat([header, frame])]],
    ['apart from the message', [header, frame]],
    ['byte by byte', [...header, ...frame].map((byte) => Uint8Array.of(byte))],
    ['cut inside', [header.subarray(0, 13), Buffer.concat([header.subarray(13), frame])]],
  ])('the header comes %s, and the peer is the one in it', async (_how, pieces) => {
    await start({ proxyProtocol, allowedPeers: ['10.1.2.0/24'] });
    const peer = await connect();
    for (const piece of pieces) {
      peer.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await peer.answer()).toBe('ack');
    expect(received[0]).toMatchObject({ remote: '10.1.2.3:5123' });
  });

  it('whose header is LOCAL, the peer is the proxy itself', async () => {
    await start({ proxyProtocol });
    const peer = await connect();
    peer.write(Buffer.concat([local, frame]));
    expect(await peer.answer()).toBe('ack');
    expect(received[0]!.remote).toMatch(/^127\.0\.0\.1:/);
  });

  it('who is not allowed in is turned away by the address before it', async () => {
    await start({ proxyProtocol, allowedPeers: ['127.0.0.1'] });
    const peer = await connect();
    peer.write(Buffer.concat([header, frame]));
    await peer.closed;
    expect(await log.line('peer-not-allowed')).toContain('10.1.2.3:5123');
  });

  it('that has finished sending with its header, the connection ends', async () => {
    await start({ proxyProtocol });
    const peer = await connect();
    peer.socket.end(header);
    await peer.closed;
    expect(log.lines.join()).not.toContain('turned away');
  });

  it.each<[string, Partial<MllpSourceOptions>, (peer: RawPeer) => void, string]>([
    ['no header comes', {}, (peer) => peer.write(frame), 'proxy-header-invalid'],
    ['garbage comes', {}, (peer) => peer.write('GET / HTTP/1.1\r\n'), 'proxy-header-invalid'],
    ['nothing comes', { firstByteTimeoutMs: 40 }, () => undefined, 'proxy-header-missing'],
    [
      'half a header comes',
      { firstByteTimeoutMs: 40 },
      (peer) => peer.write(header.subarray(0, 14)),
      'proxy-header-missing',
    ],
    [
      'the connection ends inside it',
      {},
      (peer) => peer.socket.end(header.subarray(0, 14)),
      'proxy-header-missing',
    ],
    [
      'it is none of the trusted ones',
      { proxyProtocol: { trustedProxies: ['10.0.0.9'] } },
      (peer) => peer.write(Buffer.concat([header, frame])),
      'proxy-not-trusted',
    ],
  ])('is turned away when %s', async (_when, options, act, code) => {
    await start({ proxyProtocol, ...options });
    const peer = await connect();
    act(peer);
    await peer.closed;
    expect(await log.line('turned away')).toContain(code);
    expect(received).toEqual([]);
  });

  it('without the setting the header is garbage like any other', async () => {
    await start({});
    const peer = await connect();
    peer.write(Buffer.concat([header, frame]));
    expect(await peer.answer()).toBe('ack');
    expect(received[0]!.remote).toMatch(/^127\.0\.0\.1:/);
    expect(log.lines.join()).toContain('garbage');
  });

  it('TLS begins behind the header', async () => {
    const authority = await makeAuthority(makeTempFolder('mllp-proxy'), 'authority');
    const { files } = await authority.issue({ name: 'hilum.example' });
    await start({ proxyProtocol, tls: { identity: files, clientCertificates: 'off' } });
    const before = await connect();
    before.write(header);
    const peer = await connectRawTls(source.address!, {
      socket: before.socket,
      ca: authority.pem,
      servername: 'hilum.example',
    });
    peers.push(peer);
    peer.write(frame);
    expect(await peer.answer()).toBe('ack');
    expect(received[0]!.remote).toBe('10.1.2.3:5123');
  });

  it('waiting at the door does not keep the listener from stopping', async () => {
    await start({ proxyProtocol });
    const peer = await connect();
    peer.write(header.subarray(0, 14));
    const served = await connect();
    served.write(Buffer.concat([header, frame]));
    await served.answer();
    await source.stop({ drainMs: 60_000 });
    await peer.closed;
  });
});
