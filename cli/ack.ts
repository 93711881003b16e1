import { openDefinitions } from '../connectors/file/definition-files.ts';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { isAcknowledgment, isResponse } from '../core/hl7v2/acknowledgment.ts';
import { decideAcknowledgment, type IntakeResult } from '../core/hl7v2/acknowledgment-mode.ts';
import { encodeMessage } from '../core/hl7v2/charset.ts';
import { readHeader, type Header } from '../core/hl7v2/header.ts';
import { parseMessage } from '../core/hl7v2/parse.ts';
import {
  buildResponse,
  maxControlIdLength,
  toVersionId,
  type AcknowledgmentCode,
} from '../core/hl7v2/response.ts';
import { parseTimestamp, toHl7Timestamp } from '../core/hl7v2/timestamp.ts';
import { validate } from '../core/hl7v2/validate.ts';
import { isValid, type Issue } from '../core/issue.ts';
import { newControlId } from '../runtime/acknowledge.ts';
import { forEachFile, report, reportIssues, type ExitCode, type InputFile } from './input.ts';

interface Options {
  readonly code?: AcknowledgmentCode;
  readonly text?: string;
  readonly enhanced?: boolean;
  readonly byMessage?: boolean;
  readonly validate?: boolean;
  readonly now?: string;
  readonly controlId?: string;
}

const codes: readonly AcknowledgmentCode[] = ['AA', 'AE', 'AR', 'CA', 'CE', 'CR'];

/**
 * `hilum ack [--code AE] FILE…`: the acknowledgment of each message, as HL7 in the message's character set
 * with CR behind each segment, and nothing else on standard output. What is itself an acknowledgment, or asks
 * for none, has none. Exits 1 where a message has no header that can be read: it is answered AR.
 */
export function registerAck(program: Command): void {
  program
    .command('ack')
    .description('Print the acknowledgment of HL7 v2 messages, as HL7.')
    .argument('<file...>', 'files with one or more messages; - is standard input')
    .addOption(new Option('--code <code>', 'MSA-1 (default: AA)').choices(codes))
    .option('--text <text>', 'what there is to say: MSA-3, and from 2.5 on an ERR segment')
    .addOption(
      new Option('--validate', 'AE with the findings where the message is invalid').conflicts([
        'code',
        'text',
      ]),
    )
    .option('--enhanced', 'the accept acknowledgment of enhanced mode: CA, CE or CR')
    .addOption(
      new Option(
        '--by-message',
        'as MSH-15 and MSH-16 ask: none, one or both acknowledgments',
      ).conflicts('enhanced'),
    )
    .option('--now <timestamp>', 'MSH-7, such as 20260312142600+0000 (default: now)', toTimestamp)
    .option(
      '--control-id <id>',
      'MSH-10, with -2, -3 and so on for further ones (default: a new one for each)',
      toControlId,
    )
    .action(async (files: readonly string[], options: Options) => {
      const write = createWriter(options);
      await forEachFile(files, (input) => acknowledgeFile(input, options, write));
    });
}

interface Answer {
  readonly header: Header | undefined;
  readonly codes: readonly AcknowledgmentCode[];
  readonly issues: readonly Issue[];
  readonly isEnhanced: boolean;
}

function acknowledgeFile(
  input: InputFile,
  options: Options,
  write: (answer: Answer) => void,
): ExitCode {
  reportIssues(input.file, input.issues);
  let code: ExitCode = isValid(input.issues) ? 0 : 1;
  for (const { bytes, number } of input.messages) {
    const name = input.messages.length > 1 ? `${input.file}: message ${number}` : input.file;
    const read = readHeader(bytes);
    if (!read.ok) {
      reportIssues(name, read.issues);
      code = 1;
    }
    const answer = read.ok
      ? decide(bytes, read.header, options)
      : { header: undefined, codes: ['AR'] as const, issues: read.issues, isEnhanced: false };
    if (answer.codes.length === 0) report(name, 'has no acknowledgment');
    write(answer);
  }
  return code;
}

function decide(bytes: Uint8Array, header: Header, options: Options): Answer {
  const parsed = parseMessage(bytes);
  const issues = options.validate
    ? parsed.ok
      ? validate(parsed.message, openDefinitions())
      : parsed.issues
    : buildIssues(options);
  const code = options.code ?? (isValid(issues) ? 'AA' : 'AE');
  const isAnswer = parsed.ok && isResponse(parsed.message);
  const decision = decideAcknowledgment({
    header,
    mode: options.byMessage ? 'by-message' : 'original',
    application: 'receiver',
    result: results[code],
    isResponse: isAnswer,
  });
  const { isEnhanced } = decision;
  if (options.byMessage) return { header, codes: decision.now, issues, isEnhanced };
  if (isAnswer || isAcknowledgment(header)) return { header, codes: [], issues, isEnhanced };
  const own = options.enhanced ? (`C${code.charAt(1)}` as AcknowledgmentCode) : code;
  return { header, codes: [own], issues, isEnhanced };
}

const results: Readonly<Record<AcknowledgmentCode, IntakeResult>> = {
  AA: 'accepted',
  CA: 'accepted',
  AE: 'error',
  CE: 'error',
  AR: 'rejected',
  CR: 'rejected',
};

/** The reason that the user gives, as a finding; it refuses only with a code that does. */
function buildIssues({ code = 'AA', text }: Options): readonly Issue[] {
  if (text === undefined || text === '') return [];
  return results[code] === 'accepted'
    ? [{ code: 'remark', severity: 'information', message: text }]
    : [{ code: 'refused', severity: 'error', message: text }];
}

/** Writes answers, each with its own MSH-10. */
function createWriter({ now, controlId, text }: Options): (answer: Answer) => void {
  let count = 0;
  return ({ header, codes: due, issues, isEnhanced }) => {
    for (const code of due) {
      count += 1;
      const suffix = count === 1 ? '' : `-${count}`;
      const nowMs = Date.now();
      const id = controlId === undefined ? newControlId(nowMs) : `${controlId}${suffix}`;
      const longest = maxControlIdLength(toVersionId(header));
      if (id.length > longest) {
        throw new Error(`--control-id: expected at most ${longest} characters in this version`);
      }
      const answer = buildResponse(header, {
        code,
        issues,
        now: now ?? toHl7Timestamp(nowMs),
        controlId: id,
        ...(text === undefined ? {} : { text }),
        ...(isEnhanced ? { acceptAcknowledgment: 'NE' } : {}),
      });
      process.stdout.write(encodeMessage(answer, header?.encoding ?? 'UNICODE UTF-8'));
    }
  };
}

function toTimestamp(value: string): string {
  if (parseTimestamp(value) !== undefined) return value;
  throw new InvalidArgumentError('Expected a timestamp such as 20260312142600+0000.');
}

function toControlId(value: string): string {
  if (value.trim() !== '') return value;
  throw new InvalidArgumentError('Expected a control id.');
}
