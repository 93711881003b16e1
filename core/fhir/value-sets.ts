import type { CodeSystem, CodeSystemConcept, Resource, ValueSet } from '@medplum/fhirtypes';

/** Codes of one code system; `*`: whichever it has, which is not checked. */
export type CodeSystemCodes = readonly string[] | '*';

/** The codes of each code system in a value set; null: it has more than can be listed, and is not checked. */
export type ValueSetCodes = Readonly<Record<string, CodeSystemCodes>> | null;

/**
 * The codes of the value sets in these resources, by canonical URL without a version. A code system or value set is found
 * among the same resources. Null for those that need a terminology server: a code system that is not there, a filter over
 * other properties than its hierarchy.
 */
export function expandValueSets(
  resources: readonly Resource[],
): ReadonlyMap<string, ValueSetCodes> {
  const systems = new Map<string, CodeSystem>();
  const sets = new Map<string, ValueSet>();
  for (const resource of resources) {
    if (resource.resourceType === 'CodeSystem' && resource.url !== undefined) {
      systems.set(resource.url, resource);
    } else if (resource.resourceType === 'ValueSet' && resource.url !== undefined) {
      sets.set(resource.url, resource);
    }
  }
  const expansion = new Expansion(systems, sets);
  return new Map([...sets.keys()].map((url) => [url, expansion.codesOf(url)]));
}

/** The codes of a code system among these resources; undefined where not all are there. */
export function findSystemCodes(
  resources: readonly Resource[],
  url: string,
): readonly string[] | undefined {
  const system = resources.find(
    (one): one is CodeSystem => one.resourceType === 'CodeSystem' && one.url === url,
  );
  return system?.content === 'complete' ? listCodes(system.concept ?? []) : undefined;
}

type Include = NonNullable<ValueSet['compose']>['include'][number];
type Codes = Map<string, Set<string>>;

class Expansion {
  readonly #systems: ReadonlyMap<string, CodeSystem>;
  readonly #sets: ReadonlyMap<string, ValueSet>;

  constructor(systems: ReadonlyMap<string, CodeSystem>, sets: ReadonlyMap<string, ValueSet>) {
    this.#systems = systems;
    this.#sets = sets;
  }

  codesOf(url: string): ValueSetCodes {
    const codes = this.#expand(url, []);
    return codes === undefined
      ? null
      : Object.fromEntries([...codes].map(([system, list]) => [system, [...list]]));
  }

  /** `within`: the sets that are being expanded, in none of which it may be again. */
  #expand(canonical: string, within: readonly string[]): Codes | undefined {
    const url = withoutVersion(canonical);
    const { compose } = this.#sets.get(url) ?? {};
    if (compose === undefined || within.includes(url)) return undefined;
    const codes: Codes = new Map();
    for (const include of compose.include) {
      const found = this.#include(include, [...within, url]);
      if (found === undefined) return undefined;
      for (const [system, list] of found) {
        codes.set(system, new Set([...(codes.get(system) ?? []), ...list]));
      }
    }
    for (const exclude of compose.exclude ?? []) {
      const found = this.#include(exclude, [...within, url]);
      if (found === undefined) return undefined;
      for (const [system, list] of found) for (const code of list) codes.get(system)?.delete(code);
    }
    return codes;
  }

  /** What is in its system and in all of its value sets. */
  #include({ system, concept, filter, valueSet }: Include, within: readonly string[]) {
    const parts = (valueSet ?? []).map((url) => this.#expand(url, within));
    if (system !== undefined) {
      const list = concept?.map(({ code }) => code) ?? this.#listSystem(system, filter ?? []);
      parts.push(list === undefined ? undefined : new Map([[system, new Set(list)]]));
    }
    const [first, ...others] = parts;
    if (first === undefined || others.includes(undefined)) return undefined;
    return others.reduce<Codes>(
      (before, part) => intersect(before, part ?? new Map<string, Set<string>>()),
      first,
    );
  }

  #listSystem(url: string, filters: NonNullable<Include['filter']>): readonly string[] | undefined {
    const { content, concept = [] } = this.#systems.get(withoutVersion(url)) ?? {};
    if (content !== 'complete') return undefined;
    return filters.reduce<readonly string[] | undefined>((before, { property, op, value }) => {
      const root = findConcept(concept, value);
      if (property !== 'concept' || root === undefined) return undefined;
      if (op !== 'is-a' && op !== 'descendent-of') return undefined;
      const inside = new Set(listCodes(op === 'is-a' ? [root] : (root.concept ?? [])));
      return before?.filter((code) => inside.has(code));
    }, listCodes(concept));
  }
}

const withoutVersion = (canonical: string): string => canonical.replace(/\|.*$/, '');

const listCodes = (concepts: readonly CodeSystemConcept[]): readonly string[] =>
  concepts.flatMap(({ code, concept = [] }) => [code, ...listCodes(concept)]);

function findConcept(
  concepts: readonly CodeSystemConcept[],
  code: string,
): CodeSystemConcept | undefined {
  for (const one of concepts) {
    const found = one.code === code ? one : findConcept(one.concept ?? [], code);
    if (found !== undefined) return found;
  }
  return undefined;
}

function intersect(one: Codes, other: Codes): Codes {
  return new Map(
    [...one].map(([system, codes]) => [
      system,
      new Set([...codes].filter((code) => other.get(system)?.has(code) === true)),
    ]),
  );
}
