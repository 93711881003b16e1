import { findVersion } from '../../core/hl7v2/definitions/versions.ts';
import { parseMessage } from '../../core/hl7v2/parse.ts';
import { parseTimestamp } from '../../core/hl7v2/timestamp.ts';
import { type Hl7Message, type Segment } from '../../core/hl7v2/message.ts';
import type { MappingResult } from '../../core/mapping/mapper.ts';
import type { ReverseResult } from '../../core/mapping/reverse.ts';
import { findMoved } from './round-trip-moved.ts';
import { type Ways, toField } from './round-trip-ways.ts';

export { openWays } from './round-trip-ways.ts';

/** What became of a message's values on the way to FHIR and back. */
export interface RoundTrip {
  /** Places of values that came back as they were. */
  readonly equal: readonly string[];
  /** Places of values that no rule with a way back took, or that the maps say they leave out. */
  readonly declared: readonly string[];
  /** Values that a rule with a way back took, and that did not come back. */
  readonly lost: readonly Loss[];
  /** Segments that came back elsewhere: a result under another order. */
  readonly moved: readonly string[];
}

interface Loss {
  readonly place: string;
  readonly rules: readonly string[];
}

/** In the version that it has, or in another. Undefined where one of the ways has no map for the message. */
export function goRound(
  message: Hl7Message,
  ways: Ways,
  version: string = findVersion(message.version) ?? '2.5.1',
): RoundTrip | undefined {
  const { mapper, reverse } = ways;
  const there = mapper.map(message, { provenance: true, zone: '+01:00' });
  if (there.resource === null) return undefined;
  const event = [message.get('MSH-9.1'), message.get('MSH-9.2')].join('^');
  const back = reverse.map(there.resource, {
    date: parseTimestamp(message.get('MSH-7.1') ?? '')
      ? (message.get('MSH-7.1') ?? '')
      : '20260101',
    event,
    controlId: message.get('MSH-10') ?? '',
    provenance: true,
    version,
  });
  if (back.message === null) return undefined;
  const parsed = parseMessage(back.message);
  if (!parsed.ok) throw new Error('what was made is no message');
  const taken = findTaken(there);
  const isIgnored = toIgnored(back.ignored);
  const returned = countValues(parsed.message, ways);
  const moved = findMoved({
    ...{ message, made: parsed.message },
    ...{ there: there.provenance, back: back.provenance },
  });
  const result = { equal: [] as string[], declared: [] as string[], lost: [] as Loss[], moved };
  const values = [...listValues(message)].map(([place, text, whole]) => {
    const { uses = [], types = new Set<string>() } = taken.get(toLeafPlace(place)) ?? {};
    const rules = uses.map(({ rule }) => rule);
    const keys = [...toKeys(place, text, rules, ways), toLineKeys(place, whole, ways)];
    const isAwaited = uses.some(
      ({ rule, target }) => comesBack(rule, { place, event, ways, types }) && !isIgnored(target),
    );
    return { place, rules, keys, isAwaited };
  });
  // What has to come back has the first choice: an equal text that no rule took is not to stand for it.
  for (const { place, rules, keys, isAwaited } of values.sort(byAwaited)) {
    if (keys.some((lines) => takeAll(returned, lines))) result.equal.push(place);
    else if (isAwaited) result.lost.push({ place, rules });
    else result.declared.push(place);
  }
  return result;
}

const byAwaited = (a: { isAwaited: boolean }, b: { isAwaited: boolean }): number =>
  Number(b.isAwaited) - Number(a.isAwaited);

/** Whether what stands there is left out on the way back by a rule or part that says so. */
function toIgnored(ignored: ReverseResult['ignored']): (target: string) => boolean {
  const paths = ignored.map(({ source }) => source);
  return (target) =>
    paths.some(
      (path) => target === path || ['.', '['].some((mark) => target.startsWith(path + mark)),
    );
}

interface Taken {
  readonly uses: { readonly rule: string; readonly target: string }[];
  /** The types of the resources that the value came to. */
  readonly types: Set<string>;
}

/** By the place of a value, which rules took it. */
function findTaken({ provenance, resource }: MappingResult): ReadonlyMap<string, Taken> {
  const taken = new Map<string, Taken>();
  for (const { source, rule, target } of provenance) {
    const place = toLeafPlace(source);
    const known = taken.get(place) ?? { uses: [], types: new Set() };
    taken.set(place, known);
    known.uses.push({ rule, target });
    const [, index] = /^Bundle\.entry\[(\d+)\]/.exec(target) ?? [];
    const type = resource?.entry?.[Number(index)]?.resource?.resourceType;
    if (type !== undefined) known.types.add(type);
  }
  return taken;
}

/** Groups without a way back are not there to be counted: a value may come back in another segment of the name. */
function toKey(place: string, text: string, { fields }: Ways): string {
  const isDay = fields.get(toField(place))?.some((one) => one.isDay) === true;
  return `${place.replace(/\[\d+\]/g, '')} ${isDay ? text.trim().slice(0, 8) : normalise(text)}`;
}

/** Line by line: what was written as lines of one repetition may come back as repetitions. */
const toLineKeys = (place: string, text: string, ways: Ways): readonly string[] =>
  toLines(text).map((line) => toKey(place, line, ways));

function toLines(text: string): readonly string[] {
  return text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '');
}

