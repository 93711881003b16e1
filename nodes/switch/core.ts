import { createRequire } from 'node:module';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { coreNode } from './definition.ts';

type Evaluated = (error: unknown, value?: unknown) => void;

/** What Node-RED's `switch` evaluates with, as far as it calls it: the last argument is always a callback. */
interface Evaluation {
  readonly evaluateNodeProperty: (
    ...args: [value: unknown, type: string, node: Node, message: object, evaluated: Evaluated]
  ) => unknown;
  readonly evaluateJSONataExpression: (
    ...args: [expression: unknown, message: object, evaluated: Evaluated]
  ) => unknown;
}

/** Told of every message that the core node works on. It works on one at a time. */
export interface CoreObserver {
  /** The first value of this message is about to be evaluated. */
  readonly onStart: (message: object) => void;
  /** Everything that the core node does for the message that was started last has been done. */
  readonly onEnd: () => void;
}

type InputHandler = (this: Node, message: object) => void;

/** What the core node is made of: it routes whatever the handler gets. Absent where it refused its rules. */
interface CoreSwitch {
  readonly handler: InputHandler | undefined;
}

const require = createRequire(import.meta.url);
// The package is Node-RED's dependency, not ours: found from where Node-RED is.
const registerCore = createRequire(require.resolve('node-red'))(
  `@node-red/nodes/core/${coreNode}.js`,
) as (RED: object) => void;

/**
 * Makes `node` the switch that Node-RED brings, and keeps its input handler back. All that the core node
 * learns about a message it learns through two functions of `RED.util`, one call after the other; what follows
 * from a value happens before the callback returns. So the message is done with when no call is open any more.
 */
export function buildCoreSwitch(
  RED: NodeAPI,
  node: Node,
  { config, observer }: { readonly config: NodeDef; readonly observer: CoreObserver },
): CoreSwitch {
  const holder: { construct?: (this: Node, config: NodeDef) => void; handler?: InputHandler } = {};
  registerCore({
    settings: RED.settings,
    _: (key: string, values: Record<string, string>) => RED._(`node-red:${key}`, values),
    util: observeEvaluation(RED.util as unknown as Evaluation, observer),
    nodes: {
      // The node exists already.
      createNode: () => undefined,
      registerType: (_type: string, construct: (this: Node, config: NodeDef) => void) => {
        holder.construct = construct;
      },
    },
  });
  const own = node as unknown as { on?: unknown };
  own.on = (event: string, listener: InputHandler): void => {
    if (event === 'input') holder.handler = listener;
    else (Object.getPrototypeOf(node) as Node).on.call(node, event as 'close', listener as never);
  };
  try {
    holder.construct?.call(node, config);
  } finally {
    delete own.on;
  }
  return { handler: holder.handler };
}

/** `RED.util` whose evaluations are counted, and whose exceptions reach the callback too. */
function observeEvaluation(util: Evaluation, { onStart, onEnd }: CoreObserver): object {
  let open = 0;
  const observe = (
    message: object,
    evaluated: Evaluated,
    run: (callback: Evaluated) => unknown,
  ): void => {
    if (open === 0) onStart(message);
    open += 1;
    const call = { answered: false };
    const answer: Evaluated = (error, value) => {
      if (call.answered) return;
      call.answered = true;
      try {
        evaluated(error, value);
      } finally {
        open -= 1;
        if (open === 0) onEnd();
      }
    };
    try {
      run(answer);
    } catch (error) {
      // A value that cannot even be asked for, as of a context store that is not there.
      if (call.answered) throw error;
      answer(error);
    }
  };
  return Object.assign(Object.create(util) as object, {
    evaluateNodeProperty: (
      ...[value, kind, node, message, evaluated]: Parameters<Evaluation['evaluateNodeProperty']>
    ): void => {
      observe(message, evaluated, (callback) =>
        util.evaluateNodeProperty(value, kind, node, message, callback),
      );
    },
    evaluateJSONataExpression: (
      ...[value, message, evaluated]: Parameters<Evaluation['evaluateJSONataExpression']>
    ): void => {
      observe(message, evaluated, (callback) =>
        util.evaluateJSONataExpression(value, message, callback),
      );
    },
  });
}
