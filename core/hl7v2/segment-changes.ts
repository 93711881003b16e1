import { countCommonEnd, countCommonStart } from '../common-ends.ts';

/**
 * Where a segment differs between two messages, as it is written: its fields from the first to the last that differ,
 * with the separators between them; a segment that is in one of them alone as a whole, with field 0.
 */
export type SegmentChange = readonly [
  name: string,
  /** Which of its name, 1-based: of the later message, or of the former where it is there alone. 0: the only one. */
  occurrence: number,
  field: number,
  before: string | null,
  after: string | null,
];

const carriageReturn = 13;

/** Whether a text begins as an HL7 v2 message, without a look at the rest. */
export function isHl7Text(text: string): boolean {
  return text.startsWith('MSH') && text.length > 8 && text.charCodeAt(3) > carriageReturn;
}

/** MSH-1 and MSH-2 of a text that begins as a message: `|^~\&`. */
export function readEncoding(text: string): string {
  if (text.startsWith('|^~\\&|', 3)) return usualEncoding;
  const end = text.indexOf(text.charAt(3), 4);
  return text.slice(3, end === -1 ? 9 : Math.min(end, 9));
}

export const usualEncoding = '|^~\\&';

/**
 * Where two HL7 v2 messages differ, in the order of the text. None where only the ends of their segments do. Cheap:
 * nothing is parsed, and what is the same is passed over by segment.
 */
export function findSegmentChanges(before: string, after: string): readonly SegmentChange[] {
  const left = toSegments(before);
  const right = toSegments(after);
  let start = 0;
  const shorter = Math.min(left.length, right.length);
  while (start < shorter && left[start] === right[start]) start += 1;
  let same = 0;
  while (
    same < shorter - start &&
    left[left.length - 1 - same] === right[right.length - 1 - same]
  ) {
    same += 1;
  }
  const pairs = pair(
    left.slice(start, left.length - same),
    right.slice(start, right.length - same),
  );
  if (pairs.length === 0) return [];
  const separators = [before.charAt(3), after.charAt(3)] as const;
  const places = [
    new Occurrences(left, separators[0]),
    new Occurrences(right, separators[1]),
  ] as const;
  const changes: SegmentChange[] = [];
  let [atLeft, atRight] = [start, start];
  for (const [one, other] of pairs) {
    if (one !== other) {
      const [name, occurrence] = other === undefined ? places[0].of(atLeft) : places[1].of(atRight);
      changes.push([name, occurrence, ...narrow(one, other, separators)]);
    }
    if (one !== undefined) atLeft += 1;
    if (other !== undefined) atRight += 1;
  }
  return changes;
}

/** Segments end with CR; where somebody has changed that, with LF or both. */
function toSegments(text: string): readonly string[] {
  const segments = text.includes('\n') ? text.split(/\r\n?|\n/) : text.split('\r');
  if (segments.at(-1) === '') segments.pop();
  return segments;
}

type Pair = readonly [before: string | undefined, after: string | undefined];

/** Which segment became which: those of the same name in their order; what has no fellow was put in or taken away. */
function pair(left: readonly string[], right: readonly string[]): readonly Pair[] {
  const pairs: Pair[] = [];
  // Most often they are the same ones, and nobody asks where a name comes last.
  let last: ReadonlyMap<string, number> | undefined;
  let at = 0;
  for (const segment of left) {
    const name = segment.slice(0, 3);
    if (right[at]?.startsWith(name) !== true) {
      last ??= new Map(right.map((each, index) => [each.slice(0, 3), index]));
      if ((last.get(name) ?? -1) < at) {
        pairs.push([segment, undefined]);
        continue;
      }
      for (; right[at]?.slice(0, 3) !== name; at += 1) pairs.push([undefined, right[at]]);
    }
    pairs.push([segment, right[at]]);
    at += 1;
  }
  for (const rest of right.slice(at)) pairs.push([undefined, rest]);
  return pairs;
}

/** The names of a message's segments, and which of its name each is; counted once, when it is first asked for. */
class Occurrences {
  readonly #segments: readonly string[];
  readonly #separator: string;
  #counted = 0;
  readonly #before = new Map<string, number>();

  constructor(segments: readonly string[], separator: string) {
    this.#segments = segments;
    this.#separator = separator;
  }

  /** Of positions that only grow. */
  of(position: number): readonly [name: string, occurrence: number] {
    for (; this.#counted <= position; this.#counted += 1) {
      const counted = this.#nameAt(this.#counted);
      this.#before.set(counted, (this.#before.get(counted) ?? 0) + 1);
    }
    const name = this.#nameAt(position);
    const occurrence = this.#before.get(name) ?? 1;
    return [name, occurrence === 1 && !this.#comesAgain(name, position) ? 0 : occurrence];
  }

  #comesAgain(name: string, position: number): boolean {
    for (let next = position + 1; next < this.#segments.length; next += 1) {
      if (this.#segments[next]?.startsWith(name) && this.#nameAt(next) === name) return true;
    }
    return false;
  }

  #nameAt(position: number): string {
    const segment = this.#segments[position] ?? '';
    if (segment.charAt(3) === this.#separator) return segment.slice(0, 3);
    const end = segment.indexOf(this.#separator);
    return end === -1 ? segment : segment.slice(0, end);
  }
}

/** The fields from the first to the last that differ. */
function narrow(
  before: string | undefined,
  after: string | undefined,
  [separator, separatorAfter]: readonly [string, string],
): readonly [field: number, before: string | null, after: string | null] {
  if (before === undefined || after === undefined || separator !== separatorAfter) {
    return [0, before ?? null, after ?? null];
  }
  const shorter = Math.min(before.length, after.length);
  const same = countCommonStart(before, after, shorter);
  let field = 0;
  let start = 0;
  for (
    let mark = before.indexOf(separator);
    mark !== -1 && mark < same;
    mark = before.indexOf(separator, start)
  ) {
    field += 1;
    start = mark + 1;
  }
  // In the name itself.
  if (field === 0) return [0, before, after];
  const sameEnd = countCommonEnd(before, after, shorter - start);
  const behind = before.indexOf(separator, before.length - sameEnd);
  const end = behind === -1 ? 0 : before.length - behind;
  const one = before.slice(start, before.length - end);
  const other = after.slice(start, after.length - end);
  const first = isHeader(before) ? field + 1 : field;
  if (countOf(one, separator) === countOf(other, separator)) return [first, one, other];
  // What stands behind it has moved to other fields.
  return [first, before.slice(start), after.slice(start)];
}

/** MSH-1 is the separator itself. */
const isHeader = (segment: string): boolean => /^(?:MSH|FHS|BHS)/.test(segment);

function countOf(text: string, mark: string): number {
  let count = 0;
  for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, at + 1)) count += 1;
  return count;
}
