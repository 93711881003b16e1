import type { AnyNode } from 'acorn';
import { isMember, isNamed, type FunctionCode } from './function-code.ts';

/** A place where a function's code sends. */
interface Send {
  readonly site: AnyNode;
  /** Sent here; otherwise handed to a call that will send. */
  readonly isCall: boolean;
}

/** `node.send(…)`, the same by another name, and `node.send` handed to somebody else. */
export function findSends(code: FunctionCode): readonly Send[] {
  const nodeNames = new Set(['node', ...namesOf(code, (value) => isNamed(value, 'node'))]);
  const isSend = (value: AnyNode): boolean =>
    value.type === 'MemberExpression' &&
    value.object.type === 'Identifier' &&
    nodeNames.has(value.object.name) &&
    isNamed(value.property, 'send') &&
    !isShadowed(code, value, value.object.name);
  const sendNames = new Set([
    ...namesOf(
      code,
      (value) => isSend(value) || (isCallOf(value, 'bind') && isSend(value.callee.object)),
    ),
    ...takenFrom(code, nodeNames),
  ]);
  const sites = code.nodes.filter(
    (each) =>
      isSend(each) ||
      (each.type === 'Identifier' &&
        sendNames.has(each.name) &&
        code.usesOf(each.name).includes(each)),
  );
  return sites.flatMap((each) => {
    const parent = code.parentOf(each);
    if (parent?.type === 'CallExpression') {
      return [{ site: each, isCall: parent.callee === each }];
    }
    return [];
  });
}

/** The variables that are given such a value where they are declared. */
function namesOf(code: FunctionCode, isIt: (value: AnyNode) => boolean): readonly string[] {
  return code.nodes.flatMap((each) =>
    each.type === 'VariableDeclarator' &&
    each.init &&
    each.id.type === 'Identifier' &&
    isIt(each.init)
      ? [each.id.name]
      : [],
  );
}

/** `const { send } = node` */
function takenFrom(code: FunctionCode, nodeNames: ReadonlySet<string>): readonly string[] {
  return code.nodes.flatMap((each) => {
    if (each.type !== 'VariableDeclarator' || each.id.type !== 'ObjectPattern') return [];
    if (each.init?.type !== 'Identifier' || !nodeNames.has(each.init.name)) return [];
    return each.id.properties.flatMap((property) =>
      property.type === 'Property' &&
      isNamed(property.key, 'send') &&
      property.value.type === 'Identifier'
        ? [property.value.name]
        : [],
    );
  });
}

function isShadowed(code: FunctionCode, site: AnyNode, name: string): boolean {
  let around = code.functionAround(site);
  while (around !== code.root) {
    if (around.params.some((parameter) => isNamed(parameter, name))) return true;
    around = code.functionAround(around);
  }
  return false;
}

function isCallOf(
  node: AnyNode,
  name: string,
): node is Extract<AnyNode, { type: 'CallExpression' }> & {
  readonly callee: Extract<AnyNode, { type: 'MemberExpression' }>;
} {
  return node.type === 'CallExpression' && isMember(node.callee, name);
}
