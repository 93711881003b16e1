import { openDefinitions } from '../connectors/file/definition-files.ts';
import { openReverseMapper } from '../connectors/file/mapping-files.ts';
import { toHl7Timestamp } from '../core/hl7v2/timestamp.ts';
import { isValid } from '../core/issue.ts';
import type { ReverseMapper, ReverseOptions, ReverseResult } from '../core/mapping/reverse.ts';
import { type ExitCode, type InputFile, report, reportIssues } from './input.ts';
import { reportUnconsumed, toPlain, toProvenanceLine, tryOpen } from './map-output.ts';
import { toShown } from './terminal.ts';

/** What `hilum map` may be told of the messages that it makes of FHIR. */
export interface BackOptions {
  readonly ndjson?: boolean;
  readonly provenance?: boolean;
  readonly event?: string;
  readonly toVersion: string;
  readonly date?: string;
  readonly controlId?: string;
  readonly sender?: string;
  readonly receiver?: string;
  readonly mappings: string;
  readonly layer: readonly string[];
}

/** Whether the file holds JSON, which an HL7 v2 message never begins as. */
export const isFhir = ({ bytes }: InputFile): boolean =>
  /^\ufeff?\s*[{[]/.test(new TextDecoder().decode(bytes.subarray(0, 64)));

/** The message of a file's resource or Bundle, or of each where a line holds one. */
export function mapFhirFile(input: InputFile, options: BackOptions): ExitCode {
  const mapper = tryOpen(() => openReverseMapper(options.mappings, options.layer));
  if (mapper === undefined) return 2;
  const resources = readResources(input);
  if (resources === undefined) return 1;
  let code: ExitCode = 0;
  resources.forEach((resource, index) => {
    const number = resources.length > 1 ? index + 1 : undefined;
    const result = mapper.map(resource, toReverseOptions(options));
    print(input.file, number, { result, options });
    if (result.message === null || !isValid(result.issues)) code = 1;
  });
  return code;
}

/** The resources in a file, one or one a line; undefined where it holds something else, which is printed. */
export function readResources({ file, bytes }: InputFile): readonly unknown[] | undefined {
  const text = new TextDecoder().decode(bytes).trim();
  const whole = parseJson(text);
  if (whole !== undefined) return Array.isArray(whole) ? (whole as unknown[]) : [whole];
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const parsed = lines.map(parseJson);
  const wrong = parsed.indexOf(undefined);
  if (wrong < 0) return parsed;
  report(
    file,
    `error: Expected a FHIR resource as JSON, or one a line, found neither; line ${wrong + 1} is no JSON. (json-invalid)`,
  );
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function toReverseOptions(options: BackOptions): ReverseOptions {
  const { event, toVersion, date, controlId, sender, receiver, provenance = false } = options;
  return {
    date: date ?? toHl7Timestamp(Date.now()),
    version: toVersion,
    definitions: openDefinitions(),
    provenance,
    ...(event === undefined ? {} : { event }),
    ...(controlId === undefined ? {} : { controlId }),
    ...(sender === undefined ? {} : { sender: toParty(sender) }),
    ...(receiver === undefined ? {} : { receiver: toParty(receiver) }),
  };
}

function toParty(text: string): NonNullable<ReverseOptions['sender']> {
  const [application = '', facility = ''] = text.split('|');
  return { application, facility };
}

interface Printed {
  readonly result: ReturnType<ReverseMapper['map']>;
  readonly options: BackOptions;
}

function print(file: string, number: number | undefined, { result, options }: Printed): void {
  if (options.ndjson === true) {
    process.stdout.write(`${toJsonLine(file, number ?? 1, result)}\n`);
    return;
  }
  reportIssues(file, result.issues, number);
  for (const entry of result.provenance) process.stderr.write(toProvenanceLine(entry));
  reportUnconsumed(file, result.unconsumed, number);
  if (result.message !== null) process.stdout.write(toShown(result.message));
}

function toJsonLine(file: string, message: number, result: ReverseResult): string {
  const { message: hl7, unconsumed, provenance } = result;
  return JSON.stringify({
    file,
    message,
    hl7,
    issues: result.issues.map(toPlain),
    unconsumed,
    provenance,
  });
}
