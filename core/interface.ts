import type { AcceptanceRules } from './hl7v2/acceptance.ts';
import type { AcknowledgmentMode, ApplicationAcknowledgment } from './hl7v2/acknowledgment-mode.ts';
import type { AnswerPolicy } from './hl7v2/acknowledgment-outcome.ts';
import type { Issue } from './issue.ts';

/**
 * What a deploy compiles out of the flows: everything that the edge must listen to and send to, and the
 * queues in between. Ids are Node-RED node ids; a node's queues are named after them.
 */
export interface InterfaceDefinitions {
  readonly listeners: readonly ListenerDefinition[];
  readonly senders: readonly SenderDefinition[];
  readonly queues: readonly QueueDeclaration[];
}

export interface QueueDeclaration {
  readonly name: string;
  readonly interface: string;
  readonly topics?: readonly string[];
}

/** When a listener acknowledges: once the message is durable, or after it was found valid too. */
export type AcknowledgeWhen = 'received' | 'validated';

/** How a listener answers, and which messages it takes. */
export interface ListenerAcknowledgment {
  readonly mode: AcknowledgmentMode;
  readonly application: ApplicationAcknowledgment;
  /** Whatever else comes is rejected. */
  readonly accepts: AcceptanceRules;
  /** Whether MSH-13 must go up by one from message to message, where a sender fills it. */
  readonly sequenceNumbers: 'ignored' | 'checked';
}

/** An `mllp in` node. */
export interface ListenerDefinition {
  readonly kind: 'mllp';
  readonly id: string;
  readonly interface: string;
  /** The node's name, or what it does, for people. */
  readonly label: string;
  readonly host: string;
  /** 0: the system chooses one. */
  readonly port: number;
  readonly acknowledge: AcknowledgeWhen;
  /** Absent: as MSH-15 and MSH-16 ask, and every message is taken. */
  readonly acknowledgment?: ListenerAcknowledgment;
  /** The inbound queue. */
  readonly queue: string;
  /** Frames beyond this close the connection. */
  readonly maxFrameBytes: number;
  readonly idleTimeoutMs: number;
}

interface SenderBase {
  readonly id: string;
  readonly interface: string;
  readonly label: string;
  /** The outbound queue. */
  readonly queue: string;
  /** Where the partner's answers go; absent when nobody listens to them. */
  readonly answerQueue?: string;
  readonly timeoutMs: number;
  /** How many deliveries at a time. */
  readonly concurrency: number;
}

/** A `fhir out` node. */
export interface FhirSenderDefinition extends SenderBase {
  readonly kind: 'fhir';
  /** `http://127.0.0.1:8103/fhir/R4`, without a slash at the end. */
  readonly baseUrl: string;
}

/** An `mllp out` node. */
export interface MllpSenderDefinition extends SenderBase {
  readonly kind: 'mllp';
  readonly host: string;
  readonly port: number;
  /** Absent: as the standard has it. */
  readonly acknowledgment?: AnswerPolicy;
}

export type SenderDefinition = FhirSenderDefinition | MllpSenderDefinition;

/** A node of a flow file, as Node-RED stores it. */
export interface FlowNode {
  readonly id: string;
  readonly type: string;
  /** The tab or subflow it is on; absent on tabs and shared configuration. */
  readonly z?: string;
  readonly name?: string;
  /** Disabled. */
  readonly d?: boolean;
  readonly wires?: readonly (readonly string[])[];
  readonly [property: string]: unknown;
}

/** What one node contributes; issues of severity error refuse the deploy, located by node id. */
export interface NodeContribution {
  readonly listeners?: readonly ListenerDefinition[];
  readonly senders?: readonly SenderDefinition[];
  readonly queues?: readonly QueueDeclaration[];
  readonly issues?: readonly Issue[];
}

/** Whether a queue holds copies of events: one envelope id stands in several such queues. */
export function isEventQueue(queue: string): boolean {
  return queue.startsWith('sub.') || queue.startsWith('event.');
}

/** The queues that a node owns, by its id. */
export const queueNames = {
  inbound: (nodeId: string): string => `in.${nodeId}`,
  outbound: (nodeId: string): string => `out.${nodeId}`,
  answers: (nodeId: string): string => `answer.${nodeId}`,
  subscription: (nodeId: string): string => `sub.${nodeId}`,
  event: (topic: string): string => `event.${topic}`,
} as const;
