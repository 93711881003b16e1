import { parseMessage } from '../core/hl7v2/parse.ts';
import { isValid } from '../core/issue.ts';
import type { V2MapResult, V2Mapper } from '../core/mapping/v2-map.ts';
import { type ExitCode, type InputFile, report, reportIssues } from './input.ts';
import { toPlain, toProvenanceLine } from './map-output.ts';
import { toShown } from './terminal.ts';

/** Every message of a file as the map makes it; what it leaves out is told on standard error. */
export function mapV2File(
  input: InputFile,
  mapper: V2Mapper,
  options: { readonly ndjson?: boolean; readonly provenance?: boolean },
): ExitCode {
  reportIssues(input.file, input.issues);
  let code: ExitCode = isValid(input.issues) ? 0 : 1;
  const several = input.messages.length > 1;
  for (const { bytes, number } of input.messages) {
    const result = mapMessage(bytes, mapper);
    if (result.message === null || !isValid(result.issues)) code = 1;
    const { message: hl7, issues, dropped } = result;
    const provenance = options.provenance === true ? result.provenance : [];
    if (options.ndjson === true) {
      const line = {
        file: input.file,
        message: number,
        hl7,
        issues: issues.map(toPlain),
        dropped,
        provenance,
      };
      process.stdout.write(`${JSON.stringify(line)}\n`);
      continue;
    }
    reportIssues(input.file, issues, several ? number : undefined);
    if (dropped.length > 0) report(input.file, `left out by the map: ${dropped.join(', ')}`);
    for (const entry of provenance) process.stderr.write(toProvenanceLine(entry));
    if (hl7 !== null) process.stdout.write(toShown(hl7));
  }
  return code;
}

function mapMessage(bytes: Uint8Array, mapper: V2Mapper): V2MapResult {
  const parsed = parseMessage(bytes);
  if (!parsed.ok) return { message: null, issues: parsed.issues, dropped: [], provenance: [] };
  const result = mapper.map(parsed.message);
  return { ...result, issues: [...parsed.issues, ...result.issues] };
}
