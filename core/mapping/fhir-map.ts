import { type Issue, isValid } from '../issue.ts';
import { compileEach, type CompileEachResult } from './compile-each.ts';
import type { MapContext } from './map-context.ts';
import type { MappingFile } from './document.ts';
import type { FhirMapDocument } from './fhir/document.ts';
import { claim, compileSteps } from './fhir/steps.ts';
import type { FhirState, FhirStep } from './fhir/rule.ts';
import { takeAway, toMoved } from './fhir/take-away.ts';
import type { Provenance } from './provenance.ts';
import { findLeaves } from './reverse/node.ts';
import { type Draft, isPlainObject } from './target.ts';

/** Makes resources of another profile of FHIR resources. Safe to share. */
export interface FhirMapper {
  readonly id: string;
  /** Of one resource, or of those in a Bundle. Never throws for data, and leaves the input as it is. */
  map(resource: unknown, options?: FhirMapOptions): FhirMapResult;
}

interface FhirMapOptions {
  /** Told every rule that did something, as `partner-patient#PHOTO`: for rule coverage. */
  readonly onRule?: (rule: string) => void;
}

export interface FhirMapResult {
  /** Null where the map is not for what came in, or a rule says that it must not go on; `issues` say why. */
  readonly resource: Draft | null;
  readonly issues: readonly Issue[];
  /** Paths of elements that a rule left out: `Patient.photo[0]`. */
  readonly dropped: readonly string[];
  /** Paths of elements that no rule names, of a map that leaves out the rest. */
  readonly unconsumed: readonly string[];
  /** Where every element that a rule wrote came from; what no rule names is where it was. */
  readonly provenance: readonly Provenance[];
}

/** Compiles all maps from FHIR to FHIR, by id, or gives everything that is wrong with them at once. */
export function compileFhirMaps(
  files: readonly MappingFile[],
  { layers }: { readonly layers?: readonly string[] } = {},
): CompileEachResult<FhirMapper> {
  return compileEach('FhirMap', files, { layers, compile: compileMap });
}

function compileMap(document: FhirMapDocument, context: MapContext): FhirMapper {
  const steps = compileSteps(document, context);
  const { id } = document;
  return { id, map: (input, options = {}) => mapInput(input, { document, steps }, options) };
}

interface Compiled {
  readonly document: FhirMapDocument;
  readonly steps: readonly FhirStep[];
}

function mapInput(input: unknown, compiled: Compiled, { onRule }: FhirMapOptions): FhirMapResult {
  const type = compiled.document.source?.fhir ?? '';
  const found = { issues: [] as Issue[], dropped: [] as string[] };
  const result = { ...found, unconsumed: [] as string[], provenance: [] as Provenance[] };
  let count = 0;
  const mapOne = (resource: unknown, path: string): unknown => {
    if (!isPlainObject(resource) || resource['resourceType'] !== type) return resource;
    count += 1;
    return mapResource(resource, path, { ...compiled, result, onRule });
  };
  const output = isPlainObject(input) ? mapEach(input, mapOne) : undefined;
  if (output === undefined || count === 0) {
    const { id } = compiled.document;
    const message = `Expected a ${type}, which the map ${id} is for, found none. Route it elsewhere, or take another map.`;
    const issue: Issue = { code: 'resource-not-for-map', severity: 'error', message };
    return { ...result, resource: null, issues: [issue] };
  }
  return { ...result, resource: isValid(result.issues) ? output : null };
}

function mapEach(input: Draft, mapOne: (resource: unknown, path: string) => unknown): Draft {
  const { resourceType, entry } = input;
  if (resourceType !== 'Bundle' || !Array.isArray(entry)) {
    return mapOne(input, String(resourceType)) as Draft;
  }
  return {
    ...input,
    entry: entry.map((each: unknown, index) =>
      isPlainObject(each) && 'resource' in each
        ? { ...each, resource: mapOne(each['resource'], `Bundle.entry[${index}].resource`) }
        : each,
    ),
  };
}

interface Mapping extends Compiled {
  readonly result: {
    readonly issues: Issue[];
    readonly dropped: string[];
    readonly unconsumed: string[];
    readonly provenance: Provenance[];
  };
  readonly onRule: ((rule: string) => void) | undefined;
}

function mapResource(resource: Draft, path: string, mapping: Mapping): Draft {
  const { document, steps, result, onRule = () => undefined } = mapping;
  const { target, rest = 'keep' } = document;
  const { id } = resource;
  const output: Draft =
    rest === 'keep'
      ? structuredClone(resource)
      : {
          resourceType: target?.fhir ?? resource['resourceType'],
          ...(id === undefined ? {} : { id }),
        };
  const state: FhirState = {
    ...{ source: { value: resource, path, parent: undefined }, output, onRule },
    ...{ issues: result.issues, provenance: [] },
    ...{ consumed: new Set(), dropped: new Set() },
  };
  for (const step of steps) step(state);
  const taken = rest === 'keep' ? takeAway(output, state.dropped) : [];
  for (const entry of state.provenance) {
    const at = entry.target.slice(path.length + 1);
    result.provenance.push({ ...entry, target: `${path}.${toMoved(at, taken)}` });
  }
  claim(output, target?.profile);
  result.dropped.push(...[...state.dropped].map((at) => `${path}.${at}`));
  if (rest === 'leave') result.unconsumed.push(...findLeft(resource, path, state.consumed));
  return output;
}

/** What every resource has: its type, its id on a server, who changed it, its narrative. */
const technical = /^\.(?:resourceType$|id$|meta\.|text\.|implicitRules$)/;

const findLeft = (resource: Draft, path: string, consumed: ReadonlySet<string>) =>
  findLeaves(resource, path).filter((leaf) => {
    if (technical.test(leaf.slice(path.length))) return false;
    for (let at = leaf; at.length > path.length; at = at.replace(/(\.[^.[]*|\[\d+\])$/, '')) {
      if (consumed.has(at)) return false;
    }
    return true;
  });
