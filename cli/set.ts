import type { Command } from 'commander';
import { openDefinitions } from '../connectors/file/definition-files.ts';
import { decodeMessage } from '../core/hl7v2/charset.ts';
import type { Hl7Message } from '../core/hl7v2/message.ts';
import { parsePathExpression } from '../core/hl7v2/parse-path.ts';
import { parseMessage } from '../core/hl7v2/parse.ts';
import { rewriteMessage } from '../core/hl7v2/rewrite.ts';
import { splitBytes } from '../core/hl7v2/split.ts';
import { forEachFile, reportIssues, type ExitCode, type InputFile } from './input.ts';

interface Options {
  readonly raw?: boolean;
  readonly append: readonly string[];
  readonly remove: readonly string[];
}

type Edit = (message: Hl7Message) => Hl7Message;

/**
 * `hilum set FILE PATH=VALUE…`: the file with every message edited, on standard output, and nothing else
 * there (what is wrong with a message is for `hilum validate` to say); every other byte as it was. Values are
 * text, escaped where they are written; `""` is the HL7 null.
 * Exits 1, and prints nothing, when one of the messages cannot take an edit.
 */
export function registerSet(program: Command): void {
  program
    .command('set')
    .description('Print HL7 v2 messages with values set; every other byte stays as it was.')
    .argument('<file>', 'a file with one or more messages; - is standard input')
    .argument(
      '[path=value...]',
      "PID-5.1=Miller, 'PID-3[type=MR].1=4711', 'OBX[*]-11=C'; the value is text",
    )
    .option(
      '--append <path=value>',
      'add a repetition with the value, or a segment as it stands',
      collect,
      [],
    )
    .option('--remove <path>', 'take away everything at the path', collect, [])
    .option('--raw', 'values are written as they stand, with their delimiters and escapes')
    .action(async (file: string, assignments: readonly string[], options: Options) => {
      const edits = readEdits(assignments, options);
      if (typeof edits !== 'string') {
        await forEachFile([file], (input) => editFile(input, edits));
        return;
      }
      process.stderr.write(`hilum set: ${edits}\n`);
      process.exitCode = 2;
    });
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** The edits in their order: set, append, remove; or what is wrong with one of them. */
function readEdits(assignments: readonly string[], options: Options): readonly Edit[] | string {
  const edits: Edit[] = [];
  for (const [index, text] of [...assignments, ...options.append].entries()) {
    const equals = findEquals(text);
    if (equals === -1) return `expected PATH=VALUE, found "${text.slice(0, 60)}"`;
    const path = text.slice(0, equals);
    const value = text.slice(equals + 1);
    const problem = findProblem(path) ?? findReplaced(path, value);
    if (problem !== undefined) return problem;
    const action = index < assignments.length ? 'set' : 'append';
    const method = options.raw === true ? (`${action}Raw` as const) : action;
    edits.push((message) => message[method](path, value));
  }
  for (const path of options.remove) {
    const problem = findProblem(path);
    if (problem !== undefined) return problem;
    edits.push((message) => message.remove(path));
  }
  return edits.length > 0
    ? edits
    : 'expected PATH=VALUE, --append or --remove, found nothing to do';
}

function findProblem(path: string): string | undefined {
  const parsed = parsePathExpression(path);
  return parsed.ok ? undefined : parsed.issue.message;
}

/** What is no UTF-8 on the command line arrives as U+FFFD, which nobody means. */
function findReplaced(path: string, value: string): string | undefined {
  return value.includes('\ufffd')
    ? `expected UTF-8 as the value of ${path}, found other bytes`
    : undefined;
}

/** The equals sign between path and value, not one within brackets; -1 where there is none. */
function findEquals(text: string): number {
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"' && depth > 0) isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (character === '[') depth++;
    else if (character === ']') depth--;
    else if (character === '=' && depth <= 0) return at;
  }
  return -1;
}

async function editFile({ file, bytes }: InputFile, edits: readonly Edit[]): Promise<ExitCode> {
  const { pieces } = splitBytes(bytes);
  const isSeveral = pieces.filter(({ kind }) => kind === 'message').length > 1;
  let number = 0;
  let code: ExitCode = 0;
  const output: Uint8Array[] = [];
  for (const piece of pieces) {
    if (piece.kind !== 'message') {
      output.push(piece.bytes);
      continue;
    }
    number += 1;
    const result = rewriteMessage(
      piece.bytes,
      (message) => edits.reduce((edited, edit) => edit(edited), message),
      { definitions: openDefinitions() },
    );
    if (result.ok) {
      output.push(result.bytes);
    } else {
      reportIssues(file, result.issues, isSeveral ? number : undefined);
      code = 1;
    }
  }
  if (number === 0) {
    reportIssues(file, parseMessage(decodeMessage(bytes).text).issues);
    return 1;
  }
  if (code === 0) {
    await new Promise<void>((resolve) =>
      process.stdout.write(Buffer.concat(output), () => resolve()),
    );
  }
  return code;
}
