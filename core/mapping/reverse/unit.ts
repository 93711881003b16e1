import type { RuleDocument } from '../document.ts';
import type { SourcePath } from '../path.ts';
import type { Inverted } from './guard.ts';
import { type ElementStep, type Node, includes, readElements, toLeafText } from './node.ts';
import { isValued, toSpot } from './place.ts';
import type { Outcome, Producer, Unit } from './produce.ts';
import { type ReverseFrame, hasRest } from './run.ts';

/** A rule that was turned round, in its parts. */
interface UnitParts {
  readonly at: readonly ElementStep[];
  readonly path: SourcePath | undefined;
  readonly inverted: Inverted;
  readonly produce: Producer;
  /** Whether it wrote on the way there only where another had not: it is not to change what is there. */
  readonly isFallback: boolean;
  /** Whether all values of the datatype have that field from one place: an element with another was none of them. */
  readonly isShared: boolean;
}

/** The element at a path goes back to the place that it came from. */
export function toUnit({ at, path, inverted, produce, isFallback, isShared }: UnitParts): Unit {
  return (frame, node) => {
    const [found] = readElements(node, at);
    if (found === undefined || !hasRest(frame, found)) return 'none';
    const spot = path === undefined ? undefined : toSpot(path, frame);
    if (path !== undefined && spot?.segment !== frame.segment) return 'none';
    if (isFallback && spot !== undefined && frame.segment.has(spot.place)) return 'none';
    const mark = frame.run.mark();
    const before = isShared && spot !== undefined ? frame.segment.count(spot.place) : 0;
    const outcome = produce(frame, spot, found);
    if (before > 0 && spot !== undefined) {
      // What an element before has written there is the same for this one, or this one is none of them.
      const isSame = outcome !== 'conflict' && frame.segment.count(spot.place) === before;
      if (!isSame) return 'failed';
    }
    if (outcome !== 'done' || inverted.guard(frame, spot)) {
      return settle(outcome, frame);
    }
    frame.run.rollback(mark);
    return 'none';
  };
}

/** That another map did not make the element is no fault of this one; what would change others' places is. */
function settle(outcome: Outcome, { agreeOnly }: ReverseFrame): Outcome {
  return outcome === 'failed' || (outcome === 'conflict' && !agreeOnly) ? 'none' : outcome;
}

/** One text that was made of all repetitions becomes them again. */
export function toSplit(produce: Producer, mark: string, path: SourcePath | undefined): Producer {
  return (frame, spot, node) => {
    const text = toLeafText(node);
    if (text === undefined || path === undefined || spot === undefined) return 'none';
    let outcome: Outcome = 'none';
    for (const value of split(text, mark)) {
      const next = toSpot(path, frame);
      if (value !== '' && produce(frame, next, { ...node, value }) === 'done') outcome = 'done';
    }
    return outcome;
  };
}

/** What stands around an empty part stays one: no repetition is empty, and a blank line would be gone. */
function split(text: string, mark: string): readonly string[] {
  const parts: string[] = [];
  let isOpen = false;
  for (const part of text.split(mark)) {
    const last = parts.pop();
    if (last !== undefined && (isOpen || part === '')) parts.push(last + mark + part);
    else parts.push(...(last === undefined ? [] : [last]), part);
    isOpen = part === '';
  }
  return parts;
}

interface ConstantParts {
  readonly rule: RuleDocument;
  readonly at: readonly ElementStep[];
  readonly path: SourcePath | undefined;
  readonly inverted: Inverted;
  readonly name: string;
}

/**
 * A constant is expected where the way there always writes it: an element that has another is none of the
 * map's making. With a condition it tells that the condition held, which is then made to.
 */
export function toConstant({ rule, at, path, inverted, name }: ConstantParts): Unit {
  const isAlways = rule.when === undefined && rule.ifNone === undefined && path === undefined;
  return (frame, node) => {
    const [found] = readElements(node, at);
    const isThere = found !== undefined && includes(found.value, rule.const);
    if (!isThere) {
      if (isAlways) return 'failed';
      if (found !== undefined && rule.ifNone === undefined && path === undefined)
        frame.run.penalize();
      return 'none';
    }
    if (path !== undefined && (rule.when === undefined || !hasRest(frame, found))) return 'none';
    if (path === undefined) frame.run.confirm();
    const mark = frame.run.mark();
    const spot = path === undefined ? undefined : toSpot(path, frame);
    if (!inverted.guard(frame, spot) || (path !== undefined && !isValued(path, frame))) {
      frame.run.rollback(mark);
      return 'none';
    }
    consumeConstant(frame, found, rule.const);
    if (spot !== undefined) frame.run.trace(frame, spot.place, { source: found.path, rule: name });
    return path === undefined ? 'none' : 'done';
  };
}

/** Only what the constant says of the element is taken. */
function consumeConstant(frame: ReverseFrame, node: Node, constant: unknown): void {
  if (typeof constant !== 'object' || constant === null) {
    frame.run.consume(frame, node);
    return;
  }
  for (const [key, value] of Object.entries(constant)) {
    const inner = (node.value as Record<string, unknown>)[key];
    const path = Array.isArray(constant) ? `${node.path}[${key}]` : `${node.path}.${key}`;
    consumeConstant(frame, { value: inner, path, parent: node }, value);
  }
}
