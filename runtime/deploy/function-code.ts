import { parse, type AnyNode, type CallExpression, type NewExpression } from 'acorn';

export type FunctionNode = Extract<
  AnyNode,
  { type: 'FunctionDeclaration' | 'FunctionExpression' | 'ArrowFunctionExpression' }
>;
export type Call = CallExpression | NewExpression;

export type ParseResult =
  | { readonly ok: true; readonly code: FunctionCode }
  | { readonly ok: false; readonly message: string; readonly line: number };

/** The three parts of a function node, as Node-RED calls them, each wrapped as Node-RED does. */
export const functionParts = ['initialize', 'func', 'finalize'] as const;
export type FunctionPart = (typeof functionParts)[number];

/** Line 1 of what is parsed; the part's own line 1 follows. */
const wrappers: Readonly<Record<FunctionPart, string>> = {
  initialize: 'async function f(__send__) { var node;\n',
  func: 'async function f(msg, __send__, __done__) { var __msgid__; var node;\n',
  finalize: 'function f() { var node;\n',
};

/** The code of a function node: its syntax tree, and who contains whom. */
export class FunctionCode {
  readonly root: FunctionNode;
  readonly nodes: readonly AnyNode[];
  readonly #parents: ReadonlyMap<AnyNode, AnyNode>;

  private constructor(root: FunctionNode) {
    const parents = new Map<AnyNode, AnyNode>();
    const nodes: AnyNode[] = [];
    const visit = (node: AnyNode): void => {
      nodes.push(node);
      for (const child of childrenOf(node)) {
        parents.set(child, node);
        visit(child);
      }
    };
    visit(root);
    this.root = root;
    this.nodes = nodes;
    this.#parents = parents;
  }

  static parse(source: string, part: FunctionPart): ParseResult {
    try {
      const options = { ecmaVersion: 'latest', locations: true } as const;
      const [first, ...more] = parse(`${wrappers[part]}${source}\n}`, options).body;
      if (first?.type !== 'FunctionDeclaration' || more.length > 0) {
        throw new SyntaxError('a bracket is closed that was not opened');
      }
      return { ok: true, code: new FunctionCode(first) };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const { loc } = error as SyntaxError & { loc?: { readonly line: number } };
      // acorn puts the place behind its words: "Unexpected token (3:4)".
      const message = error.message.replace(/ \(\d+:\d+\)$/, '');
      const lines = source.split('\n').length;
      return { ok: false, message, line: Math.min(Math.max((loc?.line ?? 2) - 1, 1), lines) };
    }
  }

  parentOf(node: AnyNode): AnyNode | undefined {
    return this.#parents.get(node);
  }

  /** The innermost function around a node; a function is not around itself. */
  functionAround(node: AnyNode): FunctionNode {
    for (let at = this.parentOf(node); at !== undefined; at = this.parentOf(at)) {
      if (isFunction(at)) return at;
    }
    return this.root;
  }

  isInside(node: AnyNode, outer: AnyNode): boolean {
    for (let at: AnyNode | undefined = node; at !== undefined; at = this.parentOf(at)) {
      if (at === outer) return true;
    }
    return false;
  }

  /** Where the name is used as a value, not where it is declared or names a property. */
  usesOf(name: string): readonly AnyNode[] {
    return this.nodes.filter(
      (node) => node.type === 'Identifier' && node.name === name && this.#isValue(node),
    );
  }

  /** The function's line that a node begins on, from 1. */
  lineOf(node: AnyNode): number {
    return (node.loc?.start.line ?? 2) - 1;
  }

  #isValue(node: AnyNode): boolean {
    const parent = this.parentOf(node);
    if (parent === undefined) return false;
    switch (parent.type) {
      case 'MemberExpression':
        return parent.object === node || parent.computed;
      case 'Property':
        return parent.value === node;
      case 'VariableDeclarator':
        return parent.init === node;
      case 'FunctionDeclaration':
      case 'FunctionExpression':
        return false;
      case 'ArrowFunctionExpression':
        return parent.body === node;
      case 'AssignmentExpression':
        return parent.right === node;
      default:
        return true;
    }
  }
}

function isFunction(node: AnyNode): node is FunctionNode {
  return /^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);
}

/** The name of what is called: `forEach` of `list.forEach(…)`, `setTimeout` of `setTimeout(…)`. */
export function nameOfCalled({ callee }: Call): string {
  if (callee.type === 'Identifier') return callee.name;
  if (callee.type === 'MemberExpression' && callee.property.type === 'Identifier') {
    return callee.property.name;
  }
  return '';
}

/** The name of the object whose member is called: `Promise` of `Promise.all(…)`. */
export function nameOfObject({ callee }: Call): string {
  return callee.type === 'MemberExpression' && callee.object.type === 'Identifier'
    ? callee.object.name
    : '';
}

/** Whether the node is this name. */
export function isNamed(node: AnyNode, name: string): boolean {
  return node.type === 'Identifier' && node.name === name;
}

/** Whether the node is `….name`. */
export function isMember(node: AnyNode, name: string): boolean {
  return node.type === 'MemberExpression' && isNamed(node.property, name);
}

function childrenOf(node: AnyNode): readonly AnyNode[] {
  return Object.values(node as object)
    .flat()
    .filter((value): value is AnyNode => typeof (value as AnyNode | null)?.type === 'string');
}
