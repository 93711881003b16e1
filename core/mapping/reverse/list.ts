import type { SourcePath } from '../path.ts';
import type { TargetStep } from '../target.ts';
import { type ElementStep, type Node, includes, readElements, readItems } from './node.ts';
import type { Outcome, Unit } from './produce.ts';
import { type ReverseFrame, hasRest } from './run.ts';

/** A rule as it stands within an element: what is left of its path, and of the constants beside it. */
export type Relative =
  | { readonly kind: 'unit'; readonly unit: Unit }
  | {
      readonly kind: 'rule';
      readonly steps: readonly TargetStep[];
      readonly also: readonly (readonly [readonly TargetStep[], unknown])[];
      readonly path: SourcePath | undefined;
      /** Whether it wrote only where no other rule had. */
      readonly isFallback: boolean;
      readonly compile: (steps: readonly ElementStep[]) => Unit;
    };

/** A rule that adds to a list, and those that complete what it added. */
export interface ListRule {
  readonly relative: Relative;
  readonly followers: Relative[];
}

interface Candidate {
  readonly attempt: Unit;
  /** Whether it may make more than one item. */
  readonly isRepeated: boolean;
  /** How many constants it has to find beside the value: of rules that take as much, the one that asks for most is right. */
  readonly constants: number;
}

type CompileUnits = (relatives: readonly Relative[]) => readonly Unit[];

/**
 * A list of which several rules may have made the items: each item goes back by the rule that takes the most of
 * it, the first of several. An item that none can have made stays.
 */
export function compileList(
  name: string,
  rules: readonly ListRule[],
  compileUnits: CompileUnits,
): Unit {
  const candidates = rules.flatMap((rule) => compileCandidate(name, rule, compileUnits) ?? []);
  return (frame, node) => {
    const used = new Set<Candidate>();
    let outcome: Outcome = 'none';
    for (const item of readItems(node, name)) {
      const claim = `claim:${item.path}`;
      if (frame.taken.has(claim) || !hasRest(frame, item)) continue;
      const best = findBest(
        candidates.filter((one) => one.isRepeated || !used.has(one)),
        frame,
        item,
      );
      if (best?.attempt(frame, item) !== 'done') continue;
      used.add(best);
      outcome = 'done';
      frame.taken.add(claim);
      frame.run.onRollback(() => frame.taken.delete(claim));
    }
    return outcome;
  };
}

function findBest(
  candidates: readonly Candidate[],
  frame: ReverseFrame,
  item: Node,
): Candidate | undefined {
  if (candidates.length < 2) return candidates[0];
  const { run } = frame;
  let best: Candidate | undefined;
  let most = 0;
  let surest = 0;
  for (const candidate of candidates) {
    const mark = run.mark();
    const [before, confirmedBefore] = [run.score, run.confirmed];
    const outcome = candidate.attempt(frame, item);
    const taken = run.score - before;
    const sure = candidate.constants + run.confirmed - confirmedBefore;
    run.rollback(mark);
    if (outcome !== 'done') continue;
    if (best === undefined || taken > most || (taken === most && sure > surest)) {
      best = candidate;
      most = taken;
      surest = sure;
    }
  }
  return best;
}

function compileCandidate(
  list: string,
  { relative, followers }: ListRule,
  compileUnits: CompileUnits,
): Candidate | undefined {
  if (relative.kind === 'unit') return undefined;
  const beside = relative.also.map(([steps, value]) => [within(steps, list), value] as const);
  const units = compileUnits([{ ...relative, also: [] }]);
  const more = compileUnits(followers.map((follower) => shorten(follower, list)));
  return {
    isRepeated: relative.path?.repetition === 'all',
    constants: beside.filter(([steps]) => steps !== undefined).length,
    attempt: (frame, item) => {
      const mark = frame.run.mark();
      for (const [steps, value] of beside) {
        if (steps === undefined) continue;
        const [found] = readElements(item, steps);
        if (found === undefined || !includes(found.value, value)) {
          frame.run.rollback(mark);
          return 'failed';
        }
        frame.run.consume(frame, found);
      }
      const outcomes = units.map((unit) => unit(frame, item));
      if (!outcomes.includes('done')) {
        frame.run.rollback(mark);
        return 'failed';
      }
      for (const unit of more) unit(frame, item);
      return 'done';
    },
  };
}

/** A path beside the rule's own, within the item; undefined where it leads elsewhere. */
function within(steps: readonly TargetStep[], list: string): readonly ElementStep[] | undefined {
  const at = steps.findIndex(({ name, index }) => name === list && index === 'last');
  if (at < 0) return undefined;
  return steps.slice(at + 1).map(({ name, index }) => ({
    name,
    index: typeof index === 'number' ? index : undefined,
  }));
}

/** The constants beside a follower, seen from the item. */
function shorten(follower: Relative, list: string): Relative {
  if (follower.kind === 'unit') return follower;
  const also = follower.also.flatMap(([steps, value]) => {
    const at = steps.findIndex(({ name, index }) => name === list && index === 'last');
    return at < 0 ? [] : [[steps.slice(at + 1), value] as const];
  });
  return { ...follower, also };
}
