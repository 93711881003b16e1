import { deserialize, serialize } from 'node:v8';

/** The longest message body that passes between a client and the owner. */
export const maxBodyBytes = 64 * 1024 * 1024;
/** The longest frame: a body with its header and the operations beside it. More is not one of ours. */
const maxFrameBytes = maxBodyBytes + 32 * 1024 * 1024;
/** The longest request. A little less than a frame: what was published has to fit into a delivery too. */
export const maxRequestBytes = maxFrameBytes - 1024 * 1024;

const lengthBytes = 4;

/** A value that is longer than a frame may be. */
export class FrameTooLong extends RangeError {
  /** How long it is. */
  readonly bytes: number;

  constructor(bytes: number, limit: number) {
    super(`A frame of at most ${limit} bytes expected: ${bytes}.`);
    this.name = 'FrameTooLong';
    this.bytes = bytes;
  }
}

/**
 * A value as a frame: its length (uint32, little-endian), then its V8 serialisation. Throws FrameTooLong
 * where that is longer than `limit`, and V8's error on what it cannot serialise.
 */
export function toFrame(value: unknown, limit = maxFrameBytes): readonly [Buffer, Buffer] {
  const content = serialize(value);
  if (content.length > limit) throw new FrameTooLong(content.length, limit);
  const head = Buffer.allocUnsafe(lengthBytes);
  head.writeUInt32LE(content.length);
  return [head, content];
}

/** Puts the chunks of a stream together to frames, however they were cut. One a connection. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #held = 0;
  /** How many bytes the frame under way needs, its head included; unknown before its head is there. */
  #needed = lengthBytes;

  /** The values of the frames that this chunk completes. Throws on a frame that is too long or unreadable. */
  *read(chunk: Buffer): Iterable<unknown> {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    // Joining only once a whole frame is there keeps a large body from being copied with every chunk.
    while (this.#held >= this.#needed) {
      const bytes = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
      if (bytes === undefined) return;
      const length = bytes.readUInt32LE(0);
      if (length > maxFrameBytes) throw new FrameTooLong(length, maxFrameBytes);
      const end = lengthBytes + length;
      if (bytes.length < end) {
        this.#chunks = [bytes];
        this.#needed = end;
        return;
      }
      const rest = bytes.subarray(end);
      this.#chunks = rest.length === 0 ? [] : [rest];
      this.#held = rest.length;
      this.#needed = lengthBytes;
      yield deserialize(bytes.subarray(lengthBytes, end));
    }
  }
}
