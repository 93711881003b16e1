import { buildAddressList } from '../../connectors/mllp/peer-address.ts';
import type { FlowNode } from '../../core/interface.ts';
import { contributors } from '../../nodes/definitions.ts';
import { defaults as listenerDefaults } from '../../nodes/mllp-in/definition.ts';
import { defaults as senderDefaults } from '../../nodes/mllp-out/definition.ts';
import {
  filePath,
  fingerprintList,
  peerList,
  serverNameList,
} from '../../nodes/shared/connection-fields.ts';

const context = {
  interface: 'tab-1',
  defaults: { bind: '127.0.0.1' },
  env: { CERTIFICATES: '/etc/hilum' },
};

function contribute(type: 'mllp in' | 'mllp out', fields: Partial<FlowNode>) {
  const base = type === 'mllp in' ? { port: '2575' } : { host: 'lab.example', port: '2575' };
  return contributors[type]!({ id: 'n1', type, ...base, ...fields }, context);
}

const listenerOf = (fields: Partial<FlowNode>) => contribute('mllp in', fields).listeners?.[0];
const senderOf = (fields: Partial<FlowNode>) => contribute('mllp out', fields).senders?.[0];

const identity = { tls: 'on', tlsCertificate: '/a/lab.pem', tlsKey: '/a/lab.key' };
const fingerprint = 'ab'.repeat(32);

