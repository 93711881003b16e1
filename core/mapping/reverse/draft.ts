import { escapeText } from '../../hl7v2/escape.ts';
import type { Delimiters } from '../../hl7v2/message.ts';

/** A place in a segment that is being built; 1-based, 0 where the level is not entered. */
export interface Place {
  readonly field: number;
  readonly repetition: number;
  readonly component: number;
  readonly subcomponent: number;
}

/**
 * One level deeper: a component of a repetition, a sub-component of a component. Of a sub-component only the
 * first is there, and is it itself. Undefined where HL7 v2 has no such level.
 */
export function descend(place: Place, position: number): Place | undefined {
  if (place.component === 0) return { ...place, component: position };
  if (place.subcomponent === 0) return { ...place, subcomponent: position };
  return position === 1 ? place : undefined;
}

/** The delimiters that messages are written with. HL7 v2 chapter 2, recommended values. */
const standardDelimiters: Delimiters = {
  field: '|',
  component: '^',
  repetition: '~',
  escape: '\\',
  subcomponent: '&',
};

/** Where the value of a place stands: its first sub-component. */
const toKey = ({ field, repetition, component, subcomponent }: Place): string =>
  `${field}.${repetition}.${component || 1}.${subcomponent || 1}`;

/** A segment while it is being built. Values are decoded; whoever writes has looked whether the place is free. */
export class SegmentDraft {
  readonly name: string;
  readonly occurrence: number;
  readonly #values = new Map<string, string>();

  constructor(name: string, occurrence: number) {
    this.name = name;
    this.occurrence = occurrence;
  }

  /** The text at the place, `''` where there is none. */
  get(place: Place): string {
    return this.#values.get(toKey(place)) ?? '';
  }

  set(place: Place, text: string): void {
    if (text === '') this.#values.delete(toKey(place));
    else this.#values.set(toKey(place), text);
  }

  /** Whether anything stands at the place or below. */
  has(place: Place): boolean {
    const prefix = toPrefix(place);
    for (const key of this.#values.keys())
      if (key === prefix || key.startsWith(`${prefix}.`)) return true;
    return false;
  }

  /** How many values stand at or below a place. */
  count(place: Place): number {
    return [...this.below(place)].length;
  }

  /** The places at or below a place, with their texts. */
  *below(place: Place): Generator<readonly [Place, string]> {
    const prefix = toPrefix(place);
    for (const [key, text] of this.#values) {
      if (key === prefix || key.startsWith(`${prefix}.`)) yield [toPlace(key), text];
    }
  }

  /** How many repetitions a field has. */
  countRepetitions(field: number): number {
    let last = 0;
    for (const key of this.#values.keys()) {
      const place = toPlace(key);
      if (place.field === field && place.repetition > last) last = place.repetition;
    }
    return last;
  }

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  /** The segment as it stands in a message, without its end; nothing empty is left at an end. */
  toText(delimiters: Delimiters = standardDelimiters): string {
    const fields: string[][][][] = [];
    for (const [key, text] of this.#values) {
      const { field, repetition, component, subcomponent } = toPlace(key);
      const components = ((fields[field] ??= [])[repetition - 1] ??= []);
      (components[component - 1] ??= [])[subcomponent - 1] = escapeText(text, delimiters) ?? '';
    }
    const isHeader = this.name === 'MSH';
    const { component, repetition, escape, subcomponent } = delimiters;
    let line = this.name;
    if (isHeader) line += delimiters.field + component + repetition + escape + subcomponent;
    for (let field = isHeader ? 3 : 1; field < fields.length; field++) {
      line +=
        delimiters.field +
        join(fields[field], repetition, (one) =>
          join(one, component, (two) => join(two, subcomponent, (three) => three)),
        );
    }
    return line;
  }
}

/** Holes of the list are empty texts. */
function join<T>(list: readonly T[] | undefined, mark: string, write: (one: T) => string): string {
  return Array.from(list ?? [], (one: T | undefined) => (one === undefined ? '' : write(one))).join(
    mark,
  );
}

function toPrefix({ field, repetition, component, subcomponent }: Place): string {
  if (repetition === 0) return `${field}`;
  if (component === 0) return `${field}.${repetition}`;
  if (subcomponent === 0) return `${field}.${repetition}.${component}`;
  return `${field}.${repetition}.${component}.${subcomponent}`;
}

function toPlace(key: string): Place {
  const [field = 0, repetition = 0, component = 0, subcomponent = 0] = key.split('.').map(Number);
  return { field, repetition, component, subcomponent };
}

/** `PID-3[1].4.2`, `OBX[2]-5[1].1`: the segment's occurrence where it is not the first. */
export function formatPlace(segment: SegmentDraft, place: Place): string {
  const { field, repetition, component, subcomponent } = place;
  const name = segment.occurrence === 1 ? segment.name : `${segment.name}[${segment.occurrence}]`;
  const parts =
    subcomponent > 0 ? `.${component}.${subcomponent}` : component > 0 ? `.${component}` : '';
  return `${name}-${field}[${repetition}]${parts}`;
}

/** An occurrence of a group in a message that is being built: its segments and groups in their order. */
export class GroupDraft {
  readonly name: string;
  readonly parent: GroupDraft | undefined;
  readonly #parts: (SegmentDraft | GroupDraft)[] = [];
  /** By name, the segments that stand directly here, so that none is looked for among thousands. */
  readonly #here = new Map<string, SegmentDraft[]>();
  /** By name, how many segments stand here and within. */
  readonly #counts = new Map<string, number>();

  constructor(name = 'MESSAGE', parent?: GroupDraft) {
    this.name = name;
    this.parent = parent;
  }

  /** Puts a segment or group behind what is there. */
  add(part: SegmentDraft | GroupDraft): void {
    this.#parts.push(part);
    if (part instanceof GroupDraft) return;
    const here = this.#here.get(part.name) ?? [];
    this.#here.set(part.name, here);
    here.push(part);
    this.#count(part.name, 1);
  }

  /** Takes the last part out again, a group only where it is empty. */
  removeLast(): void {
    const part = this.#parts.pop();
    if (part === undefined || part instanceof GroupDraft) return;
    this.#here.get(part.name)?.pop();
    this.#count(part.name, -1);
  }

  #count(name: string, more: number): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + more);
    if (this.parent !== undefined) this.parent.#count(name, more);
  }

  /** This group or the nearest around it that has the name. */
  outward(name: string): GroupDraft | undefined {
    return this.name === name ? this : this.parent?.outward(name);
  }

  /** The last segment of that name here, else in the groups around. */
  find(name: string): SegmentDraft | undefined {
    return this.#here.get(name)?.at(-1) ?? this.parent?.find(name);
  }

  /** How many segments of that name stand here and within. */
  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  get isEmpty(): boolean {
    for (const count of this.#counts.values()) if (count > 0) return false;
    return true;
  }

  /** All segments here and within, in order. */
  *segments(): Generator<SegmentDraft> {
    for (const part of this.#parts) {
      if (part instanceof SegmentDraft) yield part;
      else yield* part.segments();
    }
  }
}
