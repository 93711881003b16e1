import { type ConditionTree, readCondition } from '../../condition/parse-condition.ts';
import { type SourcePath, parseSourcePath } from '../path.ts';
import { type Spot, isValued, readSpot, toSpot } from './place.ts';
import type { ReverseFrame } from './run.ts';

/**
 * A condition of a rule, turned round: after the value is written to the spot, what the condition asks of other
 * places must hold or be made to hold, and what it asks of the place itself must have been written. False where it
 * cannot.
 */
type Guard = (frame: ReverseFrame, spot: Spot | undefined) => boolean;

/** A condition that was turned round, or what of it cannot be. */
export interface Inverted {
  readonly guard: Guard;
  /** Parts that nothing is asked for: the value tells by being there, or nobody can say what it would take. */
  readonly unchecked: readonly string[];
}

const always: Inverted = { guard: () => true, unchecked: [] };

/** `own` is the segment that the map is of: only its fields are written, those of others are looked at. */
export function invertCondition(text: string | undefined, own: string): Inverted {
  if (text === undefined) return always;
  const read = readCondition(text, (tree) => invert(tree, { own, negated: false }));
  return read.ok ? read.condition : always;
}

interface Sense {
  readonly own: string;
  readonly negated: boolean;
}

function invert(tree: ConditionTree, sense: Sense): Inverted {
  const { negated } = sense;
  switch (tree.kind) {
    case 'not':
      return invert(tree.part, { ...sense, negated: !negated });
    case 'and':
    case 'or':
      return invertParts(tree, sense);
    case 'in':
      return invertIn(tree, sense);
    case 'valued': {
      const path = parseSourcePath(tree.subject);
      if (path === undefined) return always;
      if (!negated) return { guard: (frame, spot) => isWritten(path, frame, spot), unchecked: [] };
      return { guard: (frame) => !isValued(path, frame), unchecked: [] };
    }
    case 'null':
    case 'is':
    case 'count':
    case 'length':
    case 'matches':
      return { guard: () => true, unchecked: [`${tree.kind} ${tree.subject}`] };
  }
}

/** That other places are valued the other rules see to: they write them if the input has them. */
function isWritten(path: SourcePath, frame: ReverseFrame, spot: Spot | undefined): boolean {
  if (spot?.segment.name !== path.segment || spot?.place.field !== path.field) return true;
  const [component = 0, subcomponent = 0] = path.children;
  const { place } = spot;
  const isWithin =
    (place.component === 0 || place.component === component) &&
    (place.subcomponent === 0 || place.subcomponent === subcomponent);
  return !isWithin || isValued({ ...path, repetition: place.repetition }, frame);
}

/** Of alternatives nobody can say which one was meant. */
function invertParts(
  { kind, parts }: Extract<ConditionTree, { kind: 'and' | 'or' }>,
  sense: Sense,
): Inverted {
  if ((kind === 'and') === sense.negated) return { guard: () => true, unchecked: ['alternatives'] };
  const inverted = parts.map((part) => invert(part, sense));
  return {
    guard: (frame, spot) => inverted.every(({ guard }) => guard(frame, spot)),
    unchecked: inverted.flatMap(({ unchecked }) => unchecked),
  };
}

function invertIn(
  { subject, texts }: Extract<ConditionTree, { kind: 'in' }>,
  { own, negated }: Sense,
): Inverted {
  const path = parseSourcePath(subject);
  if (path === undefined) return { guard: () => true, unchecked: [subject] };
  const set = new Set(texts);
  if (negated) return { guard: (frame) => !set.has(readSpot(path, frame)), unchecked: [] };
  const [first = ''] = texts;
  const isOwn = path.segment === undefined || path.segment === own || own === '';
  return {
    guard: (frame) => {
      const text = readSpot(path, frame);
      if (text !== '' || !isOwn) return set.has(text);
      return establish(path, frame, first);
    },
    unchecked: [],
  };
}

function establish(path: SourcePath, frame: ReverseFrame, text: string): boolean {
  const spot = toSpot(path, frame);
  if (spot?.segment !== frame.segment || text === '') return false;
  return frame.run.write(frame, spot.place, text) !== 'differs';
}
