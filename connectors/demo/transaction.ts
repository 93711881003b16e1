import { buildOperationOutcome, FhirError, toFhirError } from './fhir-error.ts';
import {
  checkResource,
  checkType,
  findOne,
  findTarget,
  interact,
  remove,
  write,
} from './interactions.ts';
import type { Interaction, InteractionResult, Target } from './interactions.ts';
import type { Resource, ResourceStore } from './store.ts';
import { isRecord, toList } from './values.ts';

/** An entry of a Bundle, understood. */
interface Entry {
  readonly index: number;
  readonly fullUrl: string | undefined;
  readonly interaction: Interaction;
}

/** A write whose resource is known. */
interface Write {
  readonly entry: Entry;
  readonly resource: Resource;
  readonly target: Target;
}

interface Options {
  readonly baseUrl: string;
  /** Prefer: return=representation. */
  readonly withResources: boolean;
}

/**
 * A Bundle of type transaction (all or nothing) or batch (each entry by itself), answered entry by entry
 * in the order of the request. Throws FhirError, with nothing changed, when a transaction fails.
 * FHIR R4, 3.1.0.11 batch/transaction.
 */
export function processBundle(store: ResourceStore, bundle: Resource, options: Options): Resource {
  const items = toList(bundle['entry']);
  if (bundle['type'] === 'batch') {
    const entry = items.map((item, index) => doEntry(store, { item, index }, options));
    return { resourceType: 'Bundle', type: 'batch-response', entry };
  }
  if (bundle['type'] !== 'transaction') {
    const expected = 'Expected a Bundle of type transaction or batch.';
    throw new FhirError(400, 'value', expected, 'Bundle.type');
  }
  const entries = items.map(readEntry);
  const results = store.atomically(() => transact(store, entries, options.baseUrl));
  const entry = results.map((result) => toResponse(result, options));
  return { resourceType: 'Bundle', type: 'transaction-response', entry };
}

function doEntry(
  store: ResourceStore,
  { item, index }: { readonly item: unknown; readonly index: number },
  options: Options,
): unknown {
  try {
    const { interaction } = readEntry(item, index);
    return toResponse(
      store.atomically(() => interact(store, interaction, options.baseUrl)),
      options,
    );
  } catch (error) {
    const refusal = toFhirError(error);
    return {
      response: { status: toStatus(refusal.status), outcome: buildOperationOutcome(refusal) },
    };
  }
}

// Deletes, creates, updates, reads: the order in which the standard has them processed.
function transact(
  store: ResourceStore,
  entries: readonly Entry[],
  baseUrl: string,
): readonly InteractionResult[] {
  const results: InteractionResult[] = [];
  const note = (entry: Entry, work: () => InteractionResult) => {
    results[entry.index] = at(entry, work);
  };
  const having = (method: string) =>
    entries.filter(({ interaction }) => interaction.method === method);
  for (const entry of having('DELETE')) note(entry, () => remove(store, entry.interaction));
  const writes = findTargets(store, [...having('POST'), ...having('PUT')]);
  const references = toReferences(writes, baseUrl);
  // What refers by a condition comes last: it may refer to what this transaction creates.
  const resolved = writes.map((each) => ({
    ...each,
    conditional: hasConditionalReference(each.resource),
  }));
  resolved.sort((left, right) => Number(left.conditional) - Number(right.conditional));
  for (const { entry, resource, target } of resolved) {
    note(entry, () =>
      write(store, { resource: rewrite(store, resource, references) as Resource, target }),
    );
  }
  for (const entry of having('GET')) note(entry, () => interact(store, entry.interaction, baseUrl));
  return results;
}

function findTargets(store: ResourceStore, entries: readonly Entry[]): readonly Write[] {
  const written = new Set<string>();
  const created = new Map<string, Target>();
  return entries.map((entry) =>
    at(entry, () => {
      const { interaction } = entry;
      const resource = checkResource(interaction);
      const { type, ifNoneExist } = interaction;
      // The same conditional create twice is one resource: the second finds the first.
      const condition = ifNoneExist === undefined ? undefined : `${type}?${ifNoneExist}`;
      const target =
        (condition === undefined ? undefined : created.get(condition)) ??
        findTarget(store, interaction);
      if (target.kind === 'existing') return { entry, resource, target };
      const isRepeated = condition !== undefined && created.has(condition);
      const identity = `${type}/${target.id}`;
      if (written.has(identity) && !isRepeated) {
        throw new FhirError(
          400,
          'duplicate',
          'Another entry of this transaction writes the same resource.',
        );
      }
      written.add(identity);
      if (condition !== undefined) created.set(condition, target);
      return { entry, resource, target };
    }),
  );
}

