import type { AnyNode } from 'acorn';
import {
  isMember,
  nameOfCalled,
  nameOfObject,
  type Call,
  type FunctionCode,
  type FunctionNode,
} from './function-code.ts';
import { findSends } from './sends.ts';

/** Why code runs after the function has returned. */
export type Reason = 'timer' | 'promise' | 'callback' | 'not-awaited';

export interface LateSend {
  readonly line: number;
  readonly reason: Reason;
}

/** Calls that have called their callback when they return. */
const synchronous = new Set(
  (
    'forEach map filter reduce reduceRight some every find findIndex findLast findLastIndex flatMap sort ' +
    'toSorted from fromEntries groupBy replace replaceAll stringify parse each times forOwn ' +
    'call apply get set keys'
  ).split(' '),
);
const timers = new Set(['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'nextTick']);
const chained = new Set(['then', 'catch', 'finally']);
const waitsForAll = new Set(['all', 'allSettled']);

/**
 * Finds what the code of a function node sends after the function has returned, and after the promise that
 * it returns is fulfilled: Node-RED then takes the message for done. Follows callbacks, named functions,
 * promises that are awaited or returned, also through a variable; what it cannot follow runs late.
 */
export class LateSends {
  readonly #code: FunctionCode;
  readonly #open = new Set<AnyNode>();

  constructor(code: FunctionCode) {
    this.#code = code;
  }

  find(): readonly LateSend[] {
    const found: LateSend[] = [];
    for (const { site, isCall } of findSends(this.#code)) {
      const reason = isCall ? this.#lateAt(site) : this.#whenPassed(site, 'plain');
      if (reason !== undefined) found.push({ line: this.#code.lineOf(site), reason });
    }
    return found;
  }

  /** Why what stands here runs late; undefined where it does not. */
  #lateAt(site: AnyNode): Reason | undefined {
    const around = this.#code.functionAround(site);
    if (around === this.#code.root) return undefined;
    return this.#lateUse(
      around,
      around.async && this.#isAfterAwait(site, around) ? 'rest' : 'start',
    );
  }

  /** Of an async function, what stands behind an `await` is the rest; it begins like any other. */
  #isAfterAwait(site: AnyNode, around: FunctionNode): boolean {
    return this.#code.nodes.some((each) => {
      const awaits =
        each.type === 'AwaitExpression' || (each.type === 'ForOfStatement' && each.await);
      if (!awaits || this.#code.functionAround(each) !== around) return false;
      if (each.start < site.start) return true;
      for (let at = this.#code.parentOf(each); at && at !== around; at = this.#code.parentOf(at)) {
        if (/^(?:For|While|DoWhile)/.test(at.type) && this.#code.isInside(site, at)) return true;
      }
      return false;
    });
  }

  #lateUse(used: FunctionNode, part: 'start' | 'rest'): Reason | undefined {
    if (this.#open.has(used)) return undefined;
    this.#open.add(used);
    try {
      for (const use of this.#usesOf(used)) {
        const reason = this.#whenUsed(use, part === 'rest' ? 'promise' : 'plain');
        if (reason !== undefined) return reason;
      }
      return undefined;
    } finally {
      this.#open.delete(used);
    }
  }

  /** The places where a function is called or handed on: itself, or its name. */
  #usesOf(used: FunctionNode): readonly AnyNode[] {
    const parent = this.#code.parentOf(used);
    if (used.type === 'FunctionDeclaration') return this.#code.usesOf(used.id?.name ?? '');
    if (parent?.type === 'VariableDeclarator' && parent.id.type === 'Identifier') {
      return this.#code.usesOf(parent.id.name);
    }
    if (parent?.type === 'AssignmentExpression' && parent.left.type === 'Identifier') {
      return this.#code.usesOf(parent.left.name);
    }
    const key =
      parent?.type === 'Property' || parent?.type === 'MethodDefinition' ? parent.key : undefined;
    if (key?.type === 'Identifier')
      return this.#code.nodes.filter((each) => isMember(each, key.name));
    return [used];
  }

  /** `result`: whether it matters when the promise that the function gives is fulfilled. */
  #whenUsed(use: AnyNode, result: 'plain' | 'promise'): Reason | undefined {
    const parent = this.#code.parentOf(use);
    const called = parent?.type === 'CallExpression' && parent.callee === use;
    if (!called) return this.#whenPassed(use, result);
    if (result === 'promise' && !this.#isAwaited(parent)) return 'not-awaited';
    return this.#lateAt(parent);
  }

  /** A function that is handed to a call. */
  #whenPassed(passed: AnyNode, result: 'plain' | 'promise'): Reason | undefined {
    const call = this.#code.parentOf(passed);
    if (call?.type !== 'CallExpression' && call?.type !== 'NewExpression') return 'callback';
    if (call.callee === passed) return this.#whenUsed(passed, result);
    const name = nameOfCalled(call);
    if (call.type === 'NewExpression' && name === 'Promise') return this.#lateAt(call);
    if (call.type === 'CallExpression' && synchronous.has(name)) {
      if (result === 'promise' && !(name !== 'forEach' && this.#isAwaited(call)))
        return 'not-awaited';
      return this.#lateAt(call);
    }
    if (chained.has(name)) return this.#isAwaited(call) ? this.#lateAt(call) : 'promise';
    const executor = this.#executorAround(call);
    if (executor !== undefined) return this.#lateAt(executor);
    return timers.has(name) ? 'timer' : 'callback';
  }

  /** The `new Promise(…)` around, if it is awaited and fulfilled by a callback. */
  #executorAround(call: Call): AnyNode | undefined {
    for (
      let around = this.#code.functionAround(call);
      around !== this.#code.root;
      around = this.#code.functionAround(around)
    ) {
      const promise = this.#code.parentOf(around);
      if (promise?.type !== 'NewExpression' || nameOfCalled(promise) !== 'Promise') continue;
      const executor = around;
      const settles = executor.params.some(
        (parameter) =>
          parameter.type === 'Identifier' &&
          this.#code.usesOf(parameter.name).some((use) => {
            const parent = this.#code.parentOf(use);
            const isHandedOn = parent?.type === 'CallExpression' && parent.callee !== use;
            return isHandedOn || this.#code.functionAround(use) !== executor;
          }),
      );
      if (settles && this.#isAwaited(promise)) return promise;
    }
    return undefined;
  }

  /** Whether somebody waits for the promise that this expression gives. */
  #isAwaited(expression: AnyNode): boolean {
    const parent = this.#code.parentOf(expression);
    if (parent === undefined) return false;
    switch (parent.type) {
      case 'AwaitExpression':
        return true;
      case 'ReturnStatement':
        return this.#isResultAwaited(expression);
      case 'ArrowFunctionExpression':
        return parent.body === expression && this.#isResultAwaited(expression);
      case 'ForOfStatement':
        return parent.right === expression;
      case 'ArrayExpression':
      case 'SpreadElement':
      case 'ConditionalExpression':
      case 'LogicalExpression':
      case 'SequenceExpression':
      case 'ChainExpression':
        return this.#isAwaited(parent);
      case 'VariableDeclarator':
        return parent.id.type === 'Identifier' && this.#isVariableAwaited(parent.id.name);
      case 'AssignmentExpression':
        return parent.left.type === 'Identifier' && this.#isVariableAwaited(parent.left.name);
      case 'MemberExpression': {
        const call = this.#code.parentOf(parent);
        if (call?.type !== 'CallExpression' || call.callee !== parent) return false;
        return (
          (chained.has(nameOfCalled(call)) || synchronous.has(nameOfCalled(call))) &&
          this.#isAwaited(call)
        );
      }
      case 'CallExpression': {
        if (parent.callee === expression) return false;
        const name = nameOfCalled(parent);
        if (nameOfObject(parent) === 'Promise')
          return waitsForAll.has(name) && this.#isAwaited(parent);
        return name === 'push' && this.#isVariableAwaited(nameOfObject(parent));
      }
      default:
        return false;
    }
  }

  #isVariableAwaited(name: string): boolean {
    return this.#code.usesOf(name).some((use) => {
      if (this.#open.has(use)) return false;
      this.#open.add(use);
      try {
        return this.#isAwaited(use);
      } finally {
        this.#open.delete(use);
      }
    });
  }

  /** A promise that a function returns is awaited where each call of the function is. */
  #isResultAwaited(expression: AnyNode): boolean {
    const around = this.#code.functionAround(expression);
    if (around === this.#code.root) return true;
    return this.#lateUse(around, 'rest') === undefined;
  }
}
