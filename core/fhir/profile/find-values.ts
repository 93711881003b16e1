import { toRecord } from '../record.ts';

/** A value in a resource, and where: `Patient.identifier[0].system`. */
export interface Found {
  /** Undefined where a primitive has nothing but an extension. */
  readonly value: unknown;
  readonly location: string;
  /** Its element as it is written: `valueQuantity`. */
  readonly key: string;
}

/** An object that may have the element, and what it has of it. */
export interface Holder {
  readonly location: string;
  readonly found: readonly Found[];
}

/** The objects at the path before its last element, each with its values of that: `identifier.system` of each identifier. */
export function findHolders(value: unknown, location: string, path: string): readonly Holder[] {
  const [first = '', ...rest] = path.split('.');
  const found = findValues(value, location, first);
  if (rest.length === 0) return [{ location: `${location}.${first}`, found }];
  return found.flatMap((one) => findHolders(one.value, one.location, rest.join('.')));
}

/** The values of one element; of a choice (`value[x]`) of any type. */
function findValues(holder: unknown, location: string, element: string): readonly Found[] {
  const record = toRecord(holder);
  return findKeys(record, element).flatMap((key) => {
    const { [key]: value, [`_${key}`]: beside } = record;
    const at = `${location}.${key}`;
    if (!Array.isArray(value) && !Array.isArray(beside)) return [{ value, location: at, key }];
    const [values, others] = [toList(value), toList(beside)];
    return Array.from({ length: Math.max(values.length, others.length) }, (_, index) => ({
      value: values[index] ?? undefined,
      location: `${at}[${index}]`,
      key,
    }));
  });
}

function findKeys(record: Readonly<Record<string, unknown>>, element: string): readonly string[] {
  const has = (key: string): boolean =>
    record[key] !== undefined || record[`_${key}`] !== undefined;
  if (!element.endsWith('[x]')) return has(element) ? [element] : [];
  const base = element.slice(0, -'[x]'.length);
  const keys = new Set(Object.keys(record).map((key) => key.replace(/^_/, '')));
  return [...keys].filter(
    (key) => key.startsWith(base) && /^[A-Z]/.test(key.slice(base.length)) && has(key),
  );
}

const toList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
