/**
 * Writes each reference within a Bundle as its server will: by the type and the id of the entry (`Patient/…`), of which the
 * check of references needs the type. Changes the resource.
 */
export function resolveReferences(resource: unknown): void {
  const { entry } = resource as { readonly entry?: unknown };
  if (!Array.isArray(entry)) return;
  const targets = new Map<string, string>();
  for (const { fullUrl, resource: target } of entry as readonly BundleEntry[]) {
    if (typeof fullUrl !== 'string' || target?.resourceType === undefined) continue;
    targets.set(fullUrl, `${target.resourceType}/${fullUrl.replace(/^.*[/:]/, '')}`);
  }
  if (targets.size > 0) resolveIn(entry, targets);
}

interface BundleEntry {
  readonly fullUrl?: unknown;
  readonly resource?: { readonly resourceType?: string };
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
