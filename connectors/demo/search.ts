import { FhirError } from './fhir-error.ts';
import { matchesDate, matchesReference, matchesString, matchesToken } from './match.ts';
import { searchParameters } from './search-parameters.ts';
import type { SearchParameter } from './search-parameters.ts';
import { toIdentifierKey, toReferenceKey } from './store.ts';
import type { ResourceStore, StoredResource } from './store.ts';
import { valuesAt } from './values.ts';

/** A search, understood. */
export interface Query {
  readonly criteria: readonly Criterion[];
  readonly count: number;
  readonly offset: number;
  /** Only the total was asked for. */
  readonly isCount: boolean;
  readonly sort: readonly { readonly parameter: SearchParameter; readonly descending: boolean }[];
}

interface Criterion {
  readonly name: string;
  readonly parameter: SearchParameter;
  /** `missing`, `not`, `exact`, `contains`, `identifier`, or a resource type. */
  readonly modifier: string | undefined;
  /** `patient.identifier=…`: the parameter of the resource referred to. */
  readonly chain: string | undefined;
  /** Any of these. */
  readonly values: readonly string[];
}

const defaultCount = 50;
const maxCount = 1000;
/** Understood and without effect here. */
const withoutEffect = new Set(['_format', '_pretty', '_total']);

/**
 * Throws a 400 for a parameter or modifier that the demo EHR does not have: leaving it out would find too
 * much, and update the wrong resource where the search is a condition. FHIR R4, 3.1.1 Search.
 */
export function parseQuery(parameters: URLSearchParams): Query {
  const criteria: Criterion[] = [];
  let count = defaultCount;
  let offset = 0;
  let isCount = false;
  let sort: Query['sort'] = [];
  for (const [key, value] of parameters) {
    if (withoutEffect.has(key)) continue;
    if (key === '_count') count = Math.min(maxCount, toWholeNumber(key, value));
    else if (key === '_offset') offset = toWholeNumber(key, value);
    else if (key === '_summary') isCount = toSummary(value);
    else if (key === '_sort') sort = value.split(',').map(toSort);
    else criteria.push(toCriterion(key, value));
  }
  return { criteria, count, offset, isCount, sort };
}

/** Everything that matches, sorted, in one list; paging is the caller's. */
export function search(
  store: ResourceStore,
  type: string,
  query: Query,
): readonly StoredResource[] {
  const found: StoredResource[] = [];
  for (const candidate of findCandidates(store, type, query.criteria)) {
    if (query.criteria.every((criterion) => matches(store, candidate, criterion))) {
      found.push(candidate);
    }
  }
  for (const { parameter, descending } of query.sort.toReversed()) {
    const direction = descending ? -1 : 1;
    found.sort((left, right) => direction * compareBy(parameter, left, right));
  }
  return found;
}

/** Resources that meet a condition (`identifier=…|…`) of a conditional interaction. At least one criterion. */
export function findByCondition(
  store: ResourceStore,
  type: string,
  condition: string,
): readonly StoredResource[] {
  const query = parseQuery(new URLSearchParams(condition));
  if (query.criteria.length === 0) {
    throw new FhirError(400, 'required', 'A condition needs at least one search parameter.');
  }
  return search(store, type, query);
}

// The index narrows the search to a handful; where no criterion is in it, every resource is looked at.
function findCandidates(
  store: ResourceStore,
  type: string,
  criteria: readonly Criterion[],
): Iterable<StoredResource> {
  for (const { name, modifier, chain, values } of criteria) {
    const [value, another] = values;
    if (value === undefined || another !== undefined) continue;
    if (modifier !== undefined || chain !== undefined) continue;
    if (name === '_id') {
      const resource = store.read(type, value);
      return resource === undefined ? [] : [resource];
    }
    if (name === 'identifier' && !value.endsWith('|')) {
      const bar = value.lastIndexOf('|');
      const system = bar === -1 ? undefined : value.slice(0, bar);
      return store.indexed(type, toIdentifierKey(system, value.slice(bar + 1)));
    }
    if (name === 'patient' || (name === 'subject' && value.includes('/'))) {
      const reference = value.includes('/') ? toRelative(value) : `Patient/${value}`;
      return store.indexed(type, toReferenceKey(reference));
    }
  }
  return store.all(type);
}

