import type { FlowNode, InterfaceDefinitions } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import type { Credentials } from '../credentials.ts';
import type { Culprit } from '../flow/suspects.ts';
import type { Settings } from '../settings.ts';
import type { Vitals } from './vitals.ts';

/** What the supervisor says to its processes. */
export type ToChild =
  | { readonly type: 'start'; readonly settings: Settings; readonly config: RoleConfig }
  | {
      readonly type: 'definitions';
      readonly definitions: InterfaceDefinitions;
      readonly profiles: ProfileFilesByName;
      readonly revision?: number;
    }
  /** Messages that were taken by this revision are this worker's to run, although nothing of its own has changed. */
  | { readonly type: 'revision'; readonly revision: number }
  /** Somebody has decided about the key: whoever consumes the queue looks again at what is set aside of it. */
  | { readonly type: 'release'; readonly queue: string; readonly key: string }
  /** Of these queues nothing is to be taken, of all others it is. */
  | { readonly type: 'paused'; readonly queues: readonly string[] }
  /** A worker that stands by takes from this queue now, from all its queues where none is named. */
  | { readonly type: 'take'; readonly queue?: string }
  /** With a message where the editor gave one. */
  | { readonly type: 'inject'; readonly nodeId: string; readonly message?: object }
  | { readonly type: 'debug'; readonly nodeId: string; readonly active: boolean }
  | { readonly type: 'context'; readonly question: ContextQuestion }
  | { readonly type: 'ping' }
  | { readonly type: 'stop' };

export type RoleConfig =
  | { readonly role: 'owner' }
  | { readonly role: 'demo' }
  | {
      readonly role: 'edge';
      readonly definitions: InterfaceDefinitions;
      readonly profiles: ProfileFilesByName;
      /** What runs, where roles run apart. */
      readonly revision?: number;
      /** The queues of which nothing is to be taken; what changes is told by a message of this type. */
      readonly paused: readonly string[];
    }
  | {
      readonly role: 'worker';
      readonly group: string;
      /** Whose spool it takes up and leaves: of two workers of a group at a time each has its own. */
      readonly spoolName: string;
      /** What it runs, with the credentials of these nodes and of no others. */
      readonly flows: readonly FlowNode[];
      readonly credentials: Credentials;
      readonly mappingsDirectory: string;
      readonly profiles: ProfileFilesByName;
      readonly definitions: InterfaceDefinitions;
      readonly paused: readonly string[];
      readonly revision?: number;
      /** It starts its flows and takes nothing until `take`. */
      readonly standsBy: boolean;
      /** Messages that are known to have ended earlier processes of this worker. */
      readonly culprits?: readonly Culprit[];
      /** What it may hold in memory; absent: any amount. */
      readonly memoryMiB?: number;
    };

export type Role = RoleConfig['role'];

/** The files in which profiles are kept as they were deployed, by the name that nodes know them by. */
export type ProfileFilesByName = Readonly<Record<string, string>>;

/** What they answer. */
export type FromChild =
  | { readonly type: 'ready'; readonly summary?: string }
  /** It cannot do its work; the words are for the person who starts Hilum. */
  | { readonly type: 'failed'; readonly message: string; readonly issues?: readonly Issue[] }
  /** A worker has found the message that ended those before it, and gives it up. */
  | { readonly type: 'culprit' }
  | { readonly type: 'pong'; readonly vitals?: Vitals }
  /** A worker that stops takes no more from this queue, and nobody that takes from it now overtakes what it has. */
  | { readonly type: 'released'; readonly queue: string }
  | { readonly type: 'connection'; readonly part: 'broker'; readonly state: ConnectionState }
  | { readonly type: 'storage'; readonly state: StorageState }
  /** One endpoint of the edge: a listener that listens or cannot, a sender that sends or cannot, by node id. */
  | { readonly type: 'endpoint'; readonly endpoint: EndpointState }
  /** Node-RED events of a worker, to be shown in the editor. */
  | { readonly type: 'node-status'; readonly event: object }
  | { readonly type: 'comms'; readonly event: object }
  | { readonly type: 'context'; readonly event: ContextAnswer };

/** Somebody looks at the context of a node, of a flow, or at the global one; the worker that has it answers. */
export interface ContextQuestion {
  /** Unique; the answer has it too. */
  readonly ask: string;
  readonly action: 'get' | 'delete';
  readonly scope: 'global' | 'flow' | 'node';
  /** The node's or the tab's. */
  readonly id?: string;
  /** Whose global context: each worker has its own. */
  readonly group?: string;
  /** Absent: all keys. */
  readonly key?: string;
  readonly keysOnly?: boolean;
}

export interface ContextAnswer {
  readonly ask: string;
  /** As JSON. */
  readonly value: unknown;
}

/**
 * `blocked`: RabbitMQ takes nothing more for now (memory or disk alarm). `refused`: there is no connection, and trying
 * again will not help (user, password, permissions).
 */
export type ConnectionState = 'connected' | 'blocked' | 'disconnected' | 'refused';

/** Whether the owner can write the data file. */
export interface StorageState {
  /** Why it cannot, and what to do. */
  readonly reason: string | undefined;
}

export interface EndpointState {
  readonly nodeId: string;
  readonly label: string;
  readonly state: 'listening' | 'failed' | 'stopped' | 'sending' | 'failing' | 'paused';
  readonly detail: string;
  /** Of a sender: since when, as an ISO 8601 instant. */
  readonly since?: string;
}
