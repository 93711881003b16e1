import type { Issue } from '../issue.ts';
import type { Delimiters } from './message.ts';
import type { Piece } from './split.ts';

/** FHS, BHS, BTS or FTS of a batch, as it stands. */
export interface BatchSegment {
  readonly name: 'FHS' | 'BHS' | 'BTS' | 'FTS';
  /** Without its line end. */
  readonly text: string;
  /** Which line of the whole, 1-based. */
  readonly line: number;
  /** Of FHS-1 and FHS-2, BHS-1 and BHS-2; in a trailer those of its header. Undefined where they are none. */
  readonly delimiters: Delimiters | undefined;
  /** Raw, `fields[0]` is the first: in FHS and BHS the separator itself. */
  readonly fields: readonly string[];
}

/** What one FHS and FTS hold, either of which may be missing. */
export interface BatchFile {
  /** Which one of the whole, 1-based. */
  readonly number: number;
  readonly header: BatchSegment | undefined;
  readonly trailer: BatchSegment | undefined;
  readonly batches: readonly Batch[];
}

/** What one BHS and BTS hold, either of which may be missing. */
export interface Batch {
  /** Which one of its file, 1-based. */
  readonly number: number;
  readonly header: BatchSegment | undefined;
  readonly trailer: BatchSegment | undefined;
  readonly file: BatchFile;
  readonly messages: readonly BatchMessage[];
}

/** A message and where it belongs. */
export interface BatchMessage {
  readonly text: string;
  /** Its bytes, where bytes were split; its text is decoded by its own MSH-18. */
  readonly bytes: Uint8Array | undefined;
  /** Which line of the whole it starts on, 1-based. */
  readonly line: number;
  /** Which message of the whole, 1-based. */
  readonly number: number;
  /** Which message of its batch, 1-based. */
  readonly position: number;
  readonly batch: Batch;
}

/** A text or bytes divided into messages with their batches and files. */
export interface SplitBatch {
  readonly files: readonly BatchFile[];
  readonly messages: readonly BatchMessage[];
  /** Everything, one after the other: joined it is what was split. */
  readonly pieces: readonly (Piece & { readonly bytes?: Uint8Array })[];
  /**
   * `batch-count-mismatch` (BTS-1, FTS-1), `batch-count-invalid`, `batch-trailer-missing`,
   * `file-trailer-missing`, `batch-header-missing`, `file-header-missing`, `content-unexpected`: each with
   * its line.
   */
  readonly issues: readonly Issue[];
}
