import type { Issue } from '../issue.ts';
import type { Batch, BatchFile, BatchMessage, BatchSegment } from './batch.ts';
import { readDelimiters } from './delimiters.ts';
import type { Delimiters } from './message.ts';
import { findLineEnd, findStart, forEachLine } from './scan.ts';
import type { Piece } from './split.ts';

type Open<T> = { -readonly [K in keyof T]: T[K] };
type OpenFile = Omit<Open<BatchFile>, 'batches'> & { readonly batches: OpenBatch[] };
type OpenBatch = Omit<Open<Batch>, 'messages' | 'file'> & {
  readonly file: OpenFile;
  readonly messages: BatchMessage[];
};

/** Takes the pieces of a split one after the other and puts messages into batches, batches into files. */
export class BatchReader {
  readonly issues: Issue[] = [];
  private readonly files: OpenFile[] = [];
  private readonly messages: BatchMessage[] = [];
  private file: OpenFile | undefined;
  private batch: OpenBatch | undefined;

  take(piece: Piece & { readonly bytes?: Uint8Array }): void {
    if (piece.kind === 'message') {
      const batch = this.batch ?? this.openBatch(undefined);
      const { text, line, bytes } = piece;
      const number = this.messages.length + 1;
      const position = batch.messages.length + 1;
      const message = { text, bytes, line, number, position, batch };
      batch.messages.push(message);
      this.messages.push(message);
    }
    if (piece.kind !== 'batch') return;
    forEachLine(piece.text, 0, (start, end, line) => {
      const from = start + findStart(piece.text.slice(start, end));
      this.takeSegment(piece.text.slice(from, end), piece.line + line - 1);
    });
  }

  finish(): { readonly files: readonly BatchFile[]; readonly messages: readonly BatchMessage[] } {
    this.closeFile();
    return { files: this.files, messages: this.messages };
  }

  private takeSegment(text: string, line: number): void {
    const segment = readSegment(text, line, this.batch?.header ?? this.file?.header);
    switch (segment.name) {
      case 'FHS':
        this.closeFile();
        this.openFile(segment);
        break;
      case 'BHS':
        this.closeBatch();
        this.openBatch(segment);
        break;
      case 'BTS':
        this.endBatch(segment);
        break;
      case 'FTS':
        this.endFile(segment);
    }
  }

  private openFile(header: BatchSegment | undefined): OpenFile {
    const file = { number: this.files.length + 1, header, trailer: undefined, batches: [] };
    this.files.push(file);
    this.file = file;
    return file;
  }

  private openBatch(header: BatchSegment | undefined): OpenBatch {
    const file = this.file ?? this.openFile(undefined);
    const number = file.batches.length + 1;
    const batch = { number, header, trailer: undefined, file, messages: [] };
    file.batches.push(batch);
    this.batch = batch;
    return batch;
  }

  private endBatch(trailer: BatchSegment): void {
    const batch = this.batch ?? this.openBatch(undefined);
    batch.trailer = trailer;
    if (batch.header === undefined) {
      this.report('batch-header-missing', trailer, 'Expected a BHS before BTS');
    }
    this.checkCount(trailer, { found: [batch.messages.length], what: 'messages' });
    this.batch = undefined;
  }

  private endFile(trailer: BatchSegment): void {
    this.closeBatch();
    const file = this.file ?? this.openFile(undefined);
    file.trailer = trailer;
    if (file.header === undefined) {
      this.report('file-header-missing', trailer, 'Expected an FHS before FTS');
    }
    const marked = file.batches.filter(({ header, trailer: end }) => header ?? end);
    // Messages without BHS and BTS are one batch, or none.
    const found = [...new Set([file.batches.length, marked.length])];
    this.checkCount(trailer, { found, what: 'batches' });
    this.file = undefined;
  }

  /** At the next header or the end: the trailer should have come before. */
  private closeBatch(): void {
    const { header } = this.batch ?? {};
    if (header !== undefined) {
      this.report('batch-trailer-missing', header, 'Expected a BTS that ends the batch of BHS');
    }
    this.batch = undefined;
  }

  private closeFile(): void {
    this.closeBatch();
    const { header } = this.file ?? {};
    if (header !== undefined) {
      this.report('file-trailer-missing', header, 'Expected an FTS that ends the file of FHS');
    }
    this.file = undefined;
  }

  private checkCount(
    trailer: BatchSegment,
    { found, what }: { readonly found: readonly number[]; readonly what: string },
  ): void {
    const count = (trailer.fields[0] ?? '').trim();
    const location = `${trailer.name}-1`;
    const [first = 0] = found;
    if (count === '' || count === '""') return;
    if (!/^\d{1,15}$/.test(count)) {
      const message = `Expected the number of ${what} on line ${trailer.line}, found other text`;
      this.issues.push({ code: 'batch-count-invalid', severity: 'warning', location, message });
    } else if (!found.includes(Number(count))) {
      const message = `Expected ${Number(count)} ${what} as the trailer on line ${trailer.line} says, found ${first}; ask the sender whether some are missing`;
      this.issues.push({ code: 'batch-count-mismatch', severity: 'error', location, message });
    }
  }

  private report(code: string, { name, line }: BatchSegment, expected: string): void {
    const message = `${expected} on line ${line}, found none; part of the file may be missing`;
    this.issues.push({ code, severity: 'warning', location: name, message });
  }
}

function readSegment(text: string, line: number, header: BatchSegment | undefined): BatchSegment {
  const name = text.slice(0, 3) as BatchSegment['name'];
  const separator = text.charAt(3);
  const parts = separator === '' ? [] : text.slice(4).split(separator);
  const isHeader = name === 'FHS' || name === 'BHS';
  return {
    name,
    text,
    line,
    delimiters: isHeader ? findDelimiters(text) : header?.delimiters,
    fields: isHeader && separator !== '' ? [separator, ...parts] : parts,
  };
}

function findDelimiters(text: string): Delimiters | undefined {
  const read = readDelimiters(text, 0, findLineEnd(text, 0));
  return read.ok ? read.delimiters : undefined;
}
