import {
  buildAddressList,
  formatEndpoint,
  normalizeAddress,
} from '../../../connectors/mllp/peer-address.ts';

it.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['::FFFF:10.1.2.3', '10.1.2.3'],
  ['::ffff:a01:203', '10.1.2.3'],
  ['FD00::7', 'fd00::7'],
  ['fe80::1%eth0', 'fe80::1'],
  ['::1', '::1'],
])('the address %s is %s', (given, expected) => {
  expect(normalizeAddress(given)).toBe(expected);
});

it('an IPv6 address stands in brackets before its port', () => {
  expect(formatEndpoint({ host: 'fd00::7', port: 5123 })).toBe('[fd00::7]:5123');
  expect(formatEndpoint({ host: '10.1.2.3', port: 5123 })).toBe('10.1.2.3:5123');
});

describe('a list of addresses and networks', () => {
  it.each([
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '::ffff:10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['::ffff:10.1.2.3', '10.1.2.3', true],
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '::ffff:10.9.9.9', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/8', '10.200.0.1', true],
    ['10.1.2.0/25', '10.1.2.128', false],
    ['10.1.2.3/32', '10.1.2.3', true],
    ['0.0.0.0/0', '192.0.2.1', true],
    ['0.0.0.0/0', 'fd00::7', false],
    ['::/0', 'fd00::7', true],
    ['fd00::/8', 'fdff::1', true],
    ['fd00::/8', 'fe80::1', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['fd00::7', 'FD00:0:0:0:0:0:0:7', true],
    ['::ffff:10.0.0.0/104', '10.7.7.7', true],
    ['::ffff:10.0.0.0/104', '11.7.7.7', false],
    ['10.0.0.0/8', 'nonsense', false],
  ])('of %s, asked for %s: %s', (entry, address, expected) => {
    expect(buildAddressList(['192.0.2.77', entry]).includes(address)).toBe(expected);
  });
});
