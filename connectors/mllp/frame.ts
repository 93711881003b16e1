/** MLLP's framing bytes. HL7 v2 Transport: MLLP release 1 and 2, block format. */
const framing = { start: 0x0b, end: 0x1c, carriageReturn: 0x0d } as const;
const lineFeed = 0x0a;

/** What was wrong with the bytes between or inside frames. */
export interface FrameFault {
  readonly kind: 'fault';
  /**
   * - `garbage`: bytes outside any frame, skipped; reported once a stretch, when it ends.
   * - `frame-not-ended`: the next frame started, or the connection ended, before this one's end block.
   * - `empty-frame`: nothing between start and end.
   * - `frame-too-large`, `no-frame`: over the limit; nothing more is decoded after these two.
   */
  readonly code: 'garbage' | 'frame-not-ended' | 'empty-frame' | 'frame-too-large' | 'no-frame';
  /** How many bytes it is about. */
  readonly bytes: number;
}

/**
 * One message without its framing, or a fault. In the order of the bytes. A message that came in one chunk
 * is a view of it: copy it before it is posted to another thread, which would copy the whole chunk.
 */
export type FrameEvent = { readonly kind: 'message'; readonly bytes: Uint8Array } | FrameFault;

/** What the decoder is in the middle of. */
interface FrameProgress {
  readonly state: 'between-frames' | 'in-garbage' | 'in-frame' | 'failed';
  /** Bytes of the unfinished frame or stretch of garbage. */
  readonly bytes: number;
}

/**
 * Incremental MLLP decoder: chunks in by `write`, events out by `next`, so that the reader can stop
 * between two messages of one chunk. The events depend on the bytes alone, never on how they were cut.
 *
 * A frame ends at its end block (FS); the CR after it is skipped when it comes and never waited for,
 * because some senders leave it out and still wait for their answer.
 */
export interface FrameDecoder {
  write(chunk: Buffer): void;
  /** The next event, or undefined when more bytes are needed. */
  next(): FrameEvent | undefined;
  /** No more bytes will come: what is unfinished, if anything. */
  end(): FrameFault | undefined;
  readonly progress: FrameProgress;
  /** The first bytes of the stretch of garbage, to recognise a foreign protocol. Never to be logged. */
  garbageStart(): Uint8Array;
}

const garbageSample = 16;

/**
 * @param limits.maxFrameBytes a frame beyond it fails the decoder
 * @param limits.maxGarbageBytes as many bytes without a frame fail it too
 */
