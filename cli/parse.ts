import { fstatSync, statSync, type BigIntStats } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Option, type Command } from 'commander';
import { encodeMessage, decodeMessage } from '../core/hl7v2/charset.ts';
import type { Hl7Message } from '../core/hl7v2/message.ts';
import { parseMessage } from '../core/hl7v2/parse.ts';
import { splitBytes } from '../core/hl7v2/split.ts';
import { formatTree, toTree } from '../core/hl7v2/tree.ts';
import { isValid } from '../core/issue.ts';
import { forEachFile, report, reportIssues, type ExitCode, type InputFile } from './input.ts';

type Format = 'tree' | 'json' | 'er7';

interface Options {
  readonly to: Format;
  readonly out?: string;
}

/**
 * `hilum parse [--to tree|json|er7] [--out DIR] FILE…`: each message as a tree for people, as a line of
 * JSON, or as HL7 again, byte for byte; findings on standard error. `--out` writes one file an input,
 * under its base name (`stdin` for `-`), replaces an older output and never an input.
 */
export function registerParse(program: Command): void {
  program
    .command('parse')
    .description('Parse HL7 v2 messages and print them as a tree, as JSON or as HL7 again.')
    .argument('<file...>', 'files with one or more messages; - is standard input')
    .addOption(
      new Option('--to <format>', 'what to print').choices(['tree', 'json', 'er7']).default('tree'),
    )
    .option('--out <dir>', 'write one file an input into this folder; never over an input')
    .action(async (files: readonly string[], options: Options) => {
      const write = await openOutput(options.out, files);
      await forEachFile(files, async (input) => {
        const { output, code } = render(input, options.to);
        return Math.max(code, await write(input.file, output)) as ExitCode;
      });
    });
}

type Write = (file: string, output: Uint8Array) => Promise<ExitCode>;

async function openOutput(folder: string | undefined, inputs: readonly string[]): Promise<Write> {
  if (folder === undefined) {
    return async (_file, output) => {
      await new Promise<void>((resolve) => process.stdout.write(output, () => resolve()));
      return 0;
    };
  }
  await mkdir(folder, { recursive: true });
  const written = new Set<string>();
  const sources = new Set(inputs.map(identify));
  return async (file, output) => {
    const name = file === '-' ? 'stdin' : basename(file);
    if (written.has(name)) {
      report(file, `not written: another input named ${name} was written before it`);
      return 2;
    }
    const target = join(folder, name);
    const found = identify(target);
    if (found !== undefined && sources.has(found)) {
      report(file, `not written: ${target} is itself an input; name another folder with --out`);
      return 2;
    }
    written.add(name);
    await writeFile(target, output);
    return 0;
  };
}

/** Which file a name leads to, through links of both kinds; undefined where there is none. */
function identify(file: string): string | undefined {
  let stats: BigIntStats | undefined;
  try {
    stats =
      file === '-'
        ? fstatSync(0, { bigint: true })
        : statSync(file, { bigint: true, throwIfNoEntry: false });
  } catch {
    // Whoever reads or writes it says what is wrong.
    return undefined;
  }
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`;
}

function render(
  input: InputFile,
  to: Format,
): { readonly output: Uint8Array; readonly code: ExitCode } {
  return to === 'er7'
    ? renderAgain(input)
    : renderMessages(input, to === 'json' ? toJson : formatTree);
}

function toJson(message: Hl7Message): string {
  return `${JSON.stringify(toTree(message))}\n`;
}

function renderMessages(
  { file, messages, issues }: InputFile,
  show: (message: Hl7Message) => string,
): { readonly output: Uint8Array; readonly code: ExitCode } {
  let code: ExitCode = isValid(issues) ? 0 : 1;
  reportIssues(file, issues);
  const shown: string[] = [];
  for (const { bytes, number } of messages) {
    const parsed = parseMessage(bytes);
    reportIssues(file, parsed.issues, messages.length > 1 ? number : undefined);
    if (parsed.ok) shown.push(show(parsed.message));
    else code = 1;
  }
  // A blank line between trees; JSON is a line each.
  return { output: Buffer.from(shown.join(show === formatTree ? '\n' : ''), 'utf8'), code };
}

/** Every message serialised from its parsed form, and the lines of a batch's envelope as they stand. */
function renderAgain({ file, bytes }: InputFile): {
  readonly output: Uint8Array;
  readonly code: ExitCode;
} {
  const { pieces, issues } = splitBytes(bytes);
  let code: ExitCode = 0;
  const output = pieces.map((piece) => {
    if (piece.kind === 'batch') return piece.bytes;
    const { text, charset, issues: found } = decodeMessage(piece.bytes);
    const parsed = parseMessage(text);
    reportIssues(file, [...found, ...parsed.issues]);
    if (parsed.ok) return encodeMessage(parsed.message.text, charset);
    code = 1;
    return new Uint8Array(0);
  });
  if (pieces.length === 0) {
    reportIssues(file, parseMessage(bytes).issues);
    code = 1;
  }
  if (issues.length > 0) code = 1;
  return { output: Buffer.concat(output), code };
}
