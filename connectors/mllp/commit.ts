import { buildFrame } from './frame.ts';

/** What a commit block of MLLP release 2 says of the message before it: it is durable, or it is not. */
export type Commit = 'committed' | 'not-committed';

const codes = { committed: 0x06, 'not-committed': 0x15 } as const satisfies Record<Commit, number>;

/** `VT ACK FS CR` or `VT NAK FS CR`. HL7 v3 Transport Specification, MLLP release 2. */
export const commitBlocks: Readonly<Record<Commit, Buffer>> = {
  committed: buildFrame(Uint8Array.of(codes.committed)),
  'not-committed': buildFrame(Uint8Array.of(codes['not-committed'])),
};

/** What a frame's content says where it is a commit block; undefined where it is a message. */
export function readCommit(bytes: Uint8Array): Commit | undefined {
  if (bytes.length !== 1) return undefined;
  if (bytes[0] === codes.committed) return 'committed';
  return bytes[0] === codes['not-committed'] ? 'not-committed' : undefined;
}
