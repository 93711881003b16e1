import type { Issue } from '../../issue.ts';
import type { Definitions } from '../definitions/definitions.ts';

interface ImportedProfile {
  /** Undefined where the XML is no conformance profile. */
  readonly yaml: string | undefined;
  readonly issues: readonly Issue[];
}

export function importProfileXml(
  _xml: string,
  _options: { readonly definitions: Definitions; readonly name: string },
): ImportedProfile {
  return { yaml: undefined, issues: [] };
}
