import type { Issue } from '../issue.ts';
import { toSegmentLocation } from './location.ts';
import type { Hl7Message, Segment } from './message.ts';
import type { StructureItem } from './structure.ts';

/**
 * Compares the segments of a message with its structure and goes on behind every fault:
 * `segment-missing`, `segment-out-of-order` (it belongs to the structure, but not there or not again) and
 * `segment-unexpected` (a warning: receivers ignore what they do not expect). Z segments may stand anywhere.
 */
export function matchStructure(message: Hl7Message, structure: StructureItem): readonly Issue[] {
  const matcher = new Matcher(message, structure);
  return matcher.match();
}

/** The items that may still come after the one being matched, from the innermost group outwards. */
interface Ahead {
  readonly item: StructureItem;
  /** Position of what is being matched among the item's items. */
  at: number;
  readonly outer: Ahead | undefined;
}

class Matcher {
  private readonly message: Hl7Message;
  private readonly structure: StructureItem;
  private readonly segments: readonly Segment[];
  private readonly unexpected: Issue[] = [];
  private readonly missing: string[] = [];
  private readonly misplaced: Segment[] = [];
  private next = 0;

  constructor(message: Hl7Message, structure: StructureItem) {
    this.message = message;
    this.structure = structure;
    this.segments = message.segments.filter((segment) => this.isPartOfStructure(segment));
  }

  match(): readonly Issue[] {
    this.matchItems(this.structure, undefined);
    while (this.next < this.segments.length) this.misplace();
    return [
      ...this.missingIssues(),
      ...this.misplaced.map((each) => this.toIssue(each)),
      ...this.unexpected,
    ];
  }

  private isPartOfStructure(segment: Segment): boolean {
    if (this.structure.names.has(segment.name)) return true;
    // Lines that are no segments are reported by their name, Z segments are the site's own.
    if (/^[A-Y][A-Z0-9]{2}$/.test(segment.name)) {
      this.unexpected.push({
        code: 'segment-unexpected',
        severity: 'warning',
        location: toSegmentLocation(this.message, segment),
        message: `Expected only segments of the message's structure, found ${segment.name}; it is not checked`,
      });
    }
    return false;
  }

  private matchItems(group: StructureItem, outer: Ahead | undefined): void {
    const ahead: Ahead = { item: group, at: 0, outer };
    for (; ahead.at < group.items.length; ahead.at++) {
      const item = group.items[ahead.at];
      if (item !== undefined) this.matchItem(item, ahead);
    }
  }

  private matchItem(item: StructureItem, ahead: Ahead): void {
    this.skipMisplaced(item, ahead);
    let name = this.current;
    if (name === undefined || !item.first.has(name)) {
      if (item.nullable) return;
      // A required group is entered where anything of it comes, so that only what is missing is reported.
      if (item.segment === undefined && name !== undefined && item.names.has(name)) {
        this.matchItems(item, ahead);
      } else {
        this.missing.push(findLeader(item));
        return;
      }
      name = this.current;
    } else {
      this.take(item, ahead);
      name = this.current;
    }
    while (item.repeats && name !== undefined && item.first.has(name)) {
      this.take(item, ahead);
      name = this.current;
    }
  }

  private take(item: StructureItem, ahead: Ahead): void {
    if (item.segment === undefined) this.matchItems(item, ahead);
    else this.next++;
  }

  /** Passes over segments that neither this item nor anything after it takes. */
  private skipMisplaced(item: StructureItem, ahead: Ahead): void {
    let name = this.current;
    while (name !== undefined && !item.names.has(name) && !isAhead(name, ahead)) {
      this.misplace();
      name = this.current;
    }
  }

  private misplace(): void {
    const segment = this.segments[this.next++];
    if (segment !== undefined) this.misplaced.push(segment);
  }

  private get current(): string | undefined {
    return this.segments[this.next]?.name;
  }

  /** A segment that turned up at the wrong place is not missing as well. */
  private missingIssues(): readonly Issue[] {
    const found = this.misplaced.map((segment) => segment.name);
    return this.missing
      .filter((name) => {
        const at = found.indexOf(name);
        if (at !== -1) found.splice(at, 1);
        return at === -1;
      })
      .map((name) => ({
        code: 'segment-missing',
        severity: 'error',
        location: name,
        message: `Expected a segment ${name}, found none where the message's structure requires it`,
      }));
  }

  private toIssue(segment: Segment): Issue {
    return {
      code: 'segment-out-of-order',
      severity: 'error',
      location: toSegmentLocation(this.message, segment),
      message: `Expected ${segment.name} at another place of the message's structure, found it on line ${segment.line}`,
    };
  }
}

/** Whether a segment may still come: later in this group, as its next repetition, or after it. */
function isAhead(name: string, ahead: Ahead): boolean {
  for (let at: Ahead | undefined = ahead; at !== undefined; at = at.outer) {
    if (at.item.repeats && at.item.first.has(name)) return true;
    const { items } = at.item;
    for (let later = at.at + 1; later < items.length; later++) {
      if (items[later]?.names.has(name) === true) return true;
    }
  }
  return false;
}

/** The segment to report where a whole item is missing: its first required one. */
function findLeader(item: StructureItem): string {
  if (item.segment !== undefined) return item.segment;
  const required = item.items.find((each) => !each.nullable);
  return required === undefined ? '' : findLeader(required);
}
