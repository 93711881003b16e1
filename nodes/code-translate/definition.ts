import { parsePathExpression } from '../../core/hl7v2/parse-path.ts';
import { unmappedPolicies, type UnmappedPolicy } from '../../core/mapping/document.ts';
import { buildIssue, contributeFrom } from '../shared/contribution.ts';
import { choice, layerNames, optional, requiredText, tableId } from '../shared/fields.ts';

export const type = 'code translate';

/** Where the code is. */
const sources = ['v2', 'fhir', 'msg'] as const;
export type Source = (typeof sources)[number];

/** Configuration as the editor stores it; every text may hold `${NAME}`. */
export interface CodeTranslateConfig {
  readonly name: string;
  /** The id of the table. */
  readonly table: string;
  /** The layers over the table in their order, separated by commas. */
  readonly layers: string;
  readonly source: Source;
  /** `PID-8`, `Patient.gender`, or the property `site.code` of msg. */
  readonly from: string;
  /** Where the new code goes, of the same kind; empty: to the place of the old one. None for FHIR. */
  readonly to: string;
  /** Instead of what the table says of codes that it does not hold; empty: what it says. */
  readonly onUnmapped: '' | UnmappedPolicy;
}

export const defaults: CodeTranslateConfig = {
  ...{ name: '', table: '', layers: '', source: 'v2', from: '', to: '', onUnmapped: '' },
};

export const fields = {
  table: tableId,
  layers: layerNames,
  source: optional(choice(...sources), 'v2' as const),
  from: requiredText,
  to: optional(requiredText, undefined),
  onUnmapped: optional(choice(...unmappedPolicies), undefined),
};

/** Nothing at the edge; a deploy checks its fields. */
export const contribute = contributeFrom(fields, ({ source, from, to }, node) => {
  const problem = findPathProblem(source, { from, to });
  return problem === undefined ? {} : { issues: [buildIssue(node, 'path-invalid', problem)] };
});

/** What is wrong with the places; undefined where nothing is. */
export function findPathProblem(
  source: Source,
  { from, to }: { readonly from: string; readonly to: string | undefined },
): string | undefined {
  if (source === 'msg') return undefined;
  if (source === 'v2') {
    for (const [name, path] of Object.entries({ from, to })) {
      if (path === undefined) continue;
      const parsed = parsePathExpression(path);
      if (!parsed.ok || parsed.path.field === undefined) {
        return `${name}: expected a path to a value such as PID-8 or OBX-3.1, found "${path}"`;
      }
    }
    return undefined;
  }
  if (to !== undefined)
    return 'to: expected nothing, since a FHIR element is translated where it is';
  return /^[A-Z][A-Za-z]+(\.[a-z][A-Za-z0-9]*)+$/.test(from)
    ? undefined
    : `from: expected a resource type and its elements such as Observation.code, found "${from}"`;
}
