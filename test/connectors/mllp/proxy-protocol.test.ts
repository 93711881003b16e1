import fc from 'fast-check';
import { parseProxyHeader } from '../../../connectors/mllp/proxy-protocol.ts';
import { buildProxyHeader } from './proxy-header.ts';

const ipv4 = { family: 0x11, addresses: [10, 1, 2, 3, 10, 0, 0, 9, 0x14, 0x03, 0x0a, 0x0f] };
const ipv6 = [0xfd, 0x00, ...Array.from({ length: 13 }, () => 0), 7];
const mapped = [...Array.from({ length: 10 }, () => 0), 0xff, 0xff, 10, 1, 2, 3];
const ports = [0x14, 0x03, 0x0a, 0x0f];

const headers: readonly (readonly [string, Buffer, { host: string; port: number } | undefined])[] =
  [
    ['IPv4', buildProxyHeader(ipv4), { host: '10.1.2.3', port: 5123 }],
    [
      'IPv6',
      buildProxyHeader({ family: 0x21, addresses: [...ipv6, ...ipv6, ...ports] }),
      { host: 'fd00::7', port: 5123 },
    ],
    [
      'IPv4 in IPv6',
      buildProxyHeader({ family: 0x21, addresses: [...mapped, ...mapped, ...ports] }),
      { host: '10.1.2.3', port: 5123 },
    ],
    [
      'additional values',
      buildProxyHeader({ ...ipv4, addresses: [...ipv4.addresses, 0x04, 0, 3, 1, 2, 3] }),
      { host: '10.1.2.3', port: 5123 },
    ],
    ['LOCAL', buildProxyHeader({ command: 0x20, family: 0, addresses: [] }), undefined],
    ['LOCAL with addresses', buildProxyHeader({ command: 0x20, ...ipv4 }), undefined],
    ['an unspecified family', buildProxyHeader({ family: 0, addresses: [] }), undefined],
    [
      'a UNIX socket',
      buildProxyHeader({ family: 0x31, addresses: Array(216).fill(0x41) }),
      undefined,
    ],
    [
      'text, IPv4',
      Buffer.from('PROXY TCP4 10.1.2.3 10.0.0.9 5123 2575\r\n'),
      { host: '10.1.2.3', port: 5123 },
    ],
    [
      'text, IPv6',
      Buffer.from('PROXY TCP6 fd00::7 fd00::1 5123 2575\r\n'),
      { host: 'fd00::7', port: 5123 },
    ],
    ['text, unknown', Buffer.from('PROXY UNKNOWN\r\n'), undefined],
    [
      'text, unknown with addresses',
      Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'),
      undefined,
    ],
  ];

describe('the header of the PROXY protocol', () => {
  it.each(headers)('of %s says whose connection it is', (_what, header, source) => {
    const found = parseProxyHeader(Buffer.concat([header, Buffer.from('\x0bMSH')]));
    expect(found).toEqual({
      kind: 'header',
      length: header.length,
      ...(source === undefined ? {} : { source }),
    });
  });

  it.each(headers)(
    'of %s is incomplete at every cut, and says how much is needed',
    (_what, header) => {
      for (let length = 1; length < header.length; length += 1) {
        const found = parseProxyHeader(header.subarray(0, length));
        if (found.kind !== 'incomplete') throw new Error(`found ${found.kind} at ${length}`);
        expect(found.atLeast).toBeGreaterThan(length);
        expect(found.atLeast).toBeLessThanOrEqual(header.length);
      }
    },
  );

  it.each<[string, Buffer, string]>([
    ['MLLP', Buffer.from('\x0bMSH|^~\\&|'), 'something else'],
    ['line ends', Buffer.from('\r\n\r\nhello'), 'something else'],
    ['another version', buildProxyHeader({ ...ipv4, command: 0x31 }), 'version 3'],
    ['an unknown command', buildProxyHeader({ ...ipv4, command: 0x22 }), 'unknown command'],
    ['UDP', buildProxyHeader({ ...ipv4, family: 0x12 }), 'family and transport 18'],
    ['a short block', buildProxyHeader({ ...ipv4, addresses: [10, 1, 2, 3] }), 'cut short'],
    ['text without an end', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`), 'does not end'],
    [
      'text with a wrong address',
      Buffer.from('PROXY TCP4 10.1.2 10.0.0.9 1 2\r\n'),
      'cannot be read',
    ],
    [
      'text with the other family',
      Buffer.from('PROXY TCP4 fd00::7 fd00::1 1 2\r\n'),
      'cannot be read',
    ],
    [
      'text with a wrong port',
      Buffer.from('PROXY TCP4 10.1.2.3 10.0.0.9 70000 2\r\n'),
      'cannot be read',
    ],
    ['text with more', Buffer.from('PROXY TCP4 10.1.2.3 10.0.0.9 1 2 3\r\n'), 'cannot be read'],
  ])('is not %s', (_what, bytes, found) => {
    expect(parseProxyHeader(bytes)).toEqual({
      kind: 'invalid',
      found: expect.stringContaining(found) as string,
    });
  });

  it('is never read out of bytes at random, nor does reading fail', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
        const found = parseProxyHeader(Buffer.from(bytes));
        if (found.kind === 'header') throw new Error('a header');
      }),
      { seed: 31, numRuns: 2000 },
    );
  });
});
