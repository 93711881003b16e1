import { validateFully } from '../connectors/file/conformance.ts';
import { isValid } from '../core/issue.ts';
import type { ExitCode, InputFile } from './input.ts';
import { readResources } from './map-back.ts';
import { toPlain, toIndentedLine } from './map-output.ts';

/** Every finding about each resource of a file: by FHIR's schema, its invariants and value sets, and the profile. */
export async function validateFhirFile(
  input: InputFile,
  { json = false, profile }: { readonly json?: boolean; readonly profile?: string },
): Promise<ExitCode> {
  const resources = readResources(input);
  if (resources === undefined) return 1;
  const { file } = input;
  let code: ExitCode = 0;
  for (const [index, resource] of resources.entries()) {
    const issues = await validateFully(resource, profile === undefined ? [] : [profile]);
    const valid = isValid(issues);
    if (!valid) code = 1;
    const name = resources.length > 1 ? `${file}: resource ${index + 1}` : file;
    const line = { file, message: index + 1, valid, issues: issues.map(toPlain) };
    process.stdout.write(
      json
        ? `${JSON.stringify(line)}\n`
        : `${name}: ${valid ? 'valid' : 'invalid'}\n${issues.map(toIndentedLine).join('')}`,
    );
  }
  return code;
}
