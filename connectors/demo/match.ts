import { FhirError } from './fhir-error.ts';
import { isRecord, toList, valuesAt } from './values.ts';

/** Whether any value is the token `system|code`, `|code` (no system), `system|` or `code`. FHIR R4 3.1.1.4.10. */
export function matchesToken(found: readonly unknown[], wanted: string): boolean {
  const bar = wanted.lastIndexOf('|');
  const system = bar === -1 ? undefined : wanted.slice(0, bar);
  const code = wanted.slice(bar + 1);
  return found
    .flatMap(toTokens)
    .some(
      (token) =>
        (code === '' ? system !== '' : token.code === code) &&
        (system === undefined || token.system === system),
    );
}

interface Token {
  readonly system: string;
  readonly code: string;
}

function toTokens(value: unknown): readonly Token[] {
  if (typeof value === 'string' || typeof value === 'boolean') {
    return [{ system: '', code: String(value) }];
  }
  if (!isRecord(value)) return [];
  const codings = toList(value['coding']);
  if (codings.length > 0) return codings.flatMap(toTokens);
  const code = value['value'] ?? value['code'];
  if (typeof code !== 'string') return [];
  return [{ system: typeof value['system'] === 'string' ? value['system'] : '', code }];
}

/** Whether any text begins with it (or is or contains it, by modifier), cases and accents aside. */
export function matchesString(
  found: readonly unknown[],
  wanted: string,
  modifier: string | undefined,
): boolean {
  const texts = found.flatMap(toTexts);
  if (modifier === 'exact') return texts.includes(wanted);
  const folded = fold(wanted);
  return texts
    .map(fold)
    .some((text) => (modifier === 'contains' ? text.includes(folded) : text.startsWith(folded)));
}

function toTexts(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(toTexts);
  if (!isRecord(value)) return [];
  const parts = [
    'text',
    'family',
    'given',
    'prefix',
    'suffix',
    'line',
    'city',
    'state',
    'postalCode',
  ];
  return [...parts, 'country'].flatMap((part) => toTexts(value[part]));
}

function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

/** Whether any reference leads to `Patient/1`, or to `1` of the type where only an id is given. */
export function matchesReference(
  found: readonly unknown[],
  wanted: string,
  type: string | undefined,
): boolean {
  return found
    .flatMap((reference) => valuesAt(reference, 'reference'))
    .some((reference) => {
      if (typeof reference !== 'string') return false;
      const [ofType, id] = reference.split('/');
      if (type !== undefined && type !== ofType) return false;
      return wanted.includes('/') ? reference === wanted : id === wanted;
    });
}

interface Interval {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

const comparisons: Readonly<Record<string, (value: Interval, wanted: Interval) => boolean>> = {
  eq: (value, wanted) => value.start >= wanted.start && value.end <= wanted.end,
  ne: (value, wanted) => value.start < wanted.start || value.end > wanted.end,
  gt: (value, wanted) => value.end > wanted.end,
  ge: (value, wanted) => value.end > wanted.start,
  lt: (value, wanted) => value.start < wanted.start,
  le: (value, wanted) => value.start < wanted.end,
  sa: (value, wanted) => value.start >= wanted.end,
  eb: (value, wanted) => value.end <= wanted.start,
};

/** Whether any date or period compares so: `2026`, `ge2026-03-01`, each with its precision. FHIR R4 3.1.1.4.7. */
export function matchesDate(found: readonly unknown[], wanted: string): boolean {
  const prefix = /^[a-z]{2}/.exec(wanted)?.[0] ?? 'eq';
  const compare = Object.hasOwn(comparisons, prefix) ? comparisons[prefix] : undefined;
  const interval = toInterval(wanted.replace(/^[a-z]{2}/, ''));
  if (compare === undefined || interval === undefined) {
    throw new FhirError(
      400,
      'value',
      'Expected a date such as 2026-03-01 or ge2026-03-01T10:00:00Z.',
    );
  }
  return found.some((value) => {
    const own = toInterval(value);
    return own !== undefined && compare(own, interval);
  });
}

function toInterval(value: unknown): Interval | undefined {
  if (isRecord(value)) {
    const start = toInterval(value['start'])?.start ?? Number.NEGATIVE_INFINITY;
    return { start, end: toInterval(value['end'])?.end ?? Number.POSITIVE_INFINITY };
  }
  if (typeof value !== 'string') return undefined;
  const parts =
    /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d:\d\d)(:\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/.exec(
      value,
    );
  if (parts === null) return undefined;
  const [, year, month, day, time, seconds, zone = 'Z'] = parts;
  const start = Date.parse(
    `${year ?? ''}-${month ?? '01'}-${day ?? '01'}T${time ?? '00:00'}${seconds ?? ':00'}${zone}`,
  );
  if (Number.isNaN(start)) return undefined;
  return { start, end: start + toPrecisionMs(start, { month, day, time, seconds }) };
}

function toPrecisionMs(
  start: number,
  given: Readonly<Record<'month' | 'day' | 'time' | 'seconds', string | undefined>>,
): number {
  if (given.seconds !== undefined) return given.seconds.includes('.') ? 1 : 1000;
  if (given.time !== undefined) return 60_000;
  if (given.day !== undefined) return 86_400_000;
  const end = new Date(start);
  if (given.month !== undefined) end.setUTCMonth(end.getUTCMonth() + 1);
  else end.setUTCFullYear(end.getUTCFullYear() + 1);
  return end.getTime() - start;
}
