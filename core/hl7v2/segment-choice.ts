import { HilumError } from '../errors.ts';
import { findRepetitions, isChosen, type Ground } from './locate.ts';
import type { Segment } from './message.ts';
import type { GroupStep, PathExpression, Selector } from './path.ts';

/** One occurrence of a group, or the whole message, as its structure divides it. */
export interface GroupNode {
  /** `ORDER_OBSERVATION`; the structure's name for the message. */
  readonly name: string;
  /** Directly in it, in their order. */
  readonly segments: readonly Segment[];
  readonly groups: readonly GroupNode[];
}

/** The message divided by its structure; undefined where its structure is not known. */
export type GroupFinder = () => GroupNode | undefined;

/** A message as far as segments are chosen from it. */
export interface SegmentGround extends Ground {
  readonly segments: readonly Segment[];
  segmentsNamed(name: string): readonly Segment[];
}

/** The segments that fit the expression, in their order: all of them where it says not which. */
export function chooseSegments(
  ground: SegmentGround,
  expression: PathExpression,
  findGroups: GroupFinder | undefined,
): readonly Segment[] {
  const { segment, groups, occurrence } = expression;
  const named =
    groups.length === 0
      ? ground.segmentsNamed(segment)
      : chooseGroups(expression, findGroups).flatMap((group) => {
          const inside = collectSegments(group).filter(({ name }) => name === segment);
          return typeof occurrence === 'number' ? inside.slice(occurrence - 1, occurrence) : inside;
        });
  if (typeof occurrence === 'object') {
    return named.filter((each) => hasValue(ground, each, occurrence));
  }
  if (typeof occurrence !== 'number' || groups.length > 0) return named;
  return named.slice(occurrence - 1, occurrence);
}

/** The groups that the expression's steps lead to. Throws a permanent HilumError, `path-needs-structure`. */
export function chooseGroups(
  { groups }: PathExpression,
  findGroups: GroupFinder | undefined,
): readonly GroupNode[] {
  const root = findGroups?.();
  if (root === undefined) {
    const message = `Expected a message whose structure is known, to find the group ${groups[0]?.name ?? ''} in it; name the segment alone, or give the version's definitions`;
    throw new HilumError('permanent', [
      { code: 'path-needs-structure', severity: 'error', message },
    ]);
  }
  // A path may start with the structure's own name.
  const steps = groups[0]?.name === root.name ? groups.slice(1) : groups;
  return steps.reduce<readonly GroupNode[]>(
    (nodes, step) => nodes.flatMap((node) => enter(node, step)),
    [root],
  );
}

/** The groups of that name within a group; groups in between need not be named. */
function enter(node: GroupNode, { name, index }: GroupStep): readonly GroupNode[] {
  const found: GroupNode[] = [];
  const collect = (groups: readonly GroupNode[]): void => {
    for (const group of groups) {
      if (group.name === name) found.push(group);
      else collect(group.groups);
    }
  };
  collect(node.groups);
  return typeof index === 'number' ? found.slice(index - 1, index) : found;
}

/** Every segment in a group and in the groups within, in the order of the text. */
export function collectSegments(node: GroupNode): readonly Segment[] {
  const segments: Segment[] = [];
  const collect = ({ segments: own, groups }: GroupNode): void => {
    for (const segment of own) segments.push(segment);
    groups.forEach(collect);
  };
  collect(node);
  return segments.sort((left, right) => left.range.start - right.range.start);
}

/** Whether any repetition of the selector's field has the selector's value. */
function hasValue(ground: Ground, segment: Segment, selector: Selector): boolean {
  const field = segment.fieldRange(selector.field ?? 1);
  if (field === undefined) return false;
  if (segment.isHeader && (selector.field ?? 1) <= 2) {
    return ground.text.slice(field.start, field.end) === selector.value;
  }
  return findRepetitions(ground, field, undefined).some(({ range }) =>
    isChosen(ground, range, selector),
  );
}
