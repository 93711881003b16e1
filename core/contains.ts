/**
 * Whether all that a part says is in a value: of an object each element, of a list each item in some item, else the same.
 * Of a list with more than `mostItems` each item has to be there as it is: each with each would take their square. FHIR R4,
 * ElementDefinition.pattern[x].
 */
export function contains(value: unknown, part: unknown, mostItems = Infinity): boolean {
  if (value === part) return true;
  if (Array.isArray(part)) return Array.isArray(value) && containsAll(value, part, mostItems);
  if (!isObject(part) || !isObject(value)) return false;
  for (const key in part) if (!contains(value[key], part[key], mostItems)) return false;
  return true;
}

function containsAll(
  values: readonly unknown[],
  parts: readonly unknown[],
  mostItems: number,
): boolean {
  if (values.length <= mostItems) {
    return parts.every((part) => values.some((value) => contains(value, part, mostItems)));
  }
  const texts = new Set(values.map((value) => JSON.stringify(value)));
  return parts.every((part) => texts.has(JSON.stringify(part)));
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