function matches(store: ResourceStore, resource: StoredResource, criterion: Criterion): boolean {
  const { parameter, modifier, values } = criterion;
  const found = parameter.paths.flatMap((path) => valuesAt(resource, path));
  if (modifier === 'missing') return values.includes('true') === (found.length === 0);
  switch (parameter.kind) {
    case 'token': {
      const any = values.some((value) => matchesToken(found, value));
      return modifier === 'not' ? !any : any;
    }
    case 'string':
      return values.some((value) => matchesString(found, value, modifier));
    case 'date':
      return values.some((value) => matchesDate(found, value));
    case 'reference':
      return matchesAnyReference(store, found, criterion);
  }
}

function matchesAnyReference(
  store: ResourceStore,
  found: readonly unknown[],
  { parameter, modifier, chain, values }: Criterion,
): boolean {
  if (modifier === 'identifier') {
    const identifiers = found.flatMap((reference) => valuesAt(reference, 'identifier'));
    return values.some((value) => matchesToken(identifiers, value));
  }
  const type = modifier ?? parameter.target;
  if (chain === undefined) {
    return values.some((value) => matchesReference(found, toRelative(value), type));
  }
  return found
    .flatMap((reference) => valuesAt(reference, 'reference'))
    .some((reference) => {
      const [ofType = '', id = ''] = typeof reference === 'string' ? reference.split('/') : [];
      const target = store.read(ofType, id);
      if (target === undefined || (type !== undefined && type !== ofType)) return false;
      return matches(store, target, { ...toCriterion(chain, ''), values });
    });
}

/** `http://ehr.example/fhir/R4/Patient/1` and `Patient/1/_history/2` as `Patient/1`. */
function toRelative(reference: string): string {
  return (
    /([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})(\/_history\/.*)?$/.exec(reference)?.[1] ?? reference
  );
}

function toCriterion(key: string, value: string): Criterion {
  const [head = '', ...rest] = key.split('.');
  const [name = '', modifier] = head.split(':');
  const parameter = Object.hasOwn(searchParameters, name) ? searchParameters[name] : undefined;
  if (parameter === undefined) {
    const known = Object.keys(searchParameters).join(', ');
    throw new FhirError(400, 'not-supported', `Unknown search parameter. Known here: ${known}.`);
  }
  const chain = rest.length === 0 ? undefined : rest.join('.');
  if (!isSupported(parameter, modifier, chain)) {
    throw new FhirError(400, 'not-supported', `The modifier or chain on ${name} is not supported.`);
  }
  // A comma is "or" unless it is escaped.
  const values = value.split(/(?<!\\),/).map((each) => each.replace(/\\([,|$\\])/g, '$1'));
  return { name, parameter, modifier, chain, values };
}

function isSupported(
  { kind }: SearchParameter,
  modifier: string | undefined,
  chain: string | undefined,
): boolean {
  if (chain !== undefined) return kind === 'reference' && modifier !== 'identifier';
  if (modifier === undefined || modifier === 'missing') return true;
  if (kind === 'token') return modifier === 'not';
  if (kind === 'string') return modifier === 'exact' || modifier === 'contains';
  return kind === 'reference' && (modifier === 'identifier' || /^[A-Z]/.test(modifier));
}

function toWholeNumber(name: string, value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new FhirError(400, 'value', `${name} must be a whole number, 0 or more.`);
}

function toSummary(value: string): boolean {
  if (value === 'count') return true;
  if (value === 'false') return false;
  throw new FhirError(400, 'not-supported', 'Of _summary, only count and false are supported.');
}

function toSort(field: string): Query['sort'][number] {
  const descending = field.startsWith('-');
  const { parameter } = toCriterion(descending ? field.slice(1) : field, '');
  return { parameter, descending };
}

function compareBy(parameter: SearchParameter, left: unknown, right: unknown): number {
  const [one, other] = [left, right].map((resource) => {
    const [value] = parameter.paths.flatMap((path) => valuesAt(resource, path));
    return typeof value === 'string' ? value : JSON.stringify(value ?? '');
  });
  return (one ?? '') < (other ?? '') ? -1 : (one ?? '') > (other ?? '') ? 1 : 0;
}