describe('mllp in', () => {
  it('as the editor makes it listens in plain text, for everybody, by release 1', () => {
    const made = listenerOf({ ...listenerDefaults, port: '2575' });
    expect(made).toEqual(listenerOf({}));
    for (const setting of ['tls', 'limits', 'allowedPeers', 'proxyProtocol', 'commit']) {
      expect(made).not.toHaveProperty(setting);
    }
  });

  it('takes every setting of TLS', () => {
    const made = listenerOf({
      ...identity,
      tlsCertificate: '${CERTIFICATES}/lab.pem',
      tlsPassphraseFile: '/a/passphrase',
      tlsAuthorities: '/a/authorities.pem',
      tlsClients: 'required',
      tlsSubjects: 'lab.example, CN=Lab 7',
      tlsFingerprints: fingerprint,
      tlsServerNames: 'lab.example: /a/x.pem, /a/x.key\n*.example.org: /b/y.pem, /b/y.key\n',
      tlsMinVersion: '1.3',
    });
    expect(made).toMatchObject({
      tls: {
        identity: {
          certificate: '/etc/hilum/lab.pem',
          key: '/a/lab.key',
          passphraseFile: '/a/passphrase',
        },
        clientCertificates: 'required',
        authorities: '/a/authorities.pem',
        allowedSubjects: ['lab.example', 'CN=Lab 7'],
        allowedFingerprints: [fingerprint],
        serverNames: [
          { serverName: 'lab.example', certificate: '/a/x.pem', key: '/a/x.key' },
          { serverName: '*.example.org', certificate: '/b/y.pem', key: '/b/y.key' },
        ],
        minVersion: '1.3',
      },
    });
  });

  it('takes its guards, limits and release', () => {
    expect(
      listenerOf({
        allowedPeers: '10.1.2.3, fd00::/8',
        proxyProtocol: 'on',
        trustedProxies: '127.0.0.1',
        maxConnections: '10',
        maxConnectionsPerPeer: '2',
        firstByteSeconds: '1.5',
        maxInFlight: '4',
        maxUnacknowledgedMiB: '0.5',
        maxBufferedMiB: '2',
        commit: 'before-acknowledgment',
      }),
    ).toMatchObject({
      allowedPeers: ['10.1.2.3', 'fd00::/8'],
      proxyProtocol: { trustedProxies: ['127.0.0.1'] },
      limits: {
        maxConnections: 10,
        maxConnectionsPerPeer: 2,
        firstByteTimeoutMs: 1500,
        maxInFlight: 4,
        maxUnacknowledgedBytes: 524_288,
        maxBufferedBytes: 2_097_152,
      },
      commit: 'before-acknowledgment',
    });
  });

  it.each([
    [{}, { order: { lanes: 1 }, keeps: 'key', onFailure: 'skip' }, undefined],
    [
      { order: 'key', keyPath: 'PV1-19.1, PID-3[4.1=A,B].1,MSH-4', lanes: '8', onFailure: 'stop' },
      { order: { lanes: 8 }, keeps: 'key', onFailure: 'stop' },
      ['PV1-19.1', 'PID-3[4.1=A,B].1', 'MSH-4'],
    ],
    [
      { order: 'queue', lanes: '8', onFailure: 'stop' },
      { order: { lanes: 1 }, keeps: 'queue', onFailure: 'stop' },
      undefined,
    ],
    [{ order: 'none', lanes: '8', onFailure: 'stop' }, {}, undefined],
  ])('with %j keeps the order %j', (fields, order, keyPaths) => {
    const { listeners, queues } = contribute('mllp in', fields);
    expect(queues).toEqual([{ name: 'in.n1', interface: 'tab-1', ...order }]);
    expect(listeners?.[0]?.keyPaths).toEqual(keyPaths);
  });

  it('waits for the flow as long as it is told, where it acknowledges then', () => {
    expect(listenerOf({ acknowledge: 'processed' })).toMatchObject({ acknowledge: 'processed' });
    expect(listenerOf({ acknowledge: 'processed' })).not.toHaveProperty('wait');
    expect(listenerOf({ waitSeconds: '5' })).not.toHaveProperty('wait');
    const fields = { acknowledge: 'processed', waitSeconds: '2.5', onTimeout: 'close' };
    expect(listenerOf(fields)).toMatchObject({ wait: { timeoutMs: 2_500, onTimeout: 'close' } });
  });

  it('knows a message for as long as it is told', () => {
    expect(listenerOf({})).not.toHaveProperty('duplicates');
    expect(listenerOf({ duplicateHours: '0.5', sameIdOtherContent: 'reject' })).toMatchObject({
      duplicates: { windowMs: 1_800_000, sameIdOtherContent: 'reject' },
    });
    expect(listenerOf({ duplicateHours: '0' })).toMatchObject({
      duplicates: { windowMs: 0, sameIdOtherContent: 'accept' },
    });
  });

  it.each([
    [{ order: 'sometimes' }, 'choice-invalid'],
    [{ keyPath: 'PID' }, 'key-paths-invalid'],
    [{ keyPath: 'PID-3.1, patient' }, 'key-paths-invalid'],
    [{ keyPath: 'PATIENT.PID-3.1' }, 'key-paths-invalid'],
    [{ lanes: '0' }, 'number-invalid'],
    [{ lanes: '65' }, 'number-invalid'],
    [{ onFailure: 'wait' }, 'choice-invalid'],
    [{ waitSeconds: '0' }, 'number-invalid'],
    [{ onTimeout: 'wait' }, 'choice-invalid'],
    [{ duplicateHours: '721' }, 'number-invalid'],
    [{ duplicateHours: '-1' }, 'number-invalid'],
    [{ sameIdOtherContent: 'merge' }, 'choice-invalid'],
    [{ tls: 'on' }, 'tls-incomplete'],
    [{ tls: 'on', tlsCertificate: '/a/lab.pem' }, 'tls-incomplete'],
    [{ ...identity, tlsClients: 'required' }, 'tls-incomplete'],
    [{ ...identity, tlsClients: 'optional', tlsSubjects: 'lab' }, 'tls-incomplete'],
    [{ ...identity, tlsSubjects: 'lab' }, 'tls-incomplete'],
    [{ ...identity, tlsCertificate: 'lab.pem' }, 'path-invalid'],
    [{ ...identity, tlsFingerprints: 'abc' }, 'fingerprints-invalid'],
    [{ ...identity, tlsServerNames: 'lab.example /a/x.pem' }, 'server-names-invalid'],
    [{ allowedPeers: '10.0.0.0/33' }, 'peers-invalid'],
    [{ proxyProtocol: 'on' }, 'field-required'],
    [{ maxInFlight: '0' }, 'number-invalid'],
    [{ commit: 'maybe' }, 'choice-invalid'],
  ])('with %j listens nowhere and says why', (fields, code) => {
    expect(contribute('mllp in', fields)).toEqual({
      issues: [expect.objectContaining({ code, severity: 'error', location: 'n1' })],
    });
  });
});

