import { copyFileSync } from 'node:fs';
import path from 'node:path';
import type { TlsOptions } from 'node:tls';
import { createMllpDestination } from '../../../connectors/mllp/client.ts';
import type { SenderTls } from '../../../core/interface.ts';
import type { Outcome } from '../../../core/outcome.ts';
import { makeAuthority, type Authority, type Issued } from '../../support/certificates.ts';
import { makeTempFolder } from '../../support/temp.ts';
import { buildEnvelope, says, senderDefinition, startPartner } from './partner.ts';
import { createLogRecorder } from './peer.ts';

const folder = makeTempFolder('mllp-client-tls');
let authority: Authority;
let stranger: Authority;
let issued: Readonly<
  Record<'partner' | 'named' | 'expired' | 'foreign' | 'hilum' | 'hilumOld' | 'stranger', Issued>
>;

beforeAll(async () => {
  authority = await makeAuthority(folder, 'authority');
  stranger = await makeAuthority(folder, 'stranger');
  issued = {
    partner: await authority.issue({ name: 'partner', dns: ['127.0.0.1'] }),
    named: await authority.issue({ name: 'lab.example', dns: ['lab.example'] }),
    expired: await authority.issue({ name: 'expired', dns: ['127.0.0.1'], days: -2 }),
    foreign: await stranger.issue({ name: 'foreign', dns: ['127.0.0.1'] }),
    hilum: await authority.issue({ name: 'hilum.example' }),
    hilumOld: await authority.issue({ name: 'hilum.old', days: -2 }),
    stranger: await stranger.issue({ name: 'hilum.stranger' }),
  };
});

/** Fatal, unexpected message: how a TLS server answers what is no TLS. */
const tlsAlert = Uint8Array.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x0a);
const log = createLogRecorder();
const partners: Awaited<ReturnType<typeof startPartner>>[] = [];
const destinations: ReturnType<typeof createMllpDestination>[] = [];

beforeEach(() => {
  log.lines.length = 0;
});

afterEach(async () => {
  await Promise.all(destinations.splice(0).map((destination) => destination.close()));
  await Promise.all(partners.splice(0).map((partner) => partner.stop()));
});

async function open(
  tls: SenderTls | undefined,
  server: TlsOptions | undefined,
): Promise<{ readonly deliver: () => Promise<Outcome>; readonly received: () => number }> {
  const partner = await startPartner(says('AA'), server);
  const definition = { ...senderDefinition, port: partner.port, timeoutMs: 1_000 };
  const destination = createMllpDestination(
    tls === undefined ? definition : { ...definition, tls },
    {
      logger: log,
    },
  );
  partners.push(partner);
  destinations.push(destination);
  return {
    deliver: () => destination.deliver(buildEnvelope(), new AbortController().signal),
    received: partner.received,
  };
}

const show = ({ certificate, key }: Issued): TlsOptions => ({ cert: certificate, key });

describe('a sender over TLS', () => {
  type Case = readonly [
    what: string,
    tls: () => SenderTls | undefined,
    server: () => TlsOptions | undefined,
    /** Part of the reason; none where it is delivered. */
    reason: string | undefined,
  ];
  const trusting = (rest: SenderTls = {}): SenderTls => ({ authorities: authority.file, ...rest });
  const demanding = (): TlsOptions => ({
    ...show(issued.partner),
    ca: authority.pem,
    requestCert: true,
    rejectUnauthorized: true,
  });

  it.each<Case>([
    ['a good certificate', () => trusting(), () => show(issued.partner), undefined],
    [
      'TLS 1.2 at most',
      () => trusting(),
      () => ({ ...show(issued.partner), maxVersion: 'TLSv1.2' as const }),
      undefined,
    ],
    [
      'TLS 1.2 at most, where 1.3 is asked for',
      () => trusting({ minVersion: '1.3' }),
      () => ({ ...show(issued.partner), maxVersion: 'TLSv1.2' as const }),
      'no version of TLS',
    ],
    ['another name', () => trusting(), () => show(issued.named), 'for another name'],
    [
      'another name, which is set',
      () => trusting({ serverName: 'lab.example' }),
      () => show(issued.named),
      undefined,
    ],
    [
      'another address than the one set',
      () => trusting({ serverName: '192.0.2.7' }),
      () => show(issued.partner),
      'for another name',
    ],
    [
      'another name than the one set',
      () => trusting({ serverName: 'pharmacy.example' }),
      () => show(issued.named),
      'for another name',
    ],
    ['an expired certificate', () => trusting(), () => show(issued.expired), 'has expired'],
    ['an unknown authority', () => trusting(), () => show(issued.foreign), 'not trusted'],
    ['an authority nobody set', () => ({}), () => show(issued.partner), 'not trusted'],
    [
      'a certificate that is its own authority',
      () => ({ authorities: stranger.file }),
      () => show(issued.foreign),
      undefined,
    ],
    ['no TLS at all', () => trusting(), () => undefined, 'may not speak TLS on this port'],
    [
      'a demand for our certificate',
      () => trusting({ identity: issued.hilum.files }),
      () => demanding(),
      undefined,
    ],
    [
      'a demand for our certificate over TLS 1.2',
      () => trusting({ identity: issued.hilum.files }),
      () => ({ ...demanding(), maxVersion: 'TLSv1.2' as const }),
      undefined,
    ],
    [
      'a demand for our certificate, and we have none',
      () => trusting(),
      () => demanding(),
      'does not accept our certificate, or wants one',
    ],
    [
      'our key is not to be read',
      () => trusting({ identity: { ...issued.hilum.files, key: '/nowhere/a.key' } }),
      () => demanding(),
      '/nowhere/a.key',
    ],
  ])('that meets %s', async (_what, tls, server, reason) => {
    const { deliver, received } = await open(tls(), server());
    const outcome = await deliver();
    if (reason === undefined) {
      expect(outcome.kind).toBe('delivered');
      expect(received()).toBe(1);
    } else {
      expect(outcome.kind).toBe('transient');
      expect(JSON.stringify(outcome)).toContain(reason);
      expect(received()).toBe(0);
    }
  });

  it('is what a partner wants that answers plain text with an alert: it read nothing', async () => {
    const partner = await startPartner((_controlId, socket) => void socket.end(tlsAlert));
    partners.push(partner);
    const definition = { ...senderDefinition, port: partner.port };
    const destination = createMllpDestination(definition, { logger: log });
    destinations.push(destination);
    const outcome = await destination.deliver(buildEnvelope(), new AbortController().signal);
    expect(outcome.kind).toBe('transient');
    expect(JSON.stringify(outcome)).toContain('expects TLS on this port');
  });

  it('verifies although the environment says otherwise', async () => {
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      const { deliver, received } = await open(trusting(), show(issued.foreign));
      expect((await deliver()).kind).toBe('transient');
      expect(received()).toBe(0);
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
  });

  it('reads its files again when they change', async () => {
    const file = path.join(makeTempFolder('mllp-client-reload'), 'authorities.pem');
    copyFileSync(stranger.file, file);
    const { deliver } = await open({ authorities: file }, show(issued.partner));
    expect((await deliver()).kind).toBe('transient');
    copyFileSync(authority.file, file);
    expect((await deliver()).kind).toBe('delivered');
  });

  it('warns of a certificate of ours that has expired, once', async () => {
    const tls = trusting({ identity: issued.hilumOld.files });
    const { deliver } = await open(tls, show(issued.partner));
    await deliver();
    await deliver();
    const lines = log.lines.filter((line) => line.includes('certificate-expired'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('CN=hilum.old');
  });
});
