import { toSegmentLocation } from '../location.ts';
import type { Segment } from '../message.ts';
import type { StructureNode } from './automaton.ts';
import type { Findings } from './findings.ts';
import { describeGroup, toLeader, type StructureMatch } from './structure-faults.ts';

/** How often each item came in one repetition of a group. */
interface Repetition {
  readonly group: StructureNode;
  readonly counts: Map<StructureNode, number>;
}

/**
 * A profile's rules for segments and groups that the order alone does not tell: how often they come in each
 * repetition of the group around them, what is not supported, and what should be there.
 */
export function checkCounts(match: StructureMatch, findings: Findings): void {
  const { automaton, segments, explanation } = match;
  const open: Repetition[] = [{ group: automaton.root, counts: new Map() }];
  const close = (depth: number): void => {
    while (open.length > depth) {
      const repetition = open.pop();
      if (repetition !== undefined) checkClosed(repetition, findings);
    }
  };
  explanation.placements.forEach(({ route }, index) => {
    const segment = segments[index];
    const node = automaton.places[route?.to ?? 0]?.node;
    if (route === undefined || segment === undefined || node === undefined) return;
    close(route.common.depth + 1);
    for (const each of findWay(node, route.common)) {
      const count = countOne(open.at(-1), each);
      checkOne(match, { node: each, segment, count }, findings);
      if (each !== node) open.push({ group: each, counts: new Map() });
    }
  });
  close(0);
}

/** From the item below `group` down to the segment. */
function findWay(node: StructureNode, group: StructureNode): readonly StructureNode[] {
  const way: StructureNode[] = [];
  for (let at: StructureNode | undefined = node; at !== undefined && at !== group; at = at.parent) {
    way.push(at);
  }
  return way.reverse();
}

function countOne(repetition: Repetition | undefined, node: StructureNode): number {
  const count = (repetition?.counts.get(node) ?? 0) + 1;
  repetition?.counts.set(node, count);
  return count;
}

function checkOne(
  { message }: StructureMatch,
  {
    node,
    segment,
    count,
  }: { readonly node: StructureNode; readonly segment: Segment; readonly count: number },
  findings: Findings,
): void {
  const { item } = node;
  const location = (): string => toSegmentLocation(message, segment);
  if (item.usage === 'X' || item.max === 0) {
    const text = `Expected no ${describe(node)}, since it is not supported here, found it on line ${segment.line}`;
    findings.add({
      code: 'segment-unsupported',
      severity: 'error',
      location: location(),
      message: text,
    });
  } else if (node.isCounted && count === item.max + 1) {
    const text = `Expected ${describe(node)} ${item.max} times at most, found it again on line ${segment.line}`;
    findings.add({
      code: 'segments-too-many',
      severity: 'error',
      location: location(),
      message: text,
    });
  }
}

function checkClosed({ group, counts }: Repetition, findings: Findings): void {
  for (const node of group.children) {
    if (!node.isCounted) continue;
    const count = counts.get(node) ?? 0;
    const { min, usage } = node.item;
    const location = toLeader(node);
    if (usage === 'RE' && count === 0) {
      const text = `Expected ${describe(node)} where the sender has what it tells, found none`;
      findings.add({ code: 'segment-expected', severity: 'warning', location, message: text });
    } else if (count > 0 && count < min) {
      const text = `Expected ${describe(node)} ${min} times at least, found it ${count} times`;
      findings.add({ code: 'segments-too-few', severity: 'error', location, message: text });
    }
  }
}

function describe(node: StructureNode): string {
  const around = describeGroup(node);
  const name = node.item.kind === 'segment' ? node.item.name : `group ${node.item.name}`;
  return around === '' ? name : `${name} in ${around}`;
}
