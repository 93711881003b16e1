import { toSegmentLocation } from '../location.ts';
import type { Hl7Message, Segment } from '../message.ts';
import { anySegment } from '../definitions/definitions.ts';
import type { Automaton, StructureNode } from './automaton.ts';
import type { Explanation } from './explain.ts';
import type { Findings } from './findings.ts';

/** A message beside its structure. */
export interface StructureMatch {
  readonly message: Hl7Message;
  readonly automaton: Automaton;
  /** Those that belong to the structure. */
  readonly segments: readonly Segment[];
  readonly explanation: Explanation;
}

/** Reports what is missing, then what stands at the wrong place: what does both is reported once. */
export function reportFaults(match: StructureMatch, findings: Findings): void {
  const { automaton, segments, explanation } = match;
  const isMisplaced = (segment: Segment, index: number): boolean =>
    explanation.placements[index]?.route === undefined && automaton.names.has(segment.name);
  const misplaced = segments.filter(isMisplaced);
  const turnedUp = countNames(misplaced);
  const passed = new Map<string, number>();
  const report = (places: readonly number[], where: string): void => {
    for (const index of places) {
      const node = automaton.places[index]?.node;
      if (node === undefined || takeOne(turnedUp, node.item.name)) continue;
      reportMissing(node, { where, before: passed.get(node.item.name) ?? 0 }, findings);
    }
  };
  explanation.placements.forEach(({ route }, index) => {
    const segment = segments[index];
    if (segment === undefined) return;
    const { name, line } = segment;
    if (route !== undefined && route.missing.length > 0) {
      report(route.missing, `before ${name} on line ${line}`);
    }
    passed.set(name, (passed.get(name) ?? 0) + 1);
  });
  report(explanation.missingAtEnd, 'before the end of the message');
  explanation.placements.forEach(({ route, from }, index) => {
    const segment = segments[index];
    if (route !== undefined || segment === undefined || !isMisplaced(segment, index)) return;
    reportMisplaced(match, { segment, from }, findings);
  });
}

function countNames(segments: readonly Segment[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { name } of segments) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function takeOne(counts: Map<string, number>, name: string): boolean {
  const count = counts.get(name) ?? 0;
  if (count > 0) counts.set(name, count - 1);
  return count > 0;
}

/** `before` is how many segments of the name the message has in front of the gap: it is the next one. */
function reportMissing(
  node: StructureNode,
  { where, before }: { readonly where: string; readonly before: number },
  findings: Findings,
): void {
  const { item, parent } = node;
  const { name } = item;
  const others = parent?.item.kind === 'choice' ? parent.children.map(toLeader) : [];
  const wanted =
    others.length > 1
      ? `one of ${others.join(', ')}`
      : name === anySegment
        ? 'a segment of the site'
        : `a segment ${name}`;
  const group = describeGroup(node);
  findings.add({
    code: 'segment-missing',
    severity: 'error',
    // Where any segment may stand none has a name to point at.
    location: name === anySegment ? 'MSH' : before === 0 ? name : `${name}[${before + 1}]`,
    message: `Expected ${wanted}${group === '' ? '' : `, which ${group} needs`}, found none ${where}`,
  });
}

function reportMisplaced(
  { message, automaton }: StructureMatch,
  { segment, from }: { readonly segment: Segment; readonly from: number },
  findings: Findings,
): void {
  const { name, line } = segment;
  const before = automaton.places[from]?.node;
  const isRepeated = before?.item.kind === 'segment' && before.item.name === name;
  const text = isRepeated
    ? `Expected ${name} once at this place of the message's structure, found it again on line ${line}`
    : `Expected ${name} at another place of the message's structure, found it on line ${line}${describePlace(before)}`;
  const location = toSegmentLocation(message, segment);
  findings.add({ code: 'segment-out-of-order', severity: 'error', location, message: text });
}

/** Reports a segment that the structure does not have. */
export function reportUnexpected(message: Hl7Message, segment: Segment, findings: Findings): void {
  findings.add({
    code: 'segment-unexpected',
    severity: 'warning',
    location: toSegmentLocation(message, segment),
    message: `Expected only segments of the message's structure, found ${segment.name} on line ${segment.line}; its place is not checked`,
  });
}

function describePlace(node: StructureNode | undefined): string {
  if (node?.item.kind !== 'segment') return '';
  const group = describeGroup(node);
  return ` behind ${node.item.name}${group === '' ? '' : ` of ${group}`}`;
}

/** `group ORDER_OBSERVATION of PATIENT_RESULT`; empty for what stands in no group. */
export function describeGroup(node: StructureNode): string {
  const names: string[] = [];
  for (let at = node.parent; at?.parent !== undefined; at = at.parent) {
    if (at.item.kind === 'group' && at.item.name !== '') names.push(at.item.name);
  }
  return names.length === 0 ? '' : `group ${names.join(' of ')}`;
}

/** The segment that stands for an item: its first required one. */
export function toLeader(node: StructureNode): string {
  if (node.item.kind === 'segment') return node.item.name;
  const leader = node.children.find((child) => child.item.min > 0) ?? node.children[0];
  return leader === undefined ? '' : toLeader(leader);
}
