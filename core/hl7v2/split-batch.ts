import { BatchReader } from './batch-reader.ts';
import type { SplitBatch } from './batch.ts';
import { splitBytes, splitMessages } from './split.ts';

/**
 * Divides FHS, BHS, messages, BTS and FTS, each of which but the messages may be missing, and several
 * batches or files one after the other. What starts with MSH alone is one batch without header or trailer.
 * HL7 v2 chapter 2, batch protocol.
 */
export function splitBatch(source: string | Uint8Array): SplitBatch {
  const { pieces, issues } =
    typeof source === 'string' ? splitMessages(source) : splitBytes(source);
  const reader = new BatchReader();
  for (const piece of pieces) reader.take(piece);
  return { ...reader.finish(), pieces, issues: [...issues, ...reader.issues] };
}

/** What was split, as it was: text as text. For bytes see {@link joinBatchBytes}. */
export function joinBatch({ pieces }: SplitBatch): string {
  return pieces.map((piece) => piece.text).join('');
}

/** The bytes that were split, as they were. Throws RangeError where a text was. */
export function joinBatchBytes({ pieces }: SplitBatch): Uint8Array {
  return Buffer.concat(
    pieces.map(({ bytes }) => {
      if (bytes === undefined) throw new RangeError('Expected what was split from bytes');
      return bytes;
    }),
  );
}