export function createFrameDecoder(limits: {
  readonly maxFrameBytes: number;
  readonly maxGarbageBytes: number;
}): FrameDecoder {
  const waiting: Buffer[] = [];
  const frame = createFrameBuffer();
  let chunk: Buffer = Buffer.alloc(0);
  let position = 0;
  // Where the next FS and VT of this chunk stand; each is searched for only once, so that a chunk of
  // nothing but VTs costs no more than any other.
  let nextEnd = -1;
  let nextStart = -1;
  let state: FrameProgress['state'] = 'between-frames';
  let garbageBytes = 0;
  let sample: number[] = [];

  function findFrom(known: number, byte: number): number {
    if (known >= position) return known;
    const found = chunk.indexOf(byte, position);
    return found === -1 ? chunk.length : found;
  }

  function advanceChunk(): boolean {
    while (position >= chunk.length) {
      const following = waiting.shift();
      if (following === undefined) return false;
      chunk = following;
      position = 0;
      nextEnd = -1;
      nextStart = -1;
    }
    return true;
  }

  function fail(code: FrameFault['code'], bytes: number): FrameFault {
    state = 'failed';
    frame.clear();
    waiting.length = 0;
    chunk = Buffer.alloc(0);
    position = 0;
    return { kind: 'fault', code, bytes };
  }

  function startFrame(): void {
    position += 1;
    state = 'in-frame';
    garbageBytes = 0;
    sample = [];
  }

  function readOutside(): FrameEvent | undefined {
    nextStart = findFrom(nextStart, framing.start);
    for (; position < nextStart; position += 1) {
      const byte = chunk[position] ?? 0;
      const isLineEnd = byte === framing.carriageReturn || byte === lineFeed;
      if (isLineEnd && garbageBytes === 0) continue;
      state = 'in-garbage';
      garbageBytes += 1;
      if (sample.length < garbageSample) sample.push(byte);
      if (garbageBytes > limits.maxGarbageBytes) return fail('no-frame', garbageBytes);
    }
    if (position >= chunk.length) return undefined;
    const skipped = garbageBytes;
    startFrame();
    return skipped === 0 ? undefined : { kind: 'fault', code: 'garbage', bytes: skipped };
  }

  function readInside(): FrameEvent | undefined {
    nextEnd = findFrom(nextEnd, framing.end);
    nextStart = findFrom(nextStart, framing.start);
    const stop = Math.min(nextEnd, nextStart);
    const length = frame.length + stop - position;
    // Where the limit was passed, not how much more happens to be in this chunk.
    if (length > limits.maxFrameBytes) return fail('frame-too-large', limits.maxFrameBytes + 1);
    if (stop === chunk.length) {
      frame.append(chunk, position, stop);
      position = stop;
      return undefined;
    }
    if (stop === nextStart) {
      frame.clear();
      position = stop;
      startFrame();
      return { kind: 'fault', code: 'frame-not-ended', bytes: length };
    }
    const bytes = frame.take(chunk, position, stop);
    position = stop + 1;
    state = 'between-frames';
    return length === 0
      ? { kind: 'fault', code: 'empty-frame', bytes: 0 }
      : { kind: 'message', bytes };
  }

  return {
    write(bytes) {
      if (state !== 'failed' && bytes.length > 0) waiting.push(bytes);
    },
    next() {
      while (advanceChunk()) {
        const event = state === 'in-frame' ? readInside() : readOutside();
        if (event !== undefined) return event;
      }
      return undefined;
    },
    end() {
      if (state === 'in-frame')
        return { kind: 'fault', code: 'frame-not-ended', bytes: frame.length };
      if (state === 'in-garbage') return { kind: 'fault', code: 'garbage', bytes: garbageBytes };
      return undefined;
    },
    get progress() {
      return { state, bytes: state === 'in-frame' ? frame.length : garbageBytes };
    },
    garbageStart: () => Uint8Array.from(sample),
  };
}

const firstBlockBytes = 4096;
const largestBlockBytes = 1024 * 1024;
/** From here on a piece is kept as it came: copying it would hold its bytes twice. */
const largePieceBytes = 4096;

/**
 * Collects the pieces of one frame. Large pieces are kept as they came, small ones collected in blocks that
 * double in size, each filled before the next piece is kept: no byte is moved more than twice, a frame that
 * arrives byte by byte costs no object a byte, and the whole is held but twice when it is put together.
 */
function createFrameBuffer() {
  let pieces: Buffer[] = [];
  /** The last of the pieces, where it is a block with room left. */
  let block: Buffer | undefined;
  let used = 0;
  let length = 0;

  function clear(): void {
    pieces = [];
    block = undefined;
    used = 0;
    length = 0;
  }

  function append(source: Buffer, start: number, end: number): void {
    length += end - start;
    let from = start;
    while (from < end) {
      if (block === undefined) {
        if (end - from >= largePieceBytes) {
          pieces.push(source.subarray(from, end));
          return;
        }
        block = Buffer.allocUnsafeSlow(
          Math.min(largestBlockBytes, Math.max(firstBlockBytes, length)),
        );
        pieces.push(block);
        used = 0;
      }
      const copied = source.copy(block, used, from, end);
      used += copied;
      from += copied;
      if (used === block.length) block = undefined;
    }
  }

  return {
    get length() {
      return length;
    },
    clear,
    append,
    /** Everything collected and this last piece, in one; starts anew. */
    take(source: Buffer, start: number, end: number): Uint8Array {
      if (length === 0) return source.subarray(start, end);
      const whole = Buffer.allocUnsafeSlow(length + end - start);
      let offset = 0;
      for (const piece of pieces) offset += piece.copy(whole, offset, 0, length - offset);
      source.copy(whole, offset, start, end);
      clear();
      return whole;
    },
  };
}

/** A message in its MLLP frame: VT, the bytes, FS, CR. */
export function buildFrame(bytes: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(bytes.length + 3);
  framed[0] = framing.start;
  framed.set(bytes, 1);
  framed[bytes.length + 1] = framing.end;
  framed[bytes.length + 2] = framing.carriageReturn;
  return framed;
}
