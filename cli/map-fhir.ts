import { isValid } from '../core/issue.ts';
import type { FhirMapper, FhirMapResult } from '../core/mapping/fhir-map.ts';
import { toBlamed } from '../core/mapping/gate.ts';
import { type FhirChecks, findFhirIssues } from './find-fhir-issues.ts';
import { type ExitCode, type InputFile, report, reportIssues } from './input.ts';
import { readResources } from './map-back.ts';
import { reportUnconsumed, toPlain, toProvenanceLine } from './map-output.ts';

interface Options extends FhirChecks {
  readonly ndjson?: boolean;
  readonly provenance?: boolean;
}

/** Every resource of a file as a map from FHIR to FHIR makes it; what it leaves out is told on standard error. */
export async function mapFhirToFhir(
  input: InputFile,
  mapper: FhirMapper,
  options: Options,
): Promise<ExitCode> {
  const resources = readResources(input);
  if (resources === undefined) return 1;
  const { file } = input;
  let code: ExitCode = 0;
  for (const [index, resource] of resources.entries()) {
    const result = await mapResource(resource, mapper, options);
    if (result.resource === null || !isValid(result.issues)) code = 1;
    const { issues, dropped, unconsumed } = result;
    const provenance = options.provenance === true ? result.provenance : [];
    if (options.ndjson === true) {
      const line = { file, message: index + 1, resource: result.resource };
      const found = { issues: issues.map(toPlain), dropped, unconsumed, provenance };
      process.stdout.write(`${JSON.stringify({ ...line, ...found })}\n`);
      continue;
    }
    reportIssues(file, issues, resources.length > 1 ? index + 1 : undefined);
    if (dropped.length > 0) report(file, `left out by the map: ${dropped.join(', ')}`);
    for (const entry of provenance) process.stderr.write(toProvenanceLine(entry));
    reportUnconsumed(file, unconsumed, resources.length > 1 ? index + 1 : undefined);
    if (result.resource !== null) {
      process.stdout.write(`${JSON.stringify(result.resource, undefined, 2)}\n`);
    }
  }
  return code;
}

async function mapResource(
  resource: unknown,
  mapper: FhirMapper,
  checks: FhirChecks,
): Promise<FhirMapResult> {
  const result = mapper.map(resource);
  const found = await findFhirIssues(result.resource, checks);
  return { ...result, issues: [...result.issues, ...toBlamed(found, () => result)] };
}
