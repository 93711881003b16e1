/** A header of the PROXY protocol's version 2, by its parts. */
export function buildProxyHeader({
  command = 0x21,
  family,
  addresses,
}: {
  /** Version and command; 0x20 is LOCAL. */
  readonly command?: number;
  readonly family: number;
  readonly addresses: readonly number[];
}): Buffer {
  const { length } = addresses;
  return Buffer.from([
    ...Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
    command,
    family,
    length >> 8,
    length & 0xff,
    ...addresses,
  ]);
}
