import type { Command } from 'commander';
import { openDefinitions } from '../connectors/file/definition-files.ts';
import { toLine } from '../core/errors.ts';
import { parseMessage } from '../core/hl7v2/parse.ts';
import { validate } from '../core/hl7v2/validate.ts';
import { isValid, type Issue } from '../core/issue.ts';
import { forEachFile, reportIssues, type ExitCode, type InputFile } from './input.ts';

/**
 * `hilum validate [--json] FILE…`: every finding of every message; exits 1 if any message is invalid.
 * With `--json` a line a message: `{"file","message":n,"valid","issues":[…]}`. Every issue has a `location`
 * that starts with a segment; a line that is no segment is placed at the segment in front of it, and its
 * `message` tells the number of the line within the message.
 */
export function registerValidate(program: Command): void {
  program
    .command('validate')
    .description('Validate HL7 v2 messages against their version and message type.')
    .argument('<file...>', 'files with one or more messages; - is standard input')
    .option('--json', 'a line of JSON a message')
    .action(async (files: readonly string[], { json = false }: { readonly json?: boolean }) => {
      await forEachFile(files, (input) => validateFile(input, json));
    });
}

function validateFile(input: InputFile, json: boolean): ExitCode {
  reportIssues(input.file, input.issues);
  let code: ExitCode = isValid(input.issues) ? 0 : 1;
  for (const { bytes, number } of input.messages) {
    const issues = findIssues(bytes);
    const valid = isValid(issues);
    if (!valid) code = 1;
    const { file } = input;
    const name = input.messages.length > 1 ? `${file}: message ${number}` : file;
    process.stdout.write(
      json
        ? `${JSON.stringify({ file, message: number, valid, issues: issues.map(toPlain) })}\n`
        : `${name}: ${valid ? 'valid' : 'invalid'}\n${issues.map(toIndentedLine).join('')}`,
    );
  }
  return code;
}

/** What the parser and the validator find; what both see is said once. */
function findIssues(bytes: Uint8Array): readonly Issue[] {
  const parsed = parseMessage(bytes);
  if (!parsed.ok) return parsed.issues;
  const issues = [...parsed.issues, ...validate(parsed.message, openDefinitions())];
  const seen = new Set<string>();
  return issues.filter((issue) => {
    const line = toLine(issue);
    return !seen.has(line) && seen.add(line);
  });
}

/** Exactly the agreed keys, in their order. */
function toPlain({ code, severity, location, message }: Issue): Issue {
  return { code, severity, ...(location === undefined ? {} : { location }), message };
}

function toIndentedLine(issue: Issue): string {
  return `  ${issue.severity}: ${toLine(issue)}\n`;
}
