import type { ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';

/** Of an element's definition what says how it must be; the rest explains it to people. */
const kept = new Set<string>([
  ...['id', 'path', 'sliceName', 'min', 'max', 'type', 'contentReference', 'slicing', 'base'],
]);

/** A StructureDefinition with its snapshot as far as it decides what is valid: a tenth of its size. */
export function trimDefinition(definition: StructureDefinition): StructureDefinition {
  const { resourceType, id, url, version, name, status, kind, abstract, type } = definition;
  const { baseDefinition, derivation, snapshot } = definition;
  return {
    ...{ resourceType, url, name, status, kind, abstract, type },
    ...(id === undefined ? {} : { id }),
    ...(version === undefined ? {} : { version }),
    ...(baseDefinition === undefined ? {} : { baseDefinition }),
    ...(derivation === undefined ? {} : { derivation }),
    snapshot: { element: (snapshot?.element ?? []).map(trimElement) },
  };
}

function trimElement(element: ElementDefinition): ElementDefinition {
  const entries = Object.entries(element).filter(
    ([key]) => kept.has(key) || /^(fixed|pattern)[A-Z]/.test(key),
  );
  const constraint = (element.constraint ?? [])
    .filter(({ severity, key }) => severity === 'error' && key !== 'ele-1')
    .map(({ key, severity, human, expression }) => ({
      ...{ key, severity, human },
      ...(expression === undefined ? {} : { expression }),
    }));
  const { strength, valueSet } = element.binding ?? {};
  return {
    ...(Object.fromEntries(entries) as unknown as ElementDefinition),
    ...(constraint.length === 0 ? {} : { constraint }),
    ...(strength === 'required' && valueSet !== undefined
      ? { binding: { strength, valueSet } }
      : {}),
  };
}
