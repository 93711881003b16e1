import type { EnvelopeHeader } from '../envelope.ts';
import type { ProfileCopy } from '../hl7v2/profile/profile.ts';
import type { Issue } from '../issue.ts';
import type { Mappings } from '../mapping/mappings.ts';
import type { FlowResponse } from './flow-response.ts';

export type { FlowResponse } from './flow-response.ts';

/**
 * What Hilum's nodes ask of the worker they run in: `RED.settings.hilum`. Absent in a stock Node-RED,
 * where the nodes that need it say so in their status.
 */
export interface FlowRuntime {
  /**
   * Sends every message of the queue into the flow through `send`, each settled when its whole flow has
   * completed. Call once per source node; `stop` on close.
   */
  consume(queue: string, send: (message: FlowMessage) => void): FlowSource;
  /**
   * Makes the message durable in the node's outbound queue. Resolves when it is. What a retried flow
   * sends again from the same node gets the same id and goes out once.
   */
  send(message: FlowMessage, destination: FlowDestination): Promise<void>;
  /** As `send`, to every queue subscribed to the topic. */
  publishEvent(message: FlowMessage, topic: string, nodeId: string): Promise<void>;
  /** The message that `message` came from will be dead-lettered with these reasons when its flow completes. */
  reject(message: FlowMessage, issues: readonly Issue[]): void;
  /**
   * Answers the sender of the message that `message` came from, where it waits for that. Resolves when the response
   * is durable in its queue. Rejects with HilumError `reply-invalid` (permanent) where msg.payload is no response.
   */
  reply(message: FlowMessage, response: FlowResponse): Promise<ReplyOutcome>;
  /** The maps and tables as they were deployed; absent: those that are shipped with Hilum. */
  readonly mappings?: Mappings;
  /**
   * The profile of this name as it was deployed; throws HilumError `profile-not-deployed` (permanent) where none was.
   * Absent: profiles are read from their files.
   */
  readonly findProfile?: (name: string) => ProfileCopy;
}

/**
 * `unawaited`: nobody waits: the message was acknowledged when it came in, or came from no sender. `repeated`: this
 * run of the flow has answered already.
 */
export type ReplyOutcome =
  /** `answer`: `RSP^K22 AA`. */
  | { readonly kind: 'answered'; readonly answer: string }
  | { readonly kind: 'unawaited' | 'repeated' };

export interface FlowSource {
  stop(): void;
  /** Called with a few words whenever the state of the queue's consumer changes: for the node's status. */
  onState(listener: (state: 'connected' | 'disconnected') => void): void;
}

export interface FlowDestination {
  readonly nodeId: string;
  readonly queue: string;
}

/** A Node-RED message as Hilum's nodes pass it on. */
export interface FlowMessage {
  _msgid?: string;
  /** Text where the bytes round-trip in their character set, else a Buffer. Never a parsed tree. */
  payload?: unknown;
  /** The header of the envelope that this message came from; kept by every node. */
  envelope?: EnvelopeHeader;
  /** Media type of `payload` where a node has changed it. */
  contentType?: string;
  /** Findings of `hl7 validate` and `hl7 map`, newest last. */
  issues?: readonly Issue[];
  [property: string]: unknown;
}
