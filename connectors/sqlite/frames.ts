import { maxBodyBytes } from '../../core/ledger/body-size.ts';

/** The longest frame: a body with its header and the operations beside it. More is not one of ours. */
const maxFrameBytes = maxBodyBytes + 32 * 1024 * 1024;
/** The longest request. A little less than a frame: what was published has to fit into a delivery too. */
export const maxRequestBytes = maxFrameBytes - 1024 * 1024;

/** The lengths of the whole frame behind them and of its text, and the number of attachments: uint32 each. */
const headBytes = 12;
/** In front of each attachment: its length. */
const lengthBytes = 4;

/** What a frame carries: text, and the bytes that it speaks of by their numbers. */
export interface FrameContent {
  readonly text: string;
  readonly attachments: readonly Uint8Array[];
}

/** A content that is longer than a frame may be. */
export class FrameTooLong extends RangeError {
  /** How long it is. */
  readonly bytes: number;

  constructor(bytes: number, limit: number) {
    super(`A frame of at most ${limit} bytes expected: ${bytes}.`);
    this.name = 'FrameTooLong';
    this.bytes = bytes;
  }
}

/** The content as bytes, in one piece: many small writes cost more than a copy. Throws FrameTooLong beyond `limit`. */
export function toFrame({ text, attachments }: FrameContent, limit = maxFrameBytes): Buffer {
  const textBytes = Buffer.byteLength(text);
  let length = headBytes - lengthBytes + textBytes;
  for (const attachment of attachments) length += lengthBytes + attachment.length;
  if (length > limit) throw new FrameTooLong(length, limit);
  const frame = Buffer.allocUnsafe(lengthBytes + length);
  frame.writeUInt32LE(length, 0);
  frame.writeUInt32LE(textBytes, 4);
  frame.writeUInt32LE(attachments.length, 8);
  frame.write(text, headBytes);
  let at = headBytes + textBytes;
  for (const attachment of attachments) {
    frame.writeUInt32LE(attachment.length, at);
    frame.set(attachment, at + lengthBytes);
    at += lengthBytes + attachment.length;
  }
  return frame;
}

/** Puts the chunks of a stream together to frames, however they were cut. One a connection. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #held = 0;
  /** How many bytes the frame under way needs, its length included; unknown before that is there. */
  #needed = lengthBytes;

  /**
   * The contents of the frames that this chunk completes; their attachments are views of the stream's bytes. Throws
   * on a frame that is too long, or whose lengths do not fit into it.
   */
  *read(chunk: Buffer): Iterable<FrameContent> {
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
      yield readContent(bytes, end);
    }
  }
}

function readContent(bytes: Buffer, end: number): FrameContent {
  if (end < headBytes)
    throw new RangeError(`A frame of at least ${headBytes} bytes expected: ${end}.`);
  let at = headBytes + bytes.readUInt32LE(4);
  const text = bytes.toString('utf8', headBytes, Math.min(at, end));
  const attachments: Uint8Array[] = [];
  for (let left = bytes.readUInt32LE(8); left > 0 && at + lengthBytes <= end; left -= 1) {
    const from = at + lengthBytes;
    at = from + bytes.readUInt32LE(at);
    attachments.push(bytes.subarray(from, Math.min(at, end)));
  }
  if (at !== end)
    throw new RangeError(`A frame that ends with its last part expected: ${at} of ${end} bytes.`);
  return { text, attachments };
}
