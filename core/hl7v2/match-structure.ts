import type { Issue } from '../issue.ts';
import type { SegmentDefinition, StructureItem } from './definitions/definitions.ts';
import type { Hl7Message, Segment } from './message.ts';
import { isSegmentName } from './segment-name.ts';
import { findAutomaton, findNext, type Automaton } from './validate/automaton.ts';
import { checkCounts } from './validate/check-counts.ts';
import { explain } from './validate/explain.ts';
import { Findings } from './validate/findings.ts';
import {
  reportFaults,
  reportUnexpected,
  type StructureMatch,
} from './validate/structure-faults.ts';

/**
 * Compares the segments of a message with its structure: `segment-missing`, `segment-out-of-order` (it belongs
 * to the structure, but not there or not again), `segment-unexpected` (a warning: receivers ignore what they
 * do not expect), and a profile's rules for its places. Z segments may stand anywhere. Linear in the number of
 * segments, whatever their order.
 */
export function matchStructure(message: Hl7Message, structure: StructureItem): readonly Issue[] {
  const findings = new Findings();
  matchSegments(message, structure, findings);
  return findings.toIssues();
}

/** The rules that a profile has for a segment at its place in the structure. */
export type PlaceRules = ReadonlyMap<Segment, SegmentDefinition | undefined>;

/** As {@link matchStructure}; gives the rules of places for the segments that stand there. */
export function matchSegments(
  message: Hl7Message,
  structure: StructureItem,
  findings: Findings,
): PlaceRules {
  const automaton = findAutomaton(structure);
  if (!automaton.hasRules && isInOrder(automaton, message)) return none;
  const segments = message.segments.filter((segment) => isPart(automaton, segment));
  const explanation = explain(
    automaton,
    segments.map((segment) => segment.name),
  );
  const match = { message, automaton, segments, explanation };
  reportFaults(match, findings);
  if (automaton.hasRules) checkCounts(match, findings);
  const placed = new Map<Segment, SegmentDefinition | undefined>();
  explanation.placements.forEach(({ route }, index) => {
    const segment = segments[index];
    if (segment === undefined || route === undefined) return;
    placed.set(segment, automaton.places[route.to]?.node.item.definition);
  });
  reportForeign(match, placed, findings);
  return automaton.hasRules ? placed : none;
}

/** Segments that the structure does not have: not wrong, but nobody looks at them there. */
function reportForeign(
  { message, automaton }: StructureMatch,
  placed: PlaceRules,
  findings: Findings,
): void {
  const last = message.segments.at(-1);
  for (const segment of message.segments) {
    const { name } = segment;
    // Lines that are no segments are reported by their name.
    const isKnown = automaton.names.has(name) || !isSegmentName(name) || placed.has(segment);
    if (!isKnown && !isTolerated(segment, last)) reportUnexpected(message, segment, findings);
  }
}

const none: PlaceRules = new Map();

/** The usual case, in which nothing has to be kept: whether every segment is at a place of its own. */
function isInOrder(automaton: Automaton, message: Hl7Message): boolean {
  let state = automaton.start;
  for (const segment of message.segments) {
    const { name } = segment;
    const next = state.next.get(name) ?? findNext(automaton, state, name);
    if (next !== undefined) state = next;
    else if (automaton.names.has(name) || !isTolerated(segment, undefined)) return false;
  }
  return state.ends;
}

/** Whether the segment may have a place: where any may stand Z segments may too. */
function isPart({ names, isOpen }: Automaton, { name }: Segment): boolean {
  return names.has(name) || (isOpen && isSegmentName(name));
}

/** Z segments are the site's own, and a message may be continued: HL7 v2 chapter 2, ADD and DSC. */
function isTolerated({ name }: Segment, last: Segment | undefined): boolean {
  return name.startsWith('Z') || name === 'ADD' || (name === 'DSC' && last?.name === name);
}
