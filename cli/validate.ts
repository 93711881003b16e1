import { Option, type Command } from 'commander';
import { openDefinitions } from '../connectors/file/definition-files.ts';
import { openProfile } from '../connectors/file/profile-files.ts';
import { findFailure, toLine } from '../core/errors.ts';
import { versions, type Version } from '../core/hl7v2/definitions/versions.ts';
import type { Hl7Message } from '../core/hl7v2/message.ts';
import { parseMessage } from '../core/hl7v2/parse.ts';
import {
  validateByProfile,
  type OpenedProfile,
} from '../core/hl7v2/profile/validate-by-profile.ts';
import { validate } from '../core/hl7v2/validate.ts';
import { isValid, type Issue } from '../core/issue.ts';
import { findSiteProfiles } from './profile.ts';
import { validateFhirFile } from './validate-fhir.ts';
import { isFhir } from './map-back.ts';
import { toIndentedLine, toPlain } from './map-output.ts';
import { forEachFile, reportIssues, type ExitCode, type InputFile } from './input.ts';

/**
 * `hilum validate [--json] [--version V | --profile P] FILE…`: every finding of every message; exits 1 if any
 * message is invalid. With `--json` a line a message: `{"file","message":n,"valid","issues":[…]}`. Every issue
 * has a `location` that starts with a segment; a line that is no segment is placed at the segment in front of
 * it, and its `message` tells the number of the line within the message. A file with FHIR (JSON) is checked by FHIR's
 * schema, invariants, value sets and profiles.
 */
export function registerValidate(program: Command): void {
  program
    .command('validate')
    .description(
      'Validate HL7 v2 messages against their version and type, and FHIR R4 (JSON) with its invariants.',
    )
    .argument('<file...>', 'files with messages, or with a resource or Bundle; - is standard input')
    .option('--json', 'a line of JSON a message')
    .addOption(
      new Option('--version <version>', 'check as this version, whatever MSH-12 says')
        .choices(versions)
        .conflicts('profile'),
    )
    .option(
      '--profile <profile>',
      'a conformance profile: its name, or a file; of FHIR its URL or id',
    )
    .action(async (files: readonly string[], options: Options) => {
      let compiled: { readonly check: Check | undefined } | undefined;
      await forEachFile(files, (input) => {
        if (isFhir(input)) return validateFhirFile(input, options);
        const { check } = (compiled ??= { check: compileCheck(options) });
        return check === undefined ? 2 : validateFile(input, check, options);
      });
    });
}

interface Options {
  readonly json?: boolean;
  readonly version?: Version;
  readonly profile?: string;
}

type Check = (message: Hl7Message) => readonly Issue[];

/** Undefined where the profile has faults, which are printed. */
function compileCheck({ version, profile }: Options): Check | undefined {
  const definitions = openDefinitions();
  if (profile !== undefined) {
    const opened = open(profile);
    return opened && ((message) => validateByProfile(message, opened, definitions));
  }
  const chosen = version === undefined ? definitions : definitions.of(version);
  return (message) => validate(message, chosen);
}

/** Undefined where it has faults, which are printed. */
function open(name: string): OpenedProfile | undefined {
  try {
    return openProfile(name, { definitions: openDefinitions(), folders: findSiteProfiles() });
  } catch (error) {
    const failure = findFailure(error);
    if (failure === undefined) throw error;
    for (const issue of failure.issues) process.stderr.write(`${toLine(issue)}\n`);
    return undefined;
  }
}

function validateFile(input: InputFile, check: Check, { json = false }: Options): ExitCode {
  reportIssues(input.file, input.issues);
  let code: ExitCode = isValid(input.issues) ? 0 : 1;
  for (const { bytes, number } of input.messages) {
    const issues = findIssues(bytes, check);
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
function findIssues(bytes: Uint8Array, check: Check): readonly Issue[] {
  const parsed = parseMessage(bytes);
  if (!parsed.ok) return parsed.issues;
  const issues = [...parsed.issues, ...check(parsed.message)];
  const seen = new Set<string>();
  return issues.filter((issue) => {
    const line = toLine(issue);
    return !seen.has(line) && seen.add(line);
  });
}