/** What entries are called in the Bundle, and where they really are. */
function toReferences(writes: readonly Write[], baseUrl: string): ReadonlyMap<string, string> {
  const references = new Map<string, string>();
  for (const { entry, target } of writes) {
    if (entry.fullUrl === undefined) continue;
    const id = target.kind === 'write' ? target.id : target.found.id;
    const reference = `${entry.interaction.type}/${id}`;
    references.set(entry.fullUrl, reference);
    if (entry.fullUrl.startsWith(`${baseUrl}/`)) {
      references.set(entry.fullUrl.slice(baseUrl.length + 1), reference);
    }
  }
  return references;
}

const conditionalReference = /^([A-Z][A-Za-z]+)\?(.+)$/;

function hasConditionalReference(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasConditionalReference);
  if (!isRecord(value)) return false;
  return Object.entries(value).some(
    ([key, each]) =>
      (key === 'reference' && typeof each === 'string' && conditionalReference.test(each)) ||
      hasConditionalReference(each),
  );
}

/** A copy with every reference to an entry, and every conditional reference, made literal. */
function rewrite(
  store: ResourceStore,
  value: unknown,
  references: ReadonlyMap<string, string>,
  key = '',
): unknown {
  if (typeof value === 'string') {
    const known = references.get(value);
    if (known !== undefined) return known;
    return key === 'reference' ? resolve(store, value) : value;
  }
  if (Array.isArray(value)) return value.map((each) => rewrite(store, each, references, key));
  if (!isRecord(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, each] of Object.entries(value)) {
    copy[name] = rewrite(store, each, references, name);
  }
  return copy;
}

function resolve(store: ResourceStore, reference: string): string {
  if (reference.startsWith('urn:')) {
    throw new FhirError(400, 'not-found', 'A reference leads to no entry of this transaction.');
  }
  const [, type, condition] = conditionalReference.exec(reference) ?? [];
  if (type === undefined || condition === undefined) return reference;
  checkType(type);
  const found = findOne(store, type, condition);
  if (found !== undefined) return `${type}/${found.id}`;
  throw new FhirError(412, 'not-found', `A conditional reference finds no ${type}.`);
}

function readEntry(item: unknown, index: number): Entry {
  const where = `Bundle.entry[${index}]`;
  const request = isRecord(item) ? item['request'] : undefined;
  if (!isRecord(item) || !isRecord(request)) {
    throw new FhirError(400, 'required', 'Every entry needs a request.', `${where}.request`);
  }
  const { method, url, ifNoneExist, ifMatch } = request;
  if (typeof method !== 'string' || typeof url !== 'string') {
    throw new FhirError(400, 'required', 'A request needs a method and a url.', `${where}.request`);
  }
  if (!['GET', 'POST', 'PUT', 'DELETE'].includes(method)) {
    throw new FhirError(
      400,
      'not-supported',
      'Expected GET, POST, PUT or DELETE.',
      `${where}.request`,
    );
  }
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  const [type = '', id, rest] = path.replace(/^\//, '').split('/');
  if (rest !== undefined || (method === 'POST' && id !== undefined)) {
    throw new FhirError(
      400,
      'value',
      'Expected Type, Type/id or Type?condition.',
      `${where}.request.url`,
    );
  }
  at({ index }, () => checkType(type));
  const interaction: Interaction = {
    method,
    type,
    resource: item['resource'],
    ...(id === undefined ? {} : { id }),
    ...(mark === -1 ? {} : { query: url.slice(mark + 1) }),
    ...(typeof ifNoneExist === 'string' ? { ifNoneExist } : {}),
    ...(typeof ifMatch === 'string' ? { ifMatch } : {}),
  };
  return {
    index,
    fullUrl: typeof item['fullUrl'] === 'string' ? item['fullUrl'] : undefined,
    interaction,
  };
}

/** Does the work of one entry; a refusal says which. */
function at<T>(entry: Pick<Entry, 'index'>, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof FhirError)) throw error;
    const where = `Bundle.entry[${entry.index}]`;
    const inside = error.expression === undefined ? '' : `.resource.${error.expression}`;
    throw new FhirError(error.status, error.code, error.message, `${where}${inside}`);
  }
}

function toResponse({ status, resource }: InteractionResult, options: Options): unknown {
  const { id, meta, resourceType } = resource ?? {};
  const isStored = id !== undefined && meta?.versionId !== undefined;
  const stored = isStored
    ? {
        location: `${resourceType ?? ''}/${id}/_history/${meta.versionId}`,
        etag: `W/"${meta.versionId}"`,
        lastModified: meta.lastUpdated,
      }
    : {};
  // What a search found is the answer itself; what was written comes back only where it was asked for.
  const isSearch = resourceType === 'Bundle' && !isStored;
  return {
    ...(isSearch || (resource !== undefined && options.withResources) ? { resource } : {}),
    response: { status: toStatus(status), ...stored },
  };
}

const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  410: 'Gone',
  412: 'Precondition Failed',
};

function toStatus(status: number): string {
  return `${status} ${reasons[status] ?? ''}`.trim();
}
