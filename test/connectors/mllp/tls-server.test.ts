import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import path from 'node:path';
import { TLSSocket } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { createMllpSource } from '../../../connectors/mllp/server.ts';
import type { MllpSource, MllpSourceOptions } from '../../../connectors/mllp/server.ts';
import type { ListenerTls } from '../../../core/interface.ts';
import type { Received } from '../../../core/ports/source.ts';
import { describeSource } from '../../contract/source.ts';
import { makeAuthority, type Authority, type Issued } from '../../support/certificates.ts';
import { makeTempFolder } from '../../support/temp.ts';
import { connectRaw, connectRawTls, createLogRecorder } from './peer.ts';
import type { RawPeer } from './peer.ts';

const folder = makeTempFolder('mllp-tls');
let authority: Authority;
let stranger: Authority;
let server: Issued;
let clients: Readonly<
  Record<'lab' | 'pharmacy' | 'expired' | 'foreign' | 'unnamed' | 'unnamedForeign', Issued>
>;

beforeAll(async () => {
  authority = await makeAuthority(folder, 'authority');
  stranger = await makeAuthority(folder, 'stranger');
  server = await authority.issue({ name: 'hilum.example', dns: ['hilum.example', '127.0.0.1'] });
  clients = {
    lab: await authority.issue({ name: 'Lab 7', dns: ['lab.example'] }),
    pharmacy: await authority.issue({ name: 'pharmacy.example' }),
    expired: await authority.issue({ name: 'Lab 7', days: -2, as: 'expired' }),
    foreign: await stranger.issue({ name: 'Lab 7', as: 'foreign' }),
    unnamed: await authority.issue({
      name: '',
      dns: ['unnamed.example', 'fd00::7'],
      as: 'unnamed',
    }),
    unnamedForeign: await stranger.issue({ name: '', as: 'unnamed-foreign' }),
  };
});

const log = createLogRecorder();
const peers: RawPeer[] = [];
let source: MllpSource | undefined;
let received: Received[] = [];

async function start(tls: Partial<ListenerTls>, options: Partial<MllpSourceOptions> = {}) {
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
    tls: { identity: server.files, clientCertificates: 'off', ...tls },
    ...options,
  });
  await source.start();
}

async function connect(options: ConnectionOptions = {}): Promise<RawPeer> {
  const peer = await connectRawTls(source!.address!, {
    ca: authority.pem,
    servername: 'hilum.example',
    ...options,
  });
  peers.push(peer);
  return peer;
}

/** Whether one message is answered on a new connection. */
async function isServed(options: ConnectionOptions = {}): Promise<boolean> {
  try {
    const peer = await connect(options);
    peer.send('M1');
    return (await peer.answer()) === 'ack';
  } catch {
    return false;
  }
}

/** The common name in the certificate that the listener showed. */
function nameOf({ socket }: RawPeer): unknown {
  if (!(socket instanceof TLSSocket)) throw new Error('Expected a connection over TLS.');
  return socket.getPeerCertificate().subject.CN;
}

beforeEach(() => {
  received = [];
  log.lines.length = 0;
});

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close();
  await source?.stop({ drainMs: 0 });
  source = undefined;
});

describeSource('MLLP over TLS', {
  open: (accept, port = 0) =>
    createMllpSource({
      host: '127.0.0.1',
      port,
      maxFrameBytes: 1_000_000,
      idleTimeoutMs: 60_000,
      logger: createLogRecorder(),
      accept,
      tls: { identity: server.files, clientCertificates: 'off' },
    }),
  connect: (address) => connectRawTls(address, { ca: authority.pem, servername: 'hilum.example' }),
});

const show = ({ certificate, key }: Issued): ConnectionOptions => ({ cert: certificate, key });

