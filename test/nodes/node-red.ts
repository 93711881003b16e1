import { createRequire } from 'node:module';
import type { Node, NodeAPI } from 'node-red';
import type { FlowMessage, FlowRuntime } from '../../core/ports/flow-runtime.ts';

/** What the tests use of node-red-node-test-helper, which brings no types. */
interface TestHelper {
  init(runtimePath: string): void;
  settings(settings: object): void;
  load(nodes: readonly ((RED: NodeAPI) => void)[], flow: readonly object[]): Promise<void>;
  unload(): Promise<void>;
  getNode(id: string): Node;
}

const require = createRequire(`${process.cwd()}/package.json`);
const helper = require('node-red-node-test-helper') as TestHelper;
const { hooks } = require('node-red') as {
  hooks: {
    add(id: string, handler: (event: CompleteEvent) => void): void;
    remove(id: string): void;
  };
};

interface CompleteEvent {
  readonly msg: object;
  readonly node: { readonly id: string };
  readonly error?: unknown;
}

/** The flow of one test in a real Node-RED: its node is `node`, and `out-1`, `out-2`… receive what it sends. */
export interface TestFlow {
  /** Sends a message to the node; resolves when the node is done with it, with its error. */
  handle(message: FlowMessage): Promise<unknown>;
  /** Sends a message to the node, which may never say that it is done with it. */
  send(message: FlowMessage): void;
  /** The node's context of its flow, or of all flows. */
  context(scope: 'flow' | 'global'): { set(key: string, value: unknown): void };
  /** What an output (1-based) received so far. */
  received(output: number): readonly FlowMessage[];
  /** The newest status of the node: its text is the key, as the helper translates nothing. */
  status(): { readonly fill?: string; readonly text?: string };
}

/**
 * Starts the node with this configuration. `outputs` says how many outputs it has, each wired to a
 * receiver unless `unwired` names it; `hilum` is the runtime that it runs in, none for a stock Node-RED.
 */
export async function startNode(
  register: (RED: NodeAPI) => void,
  config: { readonly type: string; readonly [property: string]: unknown },
  {
    outputs,
    unwired = [],
    hilum,
  }: {
    readonly outputs: number;
    readonly unwired?: readonly number[];
    readonly hilum?: FlowRuntime;
  },
): Promise<TestFlow> {
  helper.init(require.resolve('node-red'));
  helper.settings({ hilum });
  const numbers = Array.from({ length: outputs }, (_, index) => index + 1);
  const wires = numbers.map((number) => (unwired.includes(number) ? [] : [`out-${number}`]));
  const statuses: { readonly fill?: string; readonly text?: string }[] = [];
  const watching = (RED: NodeAPI): void => {
    const { events } = RED;
    const note = (event: { id: string; status: (typeof statuses)[number] }): void => {
      if (event.id === 'node') statuses.push(event.status);
    };
    // Before the node is there: it shows its first status while it is constructed.
    events.on('node-status', note);
    stopWatching = () => events.off('node-status', note);
    register(RED);
  };
  await helper.load(
    [watching],
    [
      { id: 'tab', type: 'tab' },
      { id: 'node', z: 'tab', wires, ...config },
      ...numbers.map((number) => ({ id: `out-${number}`, z: 'tab', type: 'helper', wires: [] })),
    ],
  );
  const received = new Map<number, FlowMessage[]>(numbers.map((number) => [number, []]));
  for (const [number, messages] of received) {
    helper.getNode(`out-${number}`).on('input', (message, _send, done) => {
      messages.push(message);
      done();
    });
  }
  return {
    handle: (message) =>
      new Promise((resolve) => {
        // Its own object: several messages may be in the node at a time.
        const sent = { ...message };
        const hook = `onComplete.test-${(handled += 1)}`;
        open.add(hook);
        hooks.add(hook, ({ node, msg, error }) => {
          if (node.id !== 'node' || msg !== sent) return;
          open.delete(hook);
          hooks.remove(hook);
          // What it sent is delivered first.
          setImmediate(resolve, error);
        });
        helper.getNode('node').receive(sent);
      }),
    send: (message) => {
      helper.getNode('node').receive(message);
    },
    context: (scope) => helper.getNode('node').context()[scope],
    received: (output) => received.get(output) ?? [],
    status: () => statuses.at(-1) ?? {},
  };
}

let handled = 0;
/** The hooks that wait for a message's completion. */
const open = new Set<string>();
let stopWatching: (() => void) | undefined;

/** Stops the flow of the test. */
export async function stopNode(): Promise<void> {
  for (const hook of open) hooks.remove(hook);
  open.clear();
  stopWatching?.();
  await helper.unload();
}
