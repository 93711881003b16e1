import { deserialize, serialize } from 'node:v8';

/** The longest message body that passes between a client and the owner. */
export const maxBodyBytes = 64 * 1024 * 1024;
/** The longest frame: a body with its header and the operations beside it. More is not one of ours. */
const maxFrameBytes = maxBodyBytes + 32 * 1024 * 1024;

const lengthBytes = 4;

/** A value as a frame: its length (uint32, little-endian), then its V8 serialisation. */
export function toFrame(value: unknown): readonly [Buffer, Buffer] {
  const content = serialize(value);
  if (content.length > maxFrameBytes) {
    throw new RangeError(`A frame of at most ${maxFrameBytes} bytes expected: ${content.length}.`);
  }
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

  /** The values of the frames that this chunk completes. Throws RangeError on a frame that is too long. */
  *read(chunk: Buffer): Iterable<unknown> {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    // Joining only once a whole frame is there keeps a large body from being copied with every chunk.
    while (this.#held >= this.#needed) {
      const bytes = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
      if (bytes === undefined) return;
      const length = bytes.readUInt32LE(0);
      if (length > maxFrameBytes) {
        throw new RangeError(`A frame of at most ${maxFrameBytes} bytes expected: ${length}.`);
      }
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