/** Each is one way to be equal. Of a concept without a first coding, the second comes back as the first. */
function toKeys(
  place: string,
  text: string,
  rules: readonly string[],
  ways: Ways,
): readonly (readonly string[])[] {
  const isAlternate = rules.some((rule) => /^CWE\.Coding-(?:second-)?alternate#/.test(rule));
  const earlier = isAlternate ? Object.entries(codings) : [];
  return [
    toLineKeys(place, text, ways),
    ...earlier.flatMap(([component, others]) =>
      place.endsWith(`.${component}.1`)
        ? others.map((other) => toLineKeys(place.replace(/\.\d+\.1$/, `.${other}.1`), text, ways))
        : [],
    ),
    ...(rules.includes('ED.Attachment#ED.5.data') ? [[toKey(place, toPadded(text), ways)]] : []),
  ];
}

/** Base64 as FHIR requires it, its end filled up. */
const toPadded = (base64: string): string => base64.padEnd(Math.ceil(base64.length / 4) * 4, '=');

/** By the components of a CWE's second and third coding, those of the ones before. HL7 v2 chapter 2A, CWE. */
const codings: Readonly<Record<string, readonly number[]>> = {
  ...{ 4: [1], 5: [2], 6: [3], 8: [7] },
  ...{ 10: [4, 1], 11: [5, 2], 12: [6, 3], 13: [8, 7] },
};

function countValues(message: Hl7Message, ways: Ways): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [place, text] of listValues(message)) {
    for (const key of toLineKeys(place, text, ways)) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Each that came back is that of one that went. */
function takeAll(counts: Map<string, number>, keys: readonly string[]): boolean {
  const taken: string[] = [];
  for (const key of keys) {
    const count = counts.get(key) ?? 0;
    if (count === 0) break;
    counts.set(key, count - 1);
    taken.push(key);
  }
  if (taken.length === keys.length) return true;
  for (const key of taken) counts.set(key, (counts.get(key) ?? 0) + 1);
  return false;
}

const tabled: ReadonlySet<string> = new Set([
  'CWE.Coding#CWE.2.display',
  'CWE.Coding#CWE.7.version',
]);

interface Asked {
  readonly place: string;
  readonly event: string;
  readonly ways: Ways;
  readonly types: ReadonlySet<string>;
}

/**
 * By the rule that took it, and by the rule of a segment that took its field, where one did: a name in PID-9 comes
 * back where those of PID-5 are.
 */
function comesBack(rule: string, { place, event, ways, types }: Asked): boolean {
  const { reverse, fields, vias } = ways;
  const used = ways.used.get(event) ?? new Set<string>();
  const [map = '', id = ''] = rule.split('#');
  // A rule that has another map make the element is none of the value itself.
  if (vias.has(rule)) return false;
  const find = (of: string, one: string): string | undefined =>
    reverse.rulesOf(of)?.find((known) => known.id === one)?.reverse;
  if (find(map, id) !== 'derived' || !used.has(map)) return false;
  const all = (fields.get(toField(place)) ?? []).filter((one) => used.has(one.map));
  const ofType = all.filter(({ type }) => types.has(type));
  const outer = ofType.length > 0 ? ofType : all;
  // A table puts its own system and name in the place of the sender's, which had the version.
  if (tabled.has(rule) && outer.some(({ hasTable }) => hasTable)) return false;
  return outer.some((one) => find(one.map, one.id) === 'derived');
}

/** `PID-3[1].4.1` for `PID-3[1].4`, as a primitive. */
function toLeafPlace(place: string): string {
  const [, base = place, component = '1', sub = '1'] =
    /^([^.]*)(?:\.(\d+))?(?:\.(\d+))?$/.exec(place) ?? [];
  return `${base.includes('[', base.indexOf('-')) ? base : `${base}[1]`}.${component}.${sub}`;
}

type Valued = readonly [place: string, text: string, whole: string];

/** Place and text of each value, and the text of its field's repetition, in which a text may have stray delimiters. */
function* listValues(message: Hl7Message): Generator<Valued> {
  for (const segment of message.segments) yield* listSegment(segment);
}

function* listSegment(segment: Segment): Generator<Valued> {
  const name = segment.occurrence === 1 ? segment.name : `${segment.name}[${segment.occurrence}]`;
  for (let field = segment.isHeader ? 3 : 1; field <= segment.fieldCount; field++) {
    for (const [r, repetition] of segment.field(field).repetitions.entries()) {
      for (let c = 1; c <= repetition.componentCount; c++) {
        const component = repetition.component(c);
        for (let s = 1; s <= component.subcomponentCount; s++) {
          const value = component.subcomponent(s);
          if (value.valued && value.text.trim() !== '') {
            yield [`${name}-${field}[${r + 1}].${c}.${s}`, value.text, repetition.text];
          }
        }
      }
    }
  }
}

/** Equal are: a time with and without seconds or the zone it is in, a number with and without zeros at its end. */
function normalise(text: string): string {
  const trimmed = text.trim();
  const time = trimmed.length >= 8 ? parseTimestamp(trimmed) : undefined;
  if (time?.hour !== undefined) {
    return [
      time.year,
      time.month,
      time.day,
      time.hour,
      time.minute ?? '00',
      time.second ?? '00',
      (time.fraction ?? '').replace(/0+$/, ''),
    ].join('');
  }
  return /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(trimmed) && !/^0\d/.test(trimmed) && trimmed.length < 15
    ? String(Number(trimmed))
    : trimmed;
}
