import type { InterfaceDefinitions } from '../../core/interface.ts';
import type { Settings } from '../settings.ts';

/** What the supervisor says to its processes. */
export type ToChild =
  | { readonly type: 'start'; readonly settings: Settings; readonly config: RoleConfig }
  | { readonly type: 'definitions'; readonly definitions: InterfaceDefinitions }
  | { readonly type: 'inject'; readonly nodeId: string }
  | { readonly type: 'debug'; readonly nodeId: string; readonly active: boolean }
  | { readonly type: 'ping' }
  | { readonly type: 'stop' };

export type RoleConfig =
  | { readonly role: 'owner' }
  | { readonly role: 'demo' }
  | { readonly role: 'edge'; readonly definitions: InterfaceDefinitions }
  | {
      readonly role: 'worker';
      readonly group: string;
      readonly definitions: InterfaceDefinitions;
      readonly credentialSecret: string;
    };

export type Role = RoleConfig['role'];

/** What they answer. */
export type FromChild =
  | { readonly type: 'ready'; readonly summary?: string }
  /** It cannot do its work; the words are for the person who starts Hilum. */
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'pong' }
  | { readonly type: 'connection'; readonly part: 'broker'; readonly state: ConnectionState }
  /** One endpoint of the edge: a listener that listens or cannot, a sender that sends or cannot, by node id. */
  | { readonly type: 'endpoint'; readonly endpoint: EndpointState }
  /** Node-RED events of a worker, to be shown in the editor. */
  | { readonly type: 'node-status'; readonly event: object }
  | { readonly type: 'comms'; readonly event: object };

/** `blocked`: RabbitMQ takes nothing more for now (memory or disk alarm). */
export type ConnectionState = 'connected' | 'blocked' | 'disconnected';

export interface EndpointState {
  readonly nodeId: string;
  readonly label: string;
  readonly state: 'listening' | 'failed' | 'stopped' | 'sending' | 'failing' | 'paused';
  readonly detail: string;
  /** Of a sender: since when, as an ISO 8601 instant. */
  readonly since?: string;
}
