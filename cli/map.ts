import { Option, type Command } from 'commander';
import { openFhirMapper, openMapper, openV2Mapper } from '../connectors/file/mapping-files.ts';
import { parseMessage } from '../core/hl7v2/parse.ts';
import { versions } from '../core/hl7v2/definitions/versions.ts';
import { isValid } from '../core/issue.ts';
import { toBlamed } from '../core/mapping/gate.ts';
import { type Mapper, type MappingResult, toNothing } from '../core/mapping/mapper.ts';
import { collect, findMappings } from './find-mappings.ts';
import { type ExitCode, forEachFile, type InputFile, reportIssues } from './input.ts';
import { type BackOptions, isFhir, mapFhirFile } from './map-back.ts';
import { type FhirChecks, findFhirIssues } from './find-fhir-issues.ts';
import { mapFhirToFhir } from './map-fhir.ts';
import { mapV2File } from './map-v2.ts';
import { reportUnconsumed, toPlain, toProvenanceLine, tryOpen } from './map-output.ts';
import { parseZone } from './zone-option.ts';

interface Options extends BackOptions, FhirChecks {
  readonly zone?: string;
  readonly map?: string;
}

/**
 * `hilum map [--ndjson] [--provenance] FILE…`: the Bundle of every message; of a file with FHIR the HL7 v2 message
 * that it becomes; with `--map ID` the message of another version or site, or the FHIR of another profile. With `--ndjson` a line a message:
 * `{"file","message":n,"resource","issues":[…],"unconsumed":[paths…],"provenance":[…]}`, with `"hl7"` in the place of
 * `"resource"` where HL7 v2 comes out; otherwise issues, provenance and what no rule reads go to standard error. Exits 1 if any message
 * cannot be mapped, or the FHIR that it becomes is not valid R4.
 */
export function registerMap(program: Command): void {
  program
    .command('map')
    .description(
      'Map HL7 v2 messages to FHIR R4 transaction Bundles, and FHIR R4 (JSON) to HL7 v2 messages.',
    )
    .argument('<file...>', 'files with messages, or with a resource or Bundle; - is standard input')
    .option('--ndjson', 'a line of JSON a message')
    .option('--provenance', 'say for every element which source value and rule it came from')
    .option(
      '--zone <zone>',
      'the zone of times that state none: +01:00 or Europe/Berlin',
      parseZone,
    )
    .addOption(
      new Option('--validate <how>', 'the FHIR that comes out: full adds invariants and profiles')
        .choices(['schema', 'full'])
        .default('schema'),
    )
    .option('--profile <name>', 'a FHIR profile (URL or id) for --validate full', collect, [])
    .option('--map <id>', 'a map from HL7 v2 to HL7 v2 (any-to-2.5.1), or from FHIR to FHIR')
    .option('--event <event>', 'of FHIR: the event, as ADT^A08; without, the resources decide')
    .addOption(
      new Option('--to-version <version>', 'of FHIR: the version of the message')
        .choices(versions)
        .default('2.5.1'),
    )
    .option('--date <timestamp>', 'of FHIR: MSH-7, as 20260102093000+0100; without, the time now')
    .option('--control-id <id>', 'of FHIR: MSH-10; without, made of the content')
    .option('--sender <name>', 'of FHIR: MSH-3 and MSH-4, as APPLICATION|FACILITY')
    .option('--receiver <name>', 'of FHIR: MSH-5 and MSH-6, as APPLICATION|FACILITY')
    .option('--mappings <folder>', 'the mapping files', findMappings(import.meta.dirname))
    .option('--layer <name>', 'a layer to apply; may be repeated', collect, [])
    .action(async (files: readonly string[], options: Options) => {
      await forEachFile(files, (input) => mapAny(input, options));
    });
}

function mapAny(input: InputFile, options: Options): ExitCode | Promise<ExitCode> {
  const { mappings, layer, map } = options;
  if (map !== undefined && isFhir(input)) {
    const mapper = tryOpen(() => openFhirMapper(mappings, map, layer));
    return mapper === undefined ? 2 : mapFhirToFhir(input, mapper, options);
  }
  if (map !== undefined) {
    const mapper = tryOpen(() => openV2Mapper(mappings, map, layer));
    return mapper === undefined ? 2 : mapV2File(input, mapper, options);
  }
  if (isFhir(input)) return mapFhirFile(input, options);
  const mapper = tryOpen(() => openMapper(mappings, layer));
  return mapper === undefined ? 2 : mapFile(input, mapper, options);
}

async function mapFile(input: InputFile, mapper: Mapper, options: Options): Promise<ExitCode> {
  reportIssues(input.file, input.issues);
  let code: ExitCode = isValid(input.issues) ? 0 : 1;
  const several = input.messages.length > 1;
  for (const { bytes, number } of input.messages) {
    const result = await mapMessage(bytes, mapper, options);
    if (result.resource === null || !isValid(result.issues)) code = 1;
    if (options.ndjson === true) {
      process.stdout.write(`${toJsonLine(input.file, number, result)}\n`);
      continue;
    }
    reportIssues(input.file, result.issues, several ? number : undefined);
    for (const entry of result.provenance) process.stderr.write(toProvenanceLine(entry));
    reportUnconsumed(input.file, result.unconsumed, several ? number : undefined);
    if (result.resource !== null) {
      process.stdout.write(`${JSON.stringify(result.resource, undefined, 2)}\n`);
    }
  }
  return code;
}

async function mapMessage(
  bytes: Uint8Array,
  mapper: Mapper,
  options: Options,
): Promise<MappingResult> {
  const parsed = parseMessage(bytes);
  if (!parsed.ok) return toNothing(parsed.issues);
  const { provenance = false, zone } = options;
  const { message } = parsed;
  const map = (provenance: boolean): MappingResult =>
    mapper.map(message, { provenance, ...(zone === undefined ? {} : { zone }) });
  const result = map(provenance);
  const found = await findFhirIssues(result.resource, options);
  const faults = toBlamed(found, () => map(true));
  return { ...result, issues: [...parsed.issues, ...result.issues, ...faults] };
}

/** Exactly the agreed keys, in their order. */
function toJsonLine(file: string, message: number, result: MappingResult): string {
  const { resource, unconsumed, provenance } = result;
  const issues = result.issues.map(toPlain);
  return JSON.stringify({ file, message, resource, issues, unconsumed, provenance });
}
