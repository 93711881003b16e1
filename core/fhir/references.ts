import { toRecord } from './record.ts';

/**
 * Writes each reference within a Bundle as its server will: by the type and the id of the entry (`Patient/…`), of which the
 * check of references needs the type. Changes the resource.
 */
export function resolveReferences(resource: unknown): void {
  const { entry } = resource as { readonly entry?: unknown };
  if (!Array.isArray(entry)) return;
  const targets = new Map<string, string>();
  for (const each of entry as readonly unknown[]) {
    const { fullUrl, resource: target } = toRecord(each);
    const { resourceType } = toRecord(target);
    if (typeof fullUrl !== 'string' || typeof resourceType !== 'string') continue;
    targets.set(fullUrl, `${resourceType}/${fullUrl.replace(/^.*[/:]/, '')}`);
  }
  if (targets.size > 0) resolveIn(entry, targets);
}

function resolveIn(value: unknown, targets: ReadonlyMap<string, string>): void {
  if (typeof value !== 'object' || value === null) return;
  const object = value as Record<string, unknown>;
  for (const key in object) {
    const inner = object[key];
    if (key === 'reference' && typeof inner === 'string') {
      object[key] = targets.get(inner) ?? inner;
    } else resolveIn(inner, targets);
  }
}
