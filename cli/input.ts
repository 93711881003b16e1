import { readFile } from 'node:fs/promises';
import type { Issue } from '../core/issue.ts';
import { toLine } from '../core/errors.ts';
import { splitBatch } from '../core/hl7v2/split-batch.ts';

/** What a command's content or its surroundings were worth: 0 good, 1 content at fault, 2 usage or input and output. */
export type ExitCode = 0 | 1 | 2;

/** One message of a file, as bytes. */
interface InputMessage {
  readonly bytes: Uint8Array;
  /** Which message of the file, 1-based. */
  readonly number: number;
  /** Which line of the file it starts on, 1-based. */
  readonly line: number;
}

/** A file that could be read. */
export interface InputFile {
  /** As the user named it; `-` is standard input. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** The messages in it, with and without a batch's envelope; a file without one gives itself whole. */
  readonly messages: readonly InputMessage[];
  /** Lines that belong to no message, and what is wrong with a batch: counts, missing ends. */
  readonly issues: readonly Issue[];
}

/**
 * Reads FILE arguments one after the other and hands each on; `-` is standard input. A file that cannot be
 * read, or whose handling throws, is reported on standard error and the next one is taken. Resolves with
 * the worst exit code, which is also set for the process.
 */
export async function forEachFile(
  files: readonly string[],
  handle: (input: InputFile) => ExitCode | Promise<ExitCode>,
): Promise<ExitCode> {
  process.stdout.once('error', stopWithReader);
  let worst: ExitCode = 0;
  for (const file of files) {
    let code: ExitCode;
    try {
      code = await handle(toInput(file, await readBytes(file)));
    } catch (error) {
      report(
        file,
        `cannot be processed: ${error instanceof Error ? error.message : String(error)}`,
      );
      code = 2;
    }
    if (code > worst) worst = code;
  }
  if (worst > Number(process.exitCode ?? 0)) process.exitCode = worst;
  return worst;
}

/** Whoever reads the output has read enough: `hilum get FILE PATH | head`. */
export function stopWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
}

/** A line for people on standard error. */
export function report(file: string, text: string): void {
  process.stderr.write(`${file}: ${text}\n`);
}

/** Findings as lines for people on standard error, with the message's number where a file has several. */
export function reportIssues(file: string, issues: readonly Issue[], number?: number): void {
  const where = number === undefined ? '' : `message ${number}: `;
  for (const issue of issues) report(file, `${where}${issue.severity}: ${toLine(issue)}`);
}

async function readBytes(file: string): Promise<Uint8Array> {
  if (file !== '-') return readFile(file);
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

function toInput(file: string, bytes: Uint8Array): InputFile {
  const split = splitBatch(bytes);
  const messages = split.messages.map(({ bytes: own = bytes, number, line }) => ({
    bytes: own,
    number,
    line,
  }));
  const { issues } = split;
  if (messages.length > 0) return { file, bytes, messages, issues };
  // Not a message at all: whoever parses it says why.
  return { file, bytes, messages: [{ bytes, number: 1, line: 1 }], issues: [] };
}
