import type { Node, NodeAPI, NodeDef } from 'node-red';
import { buildError, type HilumError } from '../../core/errors.ts';
import type { FlowMessage, FlowRuntime } from '../../core/ports/flow-runtime.ts';

/** A node's configuration as Node-RED hands it to the constructor: what the editor stored, and its wires. */
export type NodeConfig<T> = NodeDef & T & { readonly wires?: readonly (readonly string[])[] };

/** Node-RED 5's subflow instances keep the id that the node has in its subflow's template. */
interface AliasedNode {
  readonly _alias?: string;
}

/** What the worker hands in; undefined in a stock Node-RED and in the editor's process. */
export function findFlowRuntime(RED: NodeAPI): FlowRuntime | undefined {
  return (RED.settings as { readonly hilum?: FlowRuntime }).hilum;
}

/** The id that the node has in the flow files, which its queues are named after. */
export function ownerId(node: Node): string {
  return (node as AliasedNode)._alias ?? node.id;
}

/** What a node that needs the worker answers to a message sent to it elsewhere. */
export function buildRuntimeMissing(type: string): HilumError {
  return buildError(
    'permanent',
    'runtime-missing',
    `The node "${type}" needs the Hilum runtime, which this Node-RED is not part of: start it with "hilum start".`,
  );
}

/** Anything thrown, as an Error for `done`. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

export type Attempt<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Error };

/** What the action gives, or what it throws as an Error. */
export function attempt<T>(action: () => T): Attempt<T> {
  try {
    return { ok: true, value: action() };
  } catch (error) {
    return { ok: false, error: toError(error) };
  }
}

/** A property of a message such as `patient.id`; undefined also where there is no `patient`, for which Node-RED throws. */
export function findProperty(RED: NodeAPI, message: FlowMessage, name: string): unknown {
  try {
    return RED.util.getMessageProperty(message, name);
  } catch {
    return undefined;
  }
}
