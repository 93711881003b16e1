import {
  ConditionError,
  type ConditionResult,
  type ConditionTree,
  readCondition,
} from '../../condition/parse-condition.ts';
import {
  type ElementStep,
  type Node,
  parseElementPath,
  readElements,
  toLeafText,
} from '../reverse/node.ts';

/** A condition over an element of FHIR. */
export type NodeCondition = (node: Node) => boolean;

/** Compiles a condition; the grammar is that of `readCondition`, a subject a path such as `code.coding[0].code`. */
export function parseNodeCondition(text: string): ConditionResult<NodeCondition> {
  return readCondition(text, compile);
}

function compile(tree: ConditionTree): NodeCondition {
  switch (tree.kind) {
    case 'or': {
      const parts = tree.parts.map(compile);
      return (node) => parts.some((part) => part(node));
    }
    case 'and': {
      const parts = tree.parts.map(compile);
      return (node) => parts.every((part) => part(node));
    }
    case 'not': {
      const part = compile(tree.part);
      return (node) => !part(node);
    }
    case 'valued': {
      const steps = toSteps(tree.subject);
      return (node) => readElements(node, steps).length > 0;
    }
    case 'in': {
      const steps = toSteps(tree.subject);
      const texts = new Set(tree.texts);
      return (node) => {
        const found = readElements(node, steps);
        if (found.length === 0) return texts.has('');
        return found.some((one) => texts.has(toLeafText(one) ?? ''));
      };
    }
    case 'count': {
      const steps = toSteps(tree.subject);
      const all = steps.map((step, at) =>
        at === steps.length - 1 ? { ...step, index: 'all' as const } : step,
      );
      return (node) => tree.compare(readElements(node, all).length);
    }
    case 'length':
    case 'null':
    case 'is':
    case 'matches':
      throw new ConditionError(`expected valued, =, !=, in or count, found ${tree.kind}`);
  }
}

function toSteps(subject: string): readonly ElementStep[] {
  const steps = parseElementPath(subject);
  if (steps === undefined) throw new ConditionError(`${subject} is no path such as name[0].family`);
  return steps;
}
