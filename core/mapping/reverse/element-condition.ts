import {
  ConditionError,
  type ConditionResult,
  type ConditionTree,
  readCondition,
} from '../../condition/parse-condition.ts';
import { parseSourcePath } from '../path.ts';
import { type Node, parseElementPath, readElements, toLeafText } from './node.ts';
import { isValued, readSpot } from './place.ts';
import type { ReverseFrame } from './run.ts';

/** A condition of the way back: over an element, and over what stands in the message already. */
export type ElementCondition = (frame: ReverseFrame, node: Node) => boolean;

/**
 * Compiles a condition; the grammar is that of `readCondition`. A subject is a path in FHIR (`status`,
 * `code.coding[0].code`), or a field of the message that is being made (`MSH-12`).
 */
export function parseElementCondition(text: string): ConditionResult<ElementCondition> {
  return readCondition(text, compile);
}

function compile(tree: ConditionTree): ElementCondition {
  switch (tree.kind) {
    case 'or': {
      const parts = tree.parts.map(compile);
      return (frame, node) => parts.some((part) => part(frame, node));
    }
    case 'and': {
      const parts = tree.parts.map(compile);
      return (frame, node) => parts.every((part) => part(frame, node));
    }
    case 'not': {
      const part = compile(tree.part);
      return (frame, node) => !part(frame, node);
    }
    case 'valued':
      return toValued(tree.subject);
    case 'in': {
      const read = toReader(tree.subject);
      const texts = new Set(tree.texts);
      return (frame, node) => texts.has(read(frame, node));
    }
    case 'count': {
      const steps = toSteps(tree.subject);
      const last = steps.at(-1);
      const all =
        last === undefined ? [] : [...steps.slice(0, -1), { ...last, index: 'all' as const }];
      return (_, node) => tree.compare(readElements(node, all).length);
    }
    case 'length': {
      const read = toReader(tree.subject);
      return (frame, node) => tree.compare(read(frame, node).length);
    }
    case 'null':
    case 'is':
    case 'matches':
      throw new ConditionError(`expected valued, =, !=, in, count or length, found ${tree.kind}`);
  }
}

/** In a map of a datatype a component is named by its number. */
const isField = (subject: string): boolean => /^(?:[A-Z][A-Z0-9]{2}-|\d)/.test(subject);

function toValued(subject: string): ElementCondition {
  const path = isField(subject) ? parseSourcePath(subject) : undefined;
  if (path !== undefined) return (frame) => isValued(path, frame);
  const steps = toSteps(subject);
  return (_, node) => readElements(node, steps).length > 0;
}

function toReader(subject: string): (frame: ReverseFrame, node: Node) => string {
  const path = isField(subject) ? parseSourcePath(subject) : undefined;
  if (path !== undefined) return (frame) => readSpot(path, frame);
  const steps = toSteps(subject);
  return (_, node) => {
    const [found] = readElements(node, steps);
    return found === undefined ? '' : (toLeafText(found) ?? '');
  };
}

function toSteps(subject: string): NonNullable<ReturnType<typeof parseElementPath>> {
  const steps = parseElementPath(subject);
  if (steps === undefined)
    throw new ConditionError(
      `${subject} is no path such as code.coding[0].code, nor a field such as MSH-12`,
    );
  return steps;
}
