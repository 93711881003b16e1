import type { Bundle } from '@medplum/fhirtypes';

/** What stands at `Type[n].path` or `count.Type`. A negative n counts from the end. */
export function readFact(bundle: Bundle | null, fact: string): unknown {
  const [first = '', ...rest] = fact.split('.');
  const resources = (bundle?.entry ?? []).map(({ resource }) => resource);
  const ofType = (type: string): unknown[] => resources.filter((r) => r?.resourceType === type);
  if (first === 'count') return ofType(rest[0] ?? '').length;
  const [, type = '', index = '0'] = /^(\w+)\[(-?\d+)\]$/.exec(first) ?? [];
  return readPath(ofType(type).at(Number(index)), rest.join('.'));
}

/** What stands below a value: `name[0].given.length`; undefined where nothing does. */
export function readPath(from: unknown, path: string): unknown {
  let at = from;
  for (const key of path.split(/[.[\]]+/).filter(Boolean)) {
    at = (at as Record<string, unknown> | null | undefined)?.[key];
  }
  return at;
}
