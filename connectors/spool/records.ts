import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** Length and CRC-32 of what follows, each a uint32, little-endian. */
const headBytes = 8;
/** More than any record: a length beyond it is not one. */
const maxRecordBytes = 256 * 1024 * 1024;

/** A record as it stands in the file. */
export function toRecord(content: Uint8Array): readonly [head: Buffer, content: Uint8Array] {
  const head = Buffer.allocUnsafe(headBytes);
  head.writeUInt32LE(content.length, 0);
  head.writeUInt32LE(crc32(content), 4);
  return [head, content];
}

/** How much of the file a record of this content takes. */
export function sizeOf(content: Uint8Array): number {
  return headBytes + content.length;
}

/** What a stretch of the file holds. */
interface Stretch {
  /** Each record's content. */
  readonly contents: readonly Buffer[];
  /** Where the next record begins. */
  readonly next: number;
  /** What follows is no record: it was cut short, or damaged. */
  readonly isBroken: boolean;
}

/**
 * The records between two positions, about `wantedBytes` of them and at least one. Rejects where the file cannot be
 * read.
 */
export async function readRecords(
  handle: FileHandle,
  {
    from,
    end,
    wantedBytes,
  }: { readonly from: number; readonly end: number; readonly wantedBytes: number },
): Promise<Stretch> {
  let chunk = await readFully(handle, from, Math.min(wantedBytes, end - from));
  const contents: Buffer[] = [];
  let at = 0;
  const broken = (): Stretch => ({ contents, next: from + at, isBroken: true });
  while (from + at < end) {
    if (chunk.length - at < headBytes) {
      if (from + chunk.length < end && contents.length > 0) break;
      return broken();
    }
    const length = chunk.readUInt32LE(at);
    const after = at + headBytes + length;
    if (length > maxRecordBytes || from + after > end) return broken();
    if (after > chunk.length) {
      if (contents.length > 0) break;
      // The first one is longer than what was wanted.
      chunk = await readFully(handle, from, after);
      if (chunk.length < after) return broken();
    }
    const content = chunk.subarray(at + headBytes, after);
    if (crc32(content) !== chunk.readUInt32LE(at + 4)) return broken();
    contents.push(content);
    at = after;
  }
  return { contents, next: from + at, isBroken: false };
}

async function readFully(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await handle.read(buffer, read, length - read, from + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}
