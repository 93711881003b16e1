import type { Hl7Message, Segment } from '../hl7v2/message.ts';
import type { GroupDocument } from './document.ts';

/** The outermost group: the message itself. */
export interface StructureDocument {
  readonly segments: readonly string[];
  readonly groups: readonly GroupDocument[];
}

/** With more segments than this an index is faster, and with thousands the only way. */
const indexFrom = 16;

/** One occurrence of a group in a message, with its segments in order and the groups within. */
export class Group {
  readonly name: string;
  readonly document: GroupDocument;
  readonly parent: Group | undefined;
  readonly segments: Segment[] = [];
  readonly groups: Group[] = [];
  #firstOf: Map<string, Segment> | undefined;
  #indexed = 0;

  constructor(document: GroupDocument, parent: Group | undefined) {
    this.name = document.name;
    this.document = document;
    this.parent = parent;
  }

  /** The first segment of that name here, else in the groups around. */
  find(name: string): Segment | undefined {
    return this.#findHere(name) ?? this.parent?.find(name);
  }

  #findHere(name: string): Segment | undefined {
    const { segments } = this;
    if (segments.length <= indexFrom) return segments.find((segment) => segment.name === name);
    if (this.#firstOf === undefined || this.#indexed !== segments.length) {
      this.#firstOf = new Map();
      this.#indexed = segments.length;
      for (const segment of segments) {
        if (!this.#firstOf.has(segment.name)) this.#firstOf.set(segment.name, segment);
      }
    }
    return this.#firstOf.get(name);
  }

  /** How many segments or groups of that name stand directly here, or in the nearest group around that may have some. */
  count(name: string): number {
    return (this.#findHolder(name) ?? this).#countHere(name);
  }

  /** The nearest group, outward, that may have segments or groups of that name. */
  #findHolder(name: string): Group | undefined {
    const { opens, segments, groups } = this.document;
    if (opens.includes(name) || segments?.includes(name) === true) return this;
    if (groups?.some((inner) => inner.name === name) === true) return this;
    return this.parent === undefined ? undefined : this.parent.#findHolder(name);
  }

  #countHere(name: string): number {
    let found = 0;
    for (const segment of this.segments) if (segment.name === name) found++;
    for (const group of this.groups) if (group.name === name) found++;
    return found;
  }

  /** This group or the nearest around it that has the name. */
  outward(name: string): Group | undefined {
    return this.name === name ? this : this.parent?.outward(name);
  }
}

/**
 * Puts every segment into the innermost group that takes it, walking outward from the last one. Tolerant on
 * purpose: what stands in the wrong place still goes to its nearest owner, and a segment that no group
 * knows stays with the one before it.
 */
export function toGroups(message: Hl7Message, structure: StructureDocument): Group {
  const root = new Group({ name: 'MESSAGE', opens: [], ...structure }, undefined);
  let current = root;
  for (const segment of message.segments) {
    current = findOwner(current, segment.name) ?? findImplicit(current, segment.name) ?? current;
    current.segments.push(segment);
  }
  return root;
}

function findOwner(from: Group, name: string): Group | undefined {
  for (let group: Group | undefined = from; group !== undefined; group = group.parent) {
    if (joins(group, name) || group.document.segments?.includes(name) === true) return group;
    const opened = group.document.groups?.find((inner) => inner.opens.includes(name));
    if (opened !== undefined) return open(opened, group);
  }
  return undefined;
}

/** An opening segment belongs to the open group while neither it nor one that follows it has come: ORC, then OBR. */
function joins(group: Group, name: string): boolean {
  const { opens } = group.document;
  const position = opens.indexOf(name);
  if (position < 0) return false;
  return !group.segments.some((segment) => opens.indexOf(segment.name) >= position);
}

/** A group whose first segment is missing (an order without a PID) is there nonetheless. */
function findImplicit(from: Group, name: string): Group | undefined {
  for (let group: Group | undefined = from; group !== undefined; group = group.parent) {
    for (const inner of group.document.groups ?? []) {
      const path = findChain(inner, name);
      if (path !== undefined) return path.reduce((parent, next) => open(next, parent), group);
    }
  }
  return undefined;
}

function findChain(document: GroupDocument, name: string): GroupDocument[] | undefined {
  if (document.opens.includes(name) || document.segments?.includes(name) === true)
    return [document];
  for (const inner of document.groups ?? []) {
    const rest = findChain(inner, name);
    if (rest !== undefined) return [document, ...rest];
  }
  return undefined;
}

function open(document: GroupDocument, parent: Group): Group {
  const group = new Group(document, parent);
  parent.groups.push(group);
  return group;
}
