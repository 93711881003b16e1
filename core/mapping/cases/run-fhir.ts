import type { Bundle } from '@medplum/fhirtypes';
import type { FhirMapper, FhirMapResult } from '../fhir-map.ts';
import type { MappingCase } from './document.ts';
import { readPath } from './fact.ts';
import type { CaseFinding, CaseResult } from './result.ts';
import { type CaseTools, checkAsserts, compareFacts, compareGolden, compareLists } from './run.ts';

/** What a case of a map from FHIR to FHIR is run with. */
export interface FhirCaseTools extends Omit<CaseTools, 'mapper' | 'reverse'> {
  /** Undefined: there is no map of the id that the case names. */
  readonly mapper: FhirMapper | undefined;
}

/** Maps the resource of a case and compares what comes out with what the case says, and with what always holds. */
export function runFhirCase(one: MappingCase, tools: FhirCaseTools): CaseResult {
  const fired = new Set<string>();
  const firedBack = new Set<string>();
  if (tools.mapper === undefined) {
    const message = `There is no map ${one.map ?? ''} from FHIR to FHIR`;
    return {
      case: one,
      findings: [{ kind: 'message', message }],
      fired,
      firedBack,
      resource: null,
    };
  }
  const before = JSON.stringify(one.resource);
  const result = tools.mapper.map(one.resource, { onRule: (rule) => fired.add(rule) });
  const again = tools.mapper.map(one.resource);
  const bundle = toBundle(result.resource);
  const broken = [
    ...(JSON.stringify(again) === JSON.stringify(result)
      ? []
      : ['It becomes something else again']),
    ...(JSON.stringify(one.resource) === before ? [] : ['What came in was changed']),
    ...findFalseTraces(result),
    ...(result.resource === null ? [] : tools.validate(result.resource)).map(
      ({ location, message }) => `Invalid FHIR: ${location ?? 'Resource'}: ${message}`,
    ),
  ];
  const findings: readonly CaseFinding[] = [
    ...compareFacts(one, bundle),
    ...compareLists(one, result),
    ...compareGolden(one, bundle, tools.golden),
    ...checkAsserts(one, bundle, tools),
    ...broken.map((message) => ({ kind: 'law' as const, message })),
  ];
  return { case: one, findings, fired, firedBack, resource: bundle };
}

/** Facts and expressions are over a Bundle. */
function toBundle(resource: FhirMapResult['resource']): Bundle | null {
  if (resource === null) return null;
  const bundle: unknown =
    resource['resourceType'] === 'Bundle'
      ? resource
      : { resourceType: 'Bundle', type: 'collection', entry: [{ resource }] };
  return bundle as Bundle;
}

function findFalseTraces({ resource, provenance }: FhirMapResult): readonly string[] {
  if (resource === null) return [];
  const root = { [String(resource['resourceType'])]: resource };
  return provenance
    .filter(({ target }) => readPath(root, target) === undefined)
    .map(({ rule, target }) => `${rule} is said to have made ${target}`);
}
