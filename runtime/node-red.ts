import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse, Server } from 'node:http';
import { createRequire } from 'node:module';
import type { FlowNode } from '../core/interface.ts';

/** What Hilum uses of the Node-RED 5 runtime, typed where @types/node-red is silent. */
export interface NodeRed {
  init(server: Server | undefined, settings: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly runtime: {
    readonly flows: {
      /** As the editor's deploy: through the storage, which may refuse it. */
      setFlows(options: {
        readonly flows: { readonly flows: readonly FlowNode[] };
        readonly deploymentType: 'full';
        readonly user: { readonly username: string };
      }): Promise<unknown>;
    };
    readonly context: {
      /** One value where a key is named; else all of them, by store and key. */
      getValue(of: ContextOf & { readonly keysOnly?: boolean }): Promise<Record<string, unknown>>;
      delete(of: ContextOf): Promise<void>;
    };
  };
  readonly httpAdmin: (request: IncomingMessage, response: ServerResponse) => void;
  readonly events: EventEmitter;
  readonly hooks: {
    add(id: string, handler: (event: never) => void): void;
    remove(id: string): void;
  };
  readonly nodes: {
    getNode(id: string): RuntimeNode | null;
    /** The constructor of a registered node type. */
    getType(type: string): unknown;
    eachNode(visit: (node: FlowNode) => void): void;
  };
}

interface ContextOf {
  readonly scope: string;
  /** Of a node or a flow. */
  readonly id?: string;
  readonly key?: string;
  readonly store: string;
}

/** A node as the runtime holds it. The underscored fields are Node-RED's own: the contract test watches them. */
export interface RuntimeNode {
  readonly id: string;
  readonly type: string;
  readonly z?: string;
  readonly name?: string;
  /** Of a node in a subflow's instance: the id that it has in the subflow. */
  readonly _alias?: string;
  receive(message?: object): void;
  /** Whether any input handler is registered; both absent once the node is closed. */
  readonly _inputCallback?: unknown;
  readonly _inputCallbacks?: unknown;
  /** How many of its input handlers will call `done`. */
  readonly _expectedDoneCount?: number;
}

/** The id that the editor knows: in a subflow's instance a node has one of its own. */
export function editorIdOf({ _alias, id }: RuntimeNode): string {
  return _alias ?? id;
}

/** A Node-RED log event: `msg` may be an Error or text. */
export interface LogEvent {
  readonly level: number;
  readonly id?: string;
  readonly type?: string;
  readonly z?: string;
  readonly msg: unknown;
}

/** Node-RED's log levels, by number. */
export const logLevel = { error: 20, warn: 30, info: 40 } as const;

/** The Node-RED of this process: there is one, whoever asks. */
export function loadNodeRed(): NodeRed {
  return createRequire(import.meta.url)('node-red') as NodeRed;
}
