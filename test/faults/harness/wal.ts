import { appendFileSync, openSync, closeSync, fstatSync, readSync } from 'node:fs';
import type { Random } from '../../fuzz/random.ts';

const headerBytes = 32;
const frameHeaderBytes = 24;

/** How a write-ahead log may end after a crash: no commit was answered for any of it. */
export type Tear = 'half a frame' | 'a frame with a wrong checksum' | 'garbage';

/**
 * Appends to SQLite's write-ahead log what a transaction leaves that was being written when the power went:
 * frames of the log's own salt that are not a commit. SQLite's file format, chapter 4. False where the log is
 * empty.
 */
export function tearLog(file: string, tear: Tear, random: Random): boolean {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    if (size <= headerBytes) return false;
    const header = Buffer.alloc(headerBytes);
    readSync(descriptor, header, 0, headerBytes, 0);
    const frameBytes = frameHeaderBytes + header.readUInt32BE(8);
    const frames = Math.floor((size - headerBytes) / frameBytes);
    if (frames === 0) return false;
    const frame = Buffer.alloc(frameBytes);
    readSync(descriptor, frame, 0, frameBytes, headerBytes + (frames - 1) * frameBytes);
    appendFileSync(file, build(frame, tear, random));
    return true;
  } finally {
    closeSync(descriptor);
  }
}

function build(frame: Buffer, tear: Tear, random: Random): Buffer {
  switch (tear) {
    case 'half a frame':
      return frame.subarray(0, frameHeaderBytes + random.whole(frame.length - frameHeaderBytes));
    case 'a frame with a wrong checksum': {
      const at = frameHeaderBytes + random.whole(frame.length - frameHeaderBytes);
      frame[at] = (frame[at] ?? 0) ^ 0xff;
      return frame;
    }
    case 'garbage':
      return Buffer.from(Array.from({ length: 10_000 }, () => random.whole(256)));
  }
}
