import { FhirError } from './fhir-error.ts';
import { resourceTypes } from './resource-types.ts';
import { findByCondition, parseQuery, search } from './search.ts';
import type { Resource, ResourceStore, StoredResource } from './store.ts';
import { isRecord } from './values.ts';

/** What a request, or an entry of a Bundle, asks for. */
export interface Interaction {
  readonly method: string;
  readonly type: string;
  readonly id?: string;
  /** What stands behind the `?`. */
  readonly query?: string;
  readonly resource?: unknown;
  /** If-None-Exist. */
  readonly ifNoneExist?: string;
  /** If-Match: `W/"3"`. */
  readonly ifMatch?: string;
}

/** What became of it. */
export interface InteractionResult {
  readonly status: number;
  readonly resource?: Resource;
}

/** Which resource a write is about. Found before anything is written, so that references can be resolved. */
export type Target =
  /** It is to be written under this id. */
  | { readonly kind: 'write'; readonly id: string }
  /** A conditional create found it: nothing is written. */
  | { readonly kind: 'existing'; readonly found: StoredResource };

const idPattern = /^[A-Za-z0-9\-.]{1,64}$/;

/** Does one interaction. Throws FhirError. FHIR R4, 3.1.0 RESTful API. */
export function interact(
  store: ResourceStore,
  interaction: Interaction,
  baseUrl: string,
): InteractionResult {
  const { method, type, id, query = '' } = interaction;
  checkType(type);
  switch (method) {
    case 'GET':
      if (id !== undefined) return { status: 200, resource: read(store, type, id) };
      return { status: 200, resource: searchBundle(store, { type, query }, baseUrl) };
    case 'POST':
    case 'PUT': {
      const resource = checkResource(interaction);
      return write(store, { resource, target: findTarget(store, interaction) });
    }
    case 'DELETE':
      return remove(store, interaction);
    default:
      throw new FhirError(405, 'not-supported', `${method} is not supported here.`);
  }
}

export function checkType(type: string): void {
  if (resourceTypes.has(type)) return;
  throw new FhirError(404, 'not-supported', 'Expected the name of a FHIR R4 resource type.');
}

/** The body of a write, known to be a resource of the right type and id. */
export function checkResource({ method, type, id, resource }: Interaction): Resource {
  if (!isRecord(resource) || typeof resource['resourceType'] !== 'string') {
    throw new FhirError(400, 'structure', 'Expected a resource with a resourceType.');
  }
  if (!resourceTypes.has(resource['resourceType'])) {
    throw new FhirError(400, 'structure', 'resourceType is not one of FHIR R4.', 'resourceType');
  }
  if (resource['resourceType'] !== type) {
    throw new FhirError(400, 'invalid', `Expected a ${type}, as the address says.`, 'resourceType');
  }
  const bodyId = resource['id'];
  if (bodyId !== undefined && (typeof bodyId !== 'string' || !idPattern.test(bodyId))) {
    throw new FhirError(
      400,
      'value',
      'Expected an id of 1 to 64 letters, digits, - and dots.',
      'id',
    );
  }
  if (method === 'PUT' && id !== undefined && bodyId !== id) {
    throw new FhirError(400, 'invalid', 'The id in the body must be that of the address.', 'id');
  }
  return resource as unknown as Resource;
}

/** Which resource a POST or PUT writes; 412 where a condition finds more than one or If-Match fails. */
export function findTarget(store: ResourceStore, interaction: Interaction): Target {
  const { method, type, id, query, ifNoneExist, resource } = interaction;
  if (method === 'POST') {
    const found = ifNoneExist === undefined ? undefined : findOne(store, type, ifNoneExist);
    return found === undefined ? { kind: 'write', id: store.newId() } : { kind: 'existing', found };
  }
  if (id !== undefined) {
    if (!idPattern.test(id)) throw new FhirError(400, 'value', 'This is no FHIR id.');
    checkVersion(store.read(type, id), interaction.ifMatch);
    return { kind: 'write', id };
  }
  if (query === undefined || query === '') {
    throw new FhirError(400, 'required', 'An update needs an id or a condition in its address.');
  }
  const found = findOne(store, type, query);
  checkVersion(found, interaction.ifMatch);
  const bodyId =
    isRecord(resource) && typeof resource['id'] === 'string' ? resource['id'] : undefined;
  if (found !== undefined && bodyId !== undefined && bodyId !== found.id) {
    throw new FhirError(400, 'invalid', 'The condition finds a resource with another id.', 'id');
  }
  return { kind: 'write', id: found?.id ?? bodyId ?? store.newId() };
}

export function write(
  store: ResourceStore,
  { resource, target }: { readonly resource: Resource; readonly target: Target },
): InteractionResult {
  if (target.kind === 'existing') return { status: 200, resource: target.found };
  const { stored, isNew } = store.put(target.id, resource);
  return { status: isNew ? 201 : 200, resource: stored };
}

export function remove(store: ResourceStore, interaction: Interaction): InteractionResult {
  const { type, id, query = '' } = interaction;
  const found = id === undefined ? findOne(store, type, query) : store.read(type, id);
  if (found !== undefined) {
    checkVersion(found, interaction.ifMatch);
    store.remove(type, found.id);
  }
  return { status: 204 };
}

/** The one resource that meets the condition; none: undefined; more: 412. */
export function findOne(
  store: ResourceStore,
  type: string,
  condition: string,
): StoredResource | undefined {
  const [found, another] = findByCondition(store, type, condition);
  if (another === undefined) return found;
  throw new FhirError(412, 'multiple-matches', `The condition finds more than one ${type}.`);
}

function read(store: ResourceStore, type: string, id: string): StoredResource {
  const found = store.read(type, id);
  if (found !== undefined) return found;
  if (store.wasDeleted(type, id)) throw new FhirError(410, 'deleted', `This ${type} was deleted.`);
  throw new FhirError(404, 'not-found', `There is no ${type} with this id.`);
}

function checkVersion(current: StoredResource | undefined, ifMatch: string | undefined): void {
  if (ifMatch === undefined) return;
  const wanted = /^(?:W\/)?"(.*)"$/.exec(ifMatch)?.[1];
  if (wanted === undefined || wanted !== current?.meta.versionId) {
    throw new FhirError(412, 'conflict', 'If-Match names another version than the current one.');
  }
}

/** The searchset of a page, its `total` that of all pages. */
function searchBundle(
  store: ResourceStore,
  { type, query }: { readonly type: string; readonly query: string },
  baseUrl: string,
): Resource {
  const parameters = new URLSearchParams(query);
  const parsed = parseQuery(parameters);
  const found = search(store, type, parsed);
  const { count, offset } = parsed;
  const page = parsed.isCount ? [] : found.slice(offset, offset + count);
  const toLink = (relation: string, from: number) => {
    const address = new URLSearchParams(parameters);
    if (from > 0) address.set('_offset', `${from}`);
    else address.delete('_offset');
    const search = address.toString();
    return { relation, url: `${baseUrl}/${type}${search === '' ? '' : `?${search}`}` };
  };
  const link = [toLink('self', offset)];
  if (count > 0 && !parsed.isCount) {
    if (offset + count < found.length) link.push(toLink('next', offset + count));
    if (offset > 0) link.push(toLink('previous', Math.max(0, offset - count)));
  }
  const entry = page.map((resource) => ({
    fullUrl: `${baseUrl}/${type}/${resource.id}`,
    resource,
    search: { mode: 'match' },
  }));
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    total: found.length,
    link,
    ...(entry.length === 0 ? {} : { entry }),
  };
}
