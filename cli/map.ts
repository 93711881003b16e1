import type { Command } from 'commander';
import { openFhirValidator } from '../connectors/file/fhir-schema.ts';
import { openMapper } from '../connectors/file/mapping-files.ts';
import { HilumError, toLine } from '../core/errors.ts';
import { parseMessage } from '../core/hl7v2/parse.ts';
import { isValid, type Issue } from '../core/issue.ts';
import { findFaults } from '../core/mapping/gate.ts';
import type { Mapper, MappingResult, Provenance } from '../core/mapping/mapper.ts';
import { findMappings } from './find-mappings.ts';
import { type ExitCode, forEachFile, type InputFile, reportIssues } from './input.ts';

interface Options {
  readonly ndjson?: boolean;
  readonly provenance?: boolean;
  readonly zone?: string;
  readonly mappings: string;
  readonly layer: readonly string[];
}

/**
 * `hilum map [--ndjson] [--provenance] FILE…`: the Bundle of every message. With `--ndjson` a line a message:
 * `{"file","message":n,"resource","issues":[…],"unconsumed":[paths…],"provenance":[…]}`; otherwise issues and
 * provenance go to standard error. Exits 1 if any message cannot be mapped, or what it becomes is no valid FHIR R4.
 */
export function registerMap(program: Command): void {
  program
    .command('map')
    .description('Map HL7 v2 messages to FHIR R4 transaction Bundles.')
    .argument('<file...>', 'files with one or more messages; - is standard input')
    .option('--ndjson', 'a line of JSON a message')
    .option('--provenance', 'say for every element which source value and rule it came from')
    .option('--zone <zone>', 'the zone of times that state none: +01:00 or Europe/Berlin')
    .option('--mappings <folder>', 'the mapping files', findMappings(import.meta.dirname))
    .option('--layer <name>', 'a layer to apply; may be repeated', collect, [])
    .action(async (files: readonly string[], options: Options) => {
      const mapper = open(options);
      if (mapper === undefined) process.exitCode = 2;
      else await forEachFile(files, (input) => mapFile(input, mapper, options));
    });
}

const collect = (layer: string, before: readonly string[]): readonly string[] => [...before, layer];

function open({ mappings, layer }: Options): Mapper | undefined {
  try {
    return openMapper(mappings, layer);
  } catch (error) {
    if (!(error instanceof HilumError)) throw error;
    for (const issue of error.issues) process.stderr.write(`${toLine(issue)}\n`);
    return undefined;
  }
}

function mapFile(input: InputFile, mapper: Mapper, options: Options): ExitCode {
  reportIssues(input.file, input.issues);
  let code: ExitCode = isValid(input.issues) ? 0 : 1;
  const several = input.messages.length > 1;
  for (const { bytes, number } of input.messages) {
    const result = mapMessage(bytes, mapper, options);
    if (result.resource === null || !isValid(result.issues)) code = 1;
    if (options.ndjson === true) {
      process.stdout.write(`${toJsonLine(input.file, number, result)}\n`);
      continue;
    }
    reportIssues(input.file, result.issues, several ? number : undefined);
    for (const entry of result.provenance) process.stderr.write(toProvenanceLine(entry));
    if (result.resource !== null) {
      process.stdout.write(`${JSON.stringify(result.resource, undefined, 2)}\n`);
    }
  }
  return code;
}

function mapMessage(bytes: Uint8Array, mapper: Mapper, options: Options): MappingResult {
  const parsed = parseMessage(bytes);
  if (!parsed.ok)
    return { resource: null, issues: parsed.issues, unconsumed: [], held: [], provenance: [] };
  const { provenance = false, zone } = options;
  const { message } = parsed;
  const map = (provenance: boolean): MappingResult =>
    mapper.map(message, { provenance, ...(zone === undefined ? {} : { zone }) });
  const result = map(provenance);
  const faults = findFaults(result, openFhirValidator(), () => map(true).provenance);
  return { ...result, issues: [...parsed.issues, ...result.issues, ...faults] };
}

/** Exactly the agreed keys, in their order. */
function toJsonLine(file: string, message: number, result: MappingResult): string {
  const { resource, unconsumed, provenance } = result;
  const issues = result.issues.map(toPlain);
  return JSON.stringify({ file, message, resource, issues, unconsumed, provenance });
}

function toPlain({ code, severity, location, message }: Issue): Issue {
  return { code, severity, ...(location === undefined ? {} : { location }), message };
}

const toProvenanceLine = ({ target, source, rule }: Provenance): string =>
  `${target} <- ${source} <- ${rule}\n`;