describe('mllp out', () => {
  it('as the editor makes it sends in plain text on kept connections', () => {
    const made = senderOf({ ...senderDefaults, host: 'lab.example', port: '2575' });
    expect(made).toEqual(senderOf({}));
    for (const setting of ['tls', 'connections', 'connectTimeoutMs', 'commit']) {
      expect(made).not.toHaveProperty(setting);
    }
  });

  it('takes every setting', () => {
    expect(
      senderOf({
        ...identity,
        tlsAuthorities: '/a/authorities.pem',
        tlsServerName: 'lab.example.org',
        connections: 'one-per-message',
        connectTimeoutSeconds: '2',
        commit: 'instead-of-acknowledgment',
      }),
    ).toMatchObject({
      tls: {
        identity: { certificate: '/a/lab.pem', key: '/a/lab.key' },
        authorities: '/a/authorities.pem',
        serverName: 'lab.example.org',
        minVersion: '1.2',
      },
      connections: 'one-per-message',
      connectTimeoutMs: 2000,
      commit: 'instead-of-acknowledgment',
    });
  });

  it('needs no certificate of its own, but never half of one', () => {
    expect(senderOf({ tls: 'on' })).toMatchObject({ tls: { minVersion: '1.2' } });
    expect(contribute('mllp out', { tls: 'on', tlsKey: '/a/lab.key' }).issues).toMatchObject([
      { code: 'tls-incomplete' },
    ]);
  });
});

describe('a field', () => {
  it.each([
    ['10.1.2.3', 1],
    ['10.1.2.3, 192.168.0.0/16\nfd00::/8', 3],
    ['::1', 1],
    ['::ffff:10.0.0.0/104', 1],
    ['0.0.0.0/0, ::/0', 2],
  ])('takes the peers %j, which the listener can look up', (text, count) => {
    const parsed = peerList(text);
    if (!parsed.ok) throw new Error(parsed.problem);
    expect(parsed.value).toHaveLength(count);
    expect(() => buildAddressList(parsed.value)).not.toThrow();
  });

  it.each([
    '10.1.2',
    '10.1.2.256',
    '10.1.2.3/',
    '10.1.2.3/33',
    '10.1.2.3/-1',
    '10.1.2.3/8/8',
    'fd00::/129',
    '::ffff:10.0.0.0/8',
    'lab.example.org',
    '10.1.2.3 10.1.2.4',
    ',',
  ])('refuses the peers %j', (text) => {
    expect(peerList(text).ok).toBe(false);
  });

  it.each([
    ['/etc/hilum/lab.pem', true],
    ['C:\\hilum\\lab.pem', true],
    ['lab.pem', false],
    ['./lab.pem', false],
    ['', false],
  ])('asked whether %j is a path: %s', (text, expected) => {
    expect(filePath(text).ok).toBe(expected);
  });

  it('takes fingerprints with and without colons', () => {
    const withColons = fingerprint.toUpperCase().replace(/(..)(?=.)/g, '$1:');
    expect(fingerprintList(`${fingerprint},${withColons}`).ok).toBe(true);
    expect(fingerprintList(fingerprint.slice(1)).ok).toBe(false);
  });

  it.each(['lab.example: /a.pem', 'lab example: /a.pem, /a.key', 'lab: a.pem, /a.key', ': /a, /b'])(
    'refuses the server name %j',
    (text) => {
      expect(serverNameList(text).ok).toBe(false);
    },
  );
});
