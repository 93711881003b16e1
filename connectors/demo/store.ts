import { randomUUID } from 'node:crypto';
import { isRecord, toList } from './values.ts';

/** A resource as JSON gives it. */
export interface Resource {
  readonly resourceType: string;
  readonly id?: string;
  readonly meta?: { readonly versionId?: string; readonly lastUpdated?: string };
  readonly [element: string]: unknown;
}

/** A resource that the store holds: with id, version and time. Never changed in place. */
export interface StoredResource extends Resource {
  readonly id: string;
  readonly meta: { readonly versionId: string; readonly lastUpdated: string };
}

/**
 * All resources of the demo EHR, in memory, found at once by id, by identifier and by whose they are.
 * Synchronous: what one request does, no other sees half of.
 */
export interface ResourceStore {
  read(type: string, id: string): StoredResource | undefined;
  /** It was here and was deleted. */
  wasDeleted(type: string, id: string): boolean;
  /** Creates it or makes it the next version, with exactly this content. */
  put(id: string, resource: Resource): { readonly stored: StoredResource; readonly isNew: boolean };
  remove(type: string, id: string): void;
  /** In the order of creation. */
  all(type: string): Iterable<StoredResource>;
  /** Those that stand in the index under the key: see {@link toIdentifierKey}, {@link toReferenceKey}. */
  indexed(type: string, key: string): readonly StoredResource[];
  /** Undoes everything done in `work` when it throws, and throws on. */
  atomically<T>(work: () => T): T;
  newId(): string;
  /** How many of each type. */
  counts(): ReadonlyMap<string, number>;
}

interface Shelf {
  readonly resources: Map<string, StoredResource>;
  readonly index: Map<string, Set<string>>;
  /** The last version number of what was deleted. */
  readonly deleted: Map<string, number>;
}

/** Index key of an identifier; without a system: of its value in any system. */
export function toIdentifierKey(system: string | undefined, value: string): string {
  return `identifier ${system ?? '*'} ${value}`;
}

/** Index key of what refers to `Patient/123` as its subject or patient. */
export function toReferenceKey(reference: string): string {
  return `subject ${reference}`;
}

export function createStore(now: () => Date = () => new Date()): ResourceStore {
  const shelves = new Map<string, Shelf>();
  let undo: (() => void)[] | undefined;

  function shelfOf(type: string): Shelf {
    let shelf = shelves.get(type);
    if (shelf === undefined) {
      shelf = { resources: new Map(), index: new Map(), deleted: new Map() };
      shelves.set(type, shelf);
    }
    return shelf;
  }

  function place(shelf: Shelf, id: string, resource: StoredResource | undefined): void {
    const previous = shelf.resources.get(id);
    for (const key of previous === undefined ? [] : toKeys(previous)) {
      const ids = shelf.index.get(key);
      ids?.delete(id);
      if (ids?.size === 0) shelf.index.delete(key);
    }
    if (resource === undefined) {
      shelf.resources.delete(id);
      return;
    }
    shelf.resources.set(id, resource);
    for (const key of toKeys(resource)) {
      const ids = shelf.index.get(key);
      if (ids === undefined) shelf.index.set(key, new Set([id]));
      else ids.add(id);
    }
  }

  function remember(shelf: Shelf, id: string): void {
    const previous = shelf.resources.get(id);
    const deletedAt = shelf.deleted.get(id);
    undo?.push(() => {
      place(shelf, id, previous);
      if (deletedAt === undefined) shelf.deleted.delete(id);
      else shelf.deleted.set(id, deletedAt);
    });
  }

  return {
    read: (type, id) => shelves.get(type)?.resources.get(id),
    wasDeleted: (type, id) => shelves.get(type)?.deleted.has(id) === true,
    put(id, resource) {
      const shelf = shelfOf(resource.resourceType);
      remember(shelf, id);
      const previous = shelf.resources.get(id);
      const lastVersion = Number(previous?.meta.versionId ?? shelf.deleted.get(id) ?? 0);
      const meta = {
        ...resource.meta,
        versionId: `${lastVersion + 1}`,
        lastUpdated: now().toISOString(),
      };
      const stored: StoredResource = { ...resource, id, meta };
      shelf.deleted.delete(id);
      place(shelf, id, stored);
      return { stored, isNew: previous === undefined };
    },
    remove(type, id) {
      const shelf = shelfOf(type);
      const previous = shelf.resources.get(id);
      if (previous === undefined) return;
      remember(shelf, id);
      place(shelf, id, undefined);
      shelf.deleted.set(id, Number(previous.meta.versionId) + 1);
    },
    all: (type) => shelves.get(type)?.resources.values() ?? [],
    indexed(type, key) {
      const shelf = shelves.get(type);
      const found: StoredResource[] = [];
      for (const id of shelf?.index.get(key) ?? []) {
        const resource = shelf?.resources.get(id);
        if (resource !== undefined) found.push(resource);
      }
      return found;
    },
    atomically(work) {
      const steps: (() => void)[] = [];
      undo = steps;
      try {
        return work();
      } catch (error) {
        undo = undefined;
        for (const step of steps.reverse()) step();
        throw error;
      } finally {
        undo = undefined;
      }
    },
    newId: () => randomUUID(),
    counts: () =>
      new Map(
        [...shelves]
          .map(([type, { resources }]) => [type, resources.size] as const)
          .filter(([, size]) => size > 0)
          .sort(([left], [right]) => left.localeCompare(right)),
      ),
  };
}

function toKeys(resource: Resource): string[] {
  const keys: string[] = [];
  for (const identifier of toList(resource['identifier'])) {
    if (!isRecord(identifier) || typeof identifier['value'] !== 'string') continue;
    const { system, value } = identifier;
    keys.push(toIdentifierKey(undefined, value));
    keys.push(toIdentifierKey(typeof system === 'string' ? system : '', value));
  }
  for (const element of ['subject', 'patient']) {
    const reference = resource[element];
    if (isRecord(reference) && typeof reference['reference'] === 'string') {
      keys.push(toReferenceKey(reference['reference']));
    }
  }
  return keys;
}