describe('client certificates', () => {
  type Case = readonly [
    what: string,
    tls: () => Partial<ListenerTls>,
    client: () => ConnectionOptions,
    /** The subject in the ledger, or what the log says. */
    expected: { readonly subject: string | undefined } | { readonly refusal: string },
  ];
  const lab = { subject: 'CN=Lab 7,O=Hilum tests' };
  const demand = (rest: Partial<ListenerTls> = {}): Partial<ListenerTls> => ({
    clientCertificates: 'required',
    authorities: authority.file,
    ...rest,
  });
  it.each<Case>([
    ['off, none shown', () => ({}), () => ({}), { subject: undefined }],
    ['off, one shown', () => ({}), () => show(clients.foreign), { subject: undefined }],
    ['required, a good one', () => demand(), () => show(clients.lab), lab],
    ['required, none', () => demand(), () => ({}), { refusal: 'showed no certificate' }],
    [
      'required, from another authority',
      () => demand(),
      () => show(clients.foreign),
      { refusal: 'none of ours' },
    ],
    [
      'required, an expired one',
      () => demand(),
      () => show(clients.expired),
      { refusal: 'not valid at this time' },
    ],
    [
      'required, over TLS 1.2',
      () => demand(),
      () => ({ ...show(clients.lab), maxVersion: 'TLSv1.2' }),
      lab,
    ],
    [
      'optional, none',
      () => demand({ clientCertificates: 'optional' }),
      () => ({}),
      { subject: undefined },
    ],
    [
      'optional, a good one',
      () => demand({ clientCertificates: 'optional' }),
      () => show(clients.lab),
      lab,
    ],
    [
      'optional, from another authority',
      () => demand({ clientCertificates: 'optional' }),
      () => show(clients.foreign),
      { refusal: 'none of ours' },
    ],
    [
      'a subject by common name',
      () => demand({ allowedSubjects: ['pharmacy', 'Lab 7'] }),
      () => show(clients.lab),
      lab,
    ],
    [
      'a subject by CN=',
      () => demand({ allowedSubjects: ['CN=lab 7'] }),
      () => show(clients.lab),
      lab,
    ],
    [
      'a subject by alternative name',
      () => demand({ allowedSubjects: ['LAB.example'] }),
      () => show(clients.lab),
      lab,
    ],
    [
      'a subject by alternative name, of a certificate that has no other',
      () => demand({ allowedSubjects: ['unnamed.example'] }),
      () => show(clients.unnamed),
      { subject: 'DNS:unnamed.example, IP Address:FD00:0:0:0:0:0:0:7' },
    ],
    [
      'a subject by an IPv6 address in its short form',
      () => demand({ allowedSubjects: ['FD00::7'] }),
      () => show(clients.unnamed),
      { subject: 'DNS:unnamed.example, IP Address:FD00:0:0:0:0:0:0:7' },
    ],
    [
      'optional, without any name and from another authority',
      () => demand({ clientCertificates: 'optional' }),
      () => show(clients.unnamedForeign),
      { refusal: 'none of ours' },
    ],
    [
      'another subject',
      () => demand({ allowedSubjects: ['Lab', 'lab.example.org'] }),
      () => show(clients.lab),
      { refusal: 'its subject is none of the allowed ones' },
    ],
    [
      'a fingerprint',
      () => demand({ allowedFingerprints: [clients.lab.fingerprint.toUpperCase()] }),
      () => show(clients.lab),
      lab,
    ],
    [
      'another fingerprint',
      () => demand({ allowedFingerprints: [clients.lab.fingerprint] }),
      () => show(clients.pharmacy),
      { refusal: 'its fingerprint is none of the allowed ones' },
    ],
    [
      'a fingerprint alone, without authorities',
      () => ({
        clientCertificates: 'required',
        allowedFingerprints: [clients.foreign.fingerprint.replace(/(..)(?=.)/g, '$1:')],
      }),
      () => show(clients.foreign),
      lab,
    ],
    [
      'a fingerprint alone, none shown',
      () => ({
        clientCertificates: 'required',
        allowedFingerprints: [clients.foreign.fingerprint],
      }),
      () => ({}),
      { refusal: 'showed no certificate' },
    ],
    [
      'a fingerprint alone, of an expired one',
      () => ({
        clientCertificates: 'required',
        allowedFingerprints: [clients.expired.fingerprint],
      }),
      () => show(clients.expired),
      { refusal: 'not valid at this time' },
    ],
  ])('%s', async (_what, tls, client, expected) => {
    await start(tls());
    const isRefused = 'refusal' in expected;
    expect(await isServed(client())).toBe(!isRefused);
    if (isRefused) {
      expect(await log.line('turned away')).toContain(expected.refusal);
      expect(received).toEqual([]);
    } else {
      expect(received[0]?.connection?.certificate).toBe(expected.subject);
      expect(received[0]?.connection?.id).toMatch(/^\d+-1$/);
    }
  });

  it('tells a client that shows none why, by an alert', async () => {
    await start(demand());
    const peer = await connect();
    const [error] = (await once(peer.socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toMatch(/CERTIFICATE_REQUIRED/);
  });
});

describe('the handshake', () => {
  it.each([
    ['1.2', 'TLSv1.1', false],
    ['1.2', 'TLSv1.2', true],
    ['1.2', 'TLSv1.3', true],
    ['1.3', 'TLSv1.2', false],
    ['1.3', 'TLSv1.3', true],
  ] as const)('of at least %s, with a client of %s: %s', async (minVersion, version, served) => {
    await start({ minVersion });
    const old = version === 'TLSv1.1' ? { ciphers: 'DEFAULT@SECLEVEL=0' } : {};
    const options = { minVersion: 'TLSv1' as const, maxVersion: version, ...old };
    expect(await isServed(options)).toBe(served);
    if (!served) expect(await log.line('turned away')).toContain('too old');
  });

  it.each([
    ['hilum.example', 'hilum.example'],
    ['lab.example', 'lab.example'],
    ['LAB.example', 'lab.example'],
    ['west.hospital.example', '*.hospital.example'],
    ['a.west.hospital.example', 'hilum.example'],
    ['unknown.example', 'hilum.example'],
    ['', 'hilum.example'],
  ])('for the name "%s" shows the certificate of %s', async (servername, expected) => {
    const lab = await authority.issue({ name: 'lab.example' });
    const hospital = await authority.issue({ name: '*.hospital.example', as: 'hospital' });
    await start({
      serverNames: [
        { serverName: 'lab.example', ...lab.files },
        { serverName: '*.hospital.example', ...hospital.files },
      ],
    });
    const peer = await connect({ servername, checkServerIdentity: () => undefined });
    expect(nameOf(peer)).toBe(expected);
    peer.send('M1');
    expect(await peer.answer()).toBe('ack');
  });

  it.each([
    ['MLLP', '\x0bMSH|^~\\&|A\r\x1c\r', 'speaks without it (MLLP)'],
    ['HTTP', 'GET / HTTP/1.1\r\n\r\n', 'speaks without it (HTTP)'],
    ['anything else', 'hello', 'speaks without it.'],
    ['what begins like TLS', '\x16nonsense nonsense', 'handshake'],
  ])(
    'is expected: %s in plain text is turned away, with the reason',
    async (_what, bytes, reason) => {
      await start({});
      const peer = await connectRaw(source!.address!);
      peers.push(peer);
      peer.write(bytes);
      await peer.closed;
      expect(await log.line('turned away')).toContain(reason);
      expect(log.lines.join()).not.toContain('MSH');
      expect(await isServed()).toBe(true);
    },
  );

  it('that does not begin or does not go on is given up in time', async () => {
    await start({}, { firstByteTimeoutMs: 50 });
    const peer = await connectRaw(source!.address!);
    await peer.closed;
    expect(await log.line('turned away')).toContain('timed out');
  });

  it('that is broken off leaves no connection behind', async () => {
    await start({});
    const peer = await connectRaw(source!.address!);
    peer.write(Uint8Array.of(0x16, 0x03, 0x01, 0x02));
    peer.socket.resetAndDestroy();
    await log.line('turned away');
    expect(await isServed()).toBe(true);
    peers.pop()!.close();
    await source!.stop({ drainMs: 0 });
    // The sockets' own events follow the server's.
    while (source!.counts().connections > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('under way does not keep the listener from stopping', async () => {
    await start({});
    const silent = await connectRaw(source!.address!);
    const half = await connectRaw(source!.address!);
    half.write(Uint8Array.of(0x16, 0x03, 0x01, 0x02));
    await isServed();
    await source!.stop({ drainMs: 60_000 });
    await Promise.all([silent.closed, half.closed]);
  });
});

describe('a connection over TLS', () => {
  it('answers a peer that has finished sending', async () => {
    await start({});
    const peer = await connect();
    peer.socket.end('\x0bM1\x1c\r\x0bM2\x1c\r');
    expect([await peer.answer(), await peer.answer()]).toEqual(['ack', 'ack']);
    await peer.closed;
  });

  it('survives a reset', async () => {
    await start({});
    const socket = connectPlain(source!.address!);
    const peer = await connect({ socket });
    peer.send('M1');
    await peer.answer();
    peer.write('\x0bhalf');
    socket.resetAndDestroy();
    await peer.closed;
    expect(await isServed()).toBe(true);
  });

  it('takes a large frame', async () => {
    await start({}, { maxFrameBytes: 32_000_000 });
    const peer = await connect();
    peer.socket.write(
      Buffer.concat([Buffer.from('\x0b'), Buffer.alloc(20_000_000, 'x'), Buffer.from('\x1c\r')]),
    );
    expect(await peer.answer()).toBe('ack');
    expect(received[0]!.bytes).toHaveLength(20_000_000);
  });
});

describe('certificates', () => {
  let files: { certificate: string; key: string };
  let next: Issued;

  function put(issued: Issued): void {
    copyFileSync(issued.files.certificate, files.certificate);
    copyFileSync(issued.files.key, files.key);
  }

  beforeEach(async () => {
    const own = makeTempFolder('mllp-reload');
    files = { certificate: path.join(own, 'lab.pem'), key: path.join(own, 'lab.key') };
    put(server);
    next = await authority.issue({ name: 'next.example', dns: ['hilum.example'] });
  });

  it('that are read again are shown to new connections; open ones go on', async () => {
    await start({ identity: files });
    const before = await connect();
    put(next);
    await source!.reloadCertificates();
    const after = await connect();
    expect([nameOf(before), nameOf(after)]).toEqual(['hilum.example', 'next.example']);
    for (const peer of [before, after]) {
      peer.send('M1');
      expect(await peer.answer()).toBe('ack');
    }
  });

  it('are read again by themselves when their files change', async () => {
    await start({ identity: files }, { reloadCheckMs: 10 });
    put(next);
    await log.line('were read again');
    expect(nameOf(await connect())).toBe('next.example');
  });

  it('that are broken are not used: the ones before stay, until they are right', async () => {
    await start({ identity: files }, { reloadCheckMs: 10 });
    writeFileSync(files.key, server.key.slice(0, 60));
    await log.line('are not used');
    expect(nameOf(await connect())).toBe('hilum.example');
    await expect(source!.reloadCertificates()).rejects.toThrow(files.key);
    put(next);
    await log.line('were read again');
    expect(nameOf(await connect())).toBe('next.example');
  });

  it('of a changed authority decide about new clients', async () => {
    const authorities = path.join(path.dirname(files.key), 'authorities.pem');
    copyFileSync(authority.file, authorities);
    await start({ clientCertificates: 'required', authorities });
    expect(await isServed(show(clients.foreign))).toBe(false);
    writeFileSync(authorities, `${authority.pem}\n${stranger.pem}\n`);
    await source!.reloadCertificates();
    expect(await isServed(show(clients.foreign))).toBe(true);
    copyFileSync(stranger.file, authorities);
    await source!.reloadCertificates();
    expect(await isServed(show(clients.lab))).toBe(false);
  });

  it.each([
    [-3, 'certificate-expired'],
    [10, 'certificate-expires-soon'],
  ])('with %d days left are warned of', async (days, code) => {
    const old = await authority.issue({ name: `old ${days}`, days });
    await start({ identity: old.files });
    const line = await log.line(code);
    expect(line).toContain(old.files.certificate);
    expect(line).toContain(`CN=old ${days}`);
  });

  it('with months left are not', async () => {
    await start({});
    expect(log.lines.join()).not.toContain('expire');
  });

  it.each<[string, () => Partial<ListenerTls>, string]>([
    ['no file', () => ({ identity: { ...server.files, key: '/nowhere/a.key' } }), 'not exist'],
    ['a folder', () => ({ identity: { ...server.files, key: folder } }), 'it is a folder'],
    [
      'no certificate',
      () => ({ identity: { ...server.files, certificate: server.files.key } }),
      'no PEM certificate',
    ],
    [
      'the key of another',
      () => ({ identity: { ...server.files, key: clients.lab.files.key } }),
      'not the key of the certificate',
    ],
    ['no authority', () => ({ authorities: server.files.key }), 'no PEM certificate'],
  ])('that are %s keep the listener from starting, with the reason', async (_what, tls, reason) => {
    await expect(start(tls())).rejects.toMatchObject({
      errorClass: 'transient',
      issues: [
        { code: 'tls-certificate-unreadable', message: expect.stringContaining(reason) as string },
      ],
    });
  });

  it('with an encrypted key need the file with its passphrase', async () => {
    const own = path.dirname(files.key);
    const encrypted = createPrivateKey(server.key)
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' })
      .toString();
    writeFileSync(files.key, encrypted);
    await expect(start({ identity: files })).rejects.toThrow('no passphrase file is set');
    const passphraseFile = path.join(own, 'passphrase');
    writeFileSync(passphraseFile, 'wrong\n');
    await expect(start({ identity: { ...files, passphraseFile } })).rejects.toThrow(
      'passphrase does not open it',
    );
    writeFileSync(passphraseFile, 'open sesame\n');
    await start({ identity: { ...files, passphraseFile } });
    expect(await isServed()).toBe(true);
  });
});
