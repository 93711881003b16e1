import { toRecord } from './record.ts';

/** A resource in another one, and where: `.entry[1].resource`. */
export interface Nested {
  readonly path: string;
  readonly resource: unknown;
}

/** The resources directly within one, wherever FHIR R4 has them: contained, of a Bundle's entries, of Parameters. */
export function* findNested(resource: object): Generator<Nested> {
  const { resourceType, contained, entry, parameter } = resource as {
    readonly resourceType?: unknown;
    readonly contained?: unknown;
    readonly entry?: unknown;
    readonly parameter?: unknown;
  };
  for (const [at, each] of toList(contained).entries()) {
    yield { path: `.contained[${at}]`, resource: each };
  }
  if (resourceType === 'Bundle') {
    for (const [at, each] of toList(entry).entries()) yield* inEntry(each, `.entry[${at}]`);
  }
  if (resourceType === 'Parameters') yield* inParameters(parameter, '.parameter');
}

function* inEntry(entry: unknown, path: string): Generator<Nested> {
  const { resource, response } = toRecord(entry);
  if (resource !== undefined) yield { path: `${path}.resource`, resource };
  const { outcome } = toRecord(response);
  if (outcome !== undefined) yield { path: `${path}.response.outcome`, resource: outcome };
}

function* inParameters(parameters: unknown, path: string): Generator<Nested> {
  for (const [at, each] of toList(parameters).entries()) {
    const { resource, part } = toRecord(each);
    if (resource !== undefined) yield { path: `${path}[${at}].resource`, resource };
    yield* inParameters(part, `${path}[${at}].part`);
  }
}

function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
