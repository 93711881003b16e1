import type { BundleEntry } from '@medplum/fhirtypes';
import { compareValues } from '../compare.ts';
import type { MappingResult } from '../mapper.ts';

/** One element of the output that is otherwise. */
export interface OutputDifference {
  /**
   * `Patient[0].gender`, a resource by its place among those of its type; `Patient[0]`, a whole one;
   * `Patient[0]:request`, how it is sent; `Bundle.timestamp`, the Bundle itself; `issue CODE PATH` and
   * `unconsumed PATH`.
   */
  readonly element: string;
  /** Undefined: it was not there. */
  readonly before?: unknown;
  /** Undefined: it is there no more. */
  readonly after?: unknown;
}

/** What differs between two results of mapping one message; resources are paired by the identity they have. */
export function compareOutput(
  before: MappingResult,
  after: MappingResult,
): readonly OutputDifference[] {
  return [
    ...compareElements('Bundle', withoutEntries(before), withoutEntries(after)),
    ...pairEntries(before, after).flatMap(compareEntries),
    ...compareLists(toNotes(before), toNotes(after)),
  ];
}

const withoutEntries = ({ resource }: MappingResult): object => ({
  ...resource,
  entry: undefined,
});

interface Pair {
  readonly label: string;
  readonly before: BundleEntry | undefined;
  readonly after: BundleEntry | undefined;
}

/** First those of equal identity, then what is left of a type in its order, since an identity may have changed. */
function pairEntries(before: MappingResult, after: MappingResult): readonly Pair[] {
  const [old, now] = [label(before), label(after)];
  const pairs: Pair[] = [];
  const left = new Map(now.map((one) => [one.label, one]));
  const unpaired: Labelled[] = [];
  for (const one of old) {
    const same = now.find(
      ({ entry, type }) => type === one.type && entry.fullUrl === one.entry.fullUrl,
    );
    if (same === undefined) unpaired.push(one);
    else pairs.push({ label: one.label, before: one.entry, after: same.entry });
    if (same !== undefined) left.delete(same.label);
  }
  for (const one of unpaired) {
    const other = [...left.values()].find(({ type }) => type === one.type);
    if (other !== undefined) left.delete(other.label);
    pairs.push({ label: one.label, before: one.entry, after: other?.entry });
  }
  for (const one of left.values()) {
    pairs.push({ label: one.label, before: undefined, after: one.entry });
  }
  return pairs;
}

interface Labelled {
  readonly label: string;
  readonly type: string;
  readonly entry: BundleEntry;
}

function label({ resource }: MappingResult): readonly Labelled[] {
  const counts = new Map<string, number>();
  return (resource?.entry ?? []).map((entry) => {
    const type = entry.resource?.resourceType ?? 'Resource';
    const index = counts.get(type) ?? 0;
    counts.set(type, index + 1);
    return { label: `${type}[${index}]`, type, entry };
  });
}

function compareEntries({ label: name, before, after }: Pair): readonly OutputDifference[] {
  if (before === undefined) return [{ element: name, after: after?.resource }];
  if (after === undefined) return [{ element: name, before: before.resource }];
  return [
    ...compareElements(name, before.resource, after.resource),
    ...compareElements(`${name}:request`, before.request, after.request),
  ];
}

function compareElements(name: string, before: unknown, after: unknown): OutputDifference[] {
  return compareValues(before, after).map(({ path, expected, found }) => ({
    element: path === '' ? name : `${name}.${path}`,
    ...(expected === undefined ? {} : { before: expected }),
    ...(found === undefined ? {} : { after: found }),
  }));
}

function toNotes({ issues, unconsumed }: MappingResult): readonly string[] {
  return [
    ...issues.map(({ code, location = '' }) => `issue ${code} ${location}`.trim()),
    ...unconsumed.map((path) => `unconsumed ${path}`),
  ];
}

function compareLists(
  before: readonly string[],
  after: readonly string[],
): readonly OutputDifference[] {
  const [old, now] = [new Set(before), new Set(after)];
  return [
    ...[...old].filter((one) => !now.has(one)).map((element) => ({ element, before: true })),
    ...[...now].filter((one) => !old.has(one)).map((element) => ({ element, after: true })),
  ];
}
