import type { FlowNode } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import { buildIssue } from '../../nodes/shared/contribution.ts';
import { FunctionCode, functionParts, type FunctionPart } from './function-code.ts';
import { LateSends, type LateSend, type Reason } from './late-sends.ts';

/**
 * What is wrong with a function node's code: a mistake in its syntax, in any of its three parts, and what is
 * sent after the message has been taken for done.
 */
export function lintFunction(node: FlowNode): readonly Issue[] {
  const issues: Issue[] = [];
  for (const part of functionParts) {
    const source = textOf(node[part]);
    const parsed = FunctionCode.parse(source, part);
    if (!parsed.ok) {
      const text = `${tabs[part]}, line ${parsed.line}: expected JavaScript, found a mistake (${parsed.message}); mend it.`;
      issues.push(buildIssue(node, 'function-syntax', text));
    } else if (part === 'func') {
      const [first] = findLateSends(parsed.code, source);
      if (first !== undefined) issues.push(buildLateSend(node, first));
    }
  }
  return issues;
}

/** What the editor calls the parts. */
const tabs: Readonly<Record<FunctionPart, string>> = {
  initialize: 'On Start',
  func: 'On Message',
  finalize: 'On Stop',
};

function findLateSends(code: FunctionCode, source: string): readonly LateSend[] {
  // Node-RED leaves it to the function to say when it is done where it finds this very call.
  const dones = /node\.done\s*\(\s*\)/.test(source) ? findDones(code) : [];
  if (dones.length > 0 && !areAllAtOnce(code, dones)) return [];
  return new LateSends(code).find();
}

function findDones(code: FunctionCode) {
  return code.nodes.filter(
    (each) =>
      each.type === 'CallExpression' &&
      each.callee.type === 'MemberExpression' &&
      each.callee.object.type === 'Identifier' &&
      each.callee.object.name === 'node' &&
      each.callee.property.type === 'Identifier' &&
      each.callee.property.name === 'done',
  );
}

/** Whether the function says that it is done while it runs, without having waited for anything. */
function areAllAtOnce(code: FunctionCode, dones: ReturnType<typeof findDones>): boolean {
  const waits = code.nodes.some(
    (each) => each.type === 'AwaitExpression' && code.functionAround(each) === code.root,
  );
  return !waits && dones.every((each) => code.functionAround(each) === code.root);
}

const reasons: Readonly<Record<Reason, string>> = {
  timer: 'a timer sends',
  promise: 'a promise that nobody waits for sends',
  callback: 'a callback sends',
  'not-awaited': 'an async function that nobody waits for sends',
};

function buildLateSend(node: FlowNode, { line, reason }: LateSend): Issue {
  return buildIssue(
    node,
    'function-sends-later',
    `line ${line}: ${reasons[reason]} after the function has returned, when its message counts as done and is no longer ` +
      `kept: await it, or call node.done() after the last node.send().`,
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
