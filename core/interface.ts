import type {
  AcceptanceRules,
  AcknowledgmentMode,
  AnswerPolicy,
  ApplicationAcknowledgment,
} from './hl7v2/acknowledgment-settings.ts';
import type { Issue } from './issue.ts';
import type { QueueOrder } from './ports/broker.ts';

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
  /** Its messages keep their order; absent: they do not. */
  readonly order?: QueueOrder;
  /** How those who consume it keep its order; absent: `none`. */
  readonly keeps?: MessageOrder;
  /** What follows for the messages behind one that is given up; absent: `skip`. */
  readonly onFailure?: FailurePolicy;
  /** How many bytes of what the flow's nodes change are kept of each message; 0: nothing; absent: as all others. */
  readonly changeBytes?: number;
}

/**
 * Which messages never overtake each other: `key`: those of one key (by default the patient), while others run
 * beside them; `queue`: all of them, one after the other.
 */
export type MessageOrder = 'none' | 'key' | 'queue';

/**
 * What follows when a message is given up: `skip`: those behind it go on; `stop`: it and those of its key (of its
 * queue, where that is in order as a whole) are set aside until somebody decides.
 */
export type FailurePolicy = 'skip' | 'stop';

/**
 * When a listener acknowledges: once the message is durable, after it was found valid too, or when its flow has
 * completed, with what came of it.
 */
export type AcknowledgeWhen = 'received' | 'validated' | 'processed';

/** What a listener makes of a message that comes again. */
export interface DuplicatePolicy {
  /** For so long the same content under the same control id is acknowledged again, and not processed; 0: never. */
  readonly windowMs: number;
  /** What follows where the content is another. */
  readonly sameIdOtherContent: 'accept' | 'reject';
}

/** How a listener waits for what comes of a message in its flow, where it acknowledges then. */
export interface FlowWait {
  readonly timeoutMs: number;
  /**
   * What follows when the flow is not through by then: `error`: the sender is told that the message is kept (AE);
   * `close`: the connection is closed without an answer, and the sender repeats the message.
   */
  readonly onTimeout: 'error' | 'close';
}

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
  /** Where it acknowledges when the flow has completed. Absent: 30 s, then `error`. */
  readonly wait?: FlowWait;
  /** The conformance profile that `validated` means; absent: the message's version alone. */
  readonly profile?: string;
  /** What the sender writes in, where its MSH-18 does not tell the truth. */
  readonly charset?: string;
  /** Where a message's key is: the first of these paths with a value. Absent: PID-3.1. */
  readonly keyPaths?: readonly string[];
  /** Absent: as MSH-15 and MSH-16 ask, and every message is taken. */
  readonly acknowledgment?: ListenerAcknowledgment;
  /** Absent: within a day, and other content is accepted. */
  readonly duplicates?: DuplicatePolicy;
  /** The inbound queue. */
  readonly queue: string;
  /** Frames beyond this close the connection. */
  readonly maxFrameBytes: number;
  readonly idleTimeoutMs: number;
  /** What else is bounded; the listener's own bounds where absent. */
  readonly limits?: ListenerLimits;
  /** Absent: plain TCP. */
  readonly tls?: ListenerTls;
  /** Addresses (`10.1.2.3`, `fd00::1`) and networks (`10.0.0.0/8`) that may connect; absent: all. */
  readonly allowedPeers?: readonly string[];
  /** Absent: none is expected. */
  readonly proxyProtocol?: ProxyProtocol;
  /** Absent: release 1. */
  readonly commit?: CommitMode;
}

/** What one listener holds at most. */
export interface ListenerLimits {
  /** More connections are turned away. */
  readonly maxConnections?: number;
  /** More connections from one address are turned away. */
  readonly maxConnectionsPerPeer?: number;
  /** For the first byte after connecting. */
  readonly firstByteTimeoutMs?: number;
  /** Unanswered messages of one connection before it is read no further. */
  readonly maxInFlight?: number;
  /** Bytes of one connection's unanswered messages before it is read no further. */
  readonly maxUnacknowledgedBytes?: number;
  /** Bytes of all connections' unanswered and unfinished messages together before they are read no further. */
  readonly maxBufferedBytes?: number;
}

/**
 * Commit blocks of MLLP release 2 (`VT ACK FS CR`, `VT NAK FS CR`): sent when a message is durable, before
 * the application's acknowledgment, or instead of it.
 */
export type CommitMode = 'before-acknowledgment' | 'instead-of-acknowledgment';

/** A certificate with its chain and its key: paths of PEM files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
  /** A file whose first line opens the key. */
  readonly passphraseFile?: string;
}

export type TlsVersion = '1.2' | '1.3';

/** How a listener speaks TLS. */
export interface ListenerTls {
  /** Shown to whoever asks for none of the server names below. */
  readonly identity: CertificateFiles;
  /** Other certificates, by the server name that the peer asks for (SNI); `*.example.org` stands for one label. */
  readonly serverNames?: readonly (CertificateFiles & { readonly serverName: string })[];
  readonly clientCertificates: 'off' | 'optional' | 'required';
  /** PEM file of those who may have issued a client's certificate. Absent: only fingerprints decide. */
  readonly authorities?: string;
  /** Common names or alternative names, one of which a client's certificate must have. Absent: any. */
  readonly allowedSubjects?: readonly string[];
  /** SHA-256 in hex, one of which a client's certificate must have. Absent: any. */
  readonly allowedFingerprints?: readonly string[];
  readonly minVersion?: TlsVersion;
}

/** A header that proxies put in front of each connection, to say whose it is. */
export interface ProxyProtocol {
  /** Addresses and networks whose header is believed; others are turned away. */
  readonly trustedProxies: readonly string[];
}

/** How a sender speaks TLS. The partner's certificate is always verified. */
export interface SenderTls {
  /** PEM file of those who may have issued the partner's certificate. Absent: the authorities that Node trusts. */
  readonly authorities?: string;
  /** What we show, where the partner asks for it. */
  readonly identity?: CertificateFiles;
  /** The name asked for and expected in the partner's certificate. Absent: the host. */
  readonly serverName?: string;
  readonly minVersion?: TlsVersion;
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
  /** How many deliveries at a time; 1 where the whole queue is in order. */
  readonly concurrency: number;
  /** Absent: `queue` where there is one delivery at a time, else `none`. */
  readonly order?: MessageOrder;
  /** What follows for the messages behind one that is given up; absent: `skip`. */
  readonly onFailure?: FailurePolicy;
  /** Absent, as a whole or in part: {@link defaultRetry}. */
  readonly retry?: Partial<RetrySettings>;
  /** So many failures of the connection in a row open the circuit breaker; 0: never. Absent: 3. */
  readonly breakerFailures?: number;
}

/**
 * How often, and after how long, a sender tries again. The n-th repetition follows after a random time between 0
 * and `firstDelayMs` times `factor` to the power of n - 1, but at most `maxDelayMs`.
 */
export interface RetrySettings {
  readonly firstDelayMs: number;
  readonly factor: number;
  readonly maxDelayMs: number;
  /** A message that fails is given up when it has been Hilum's for longer. Absent: tried for as long as it takes. */
  readonly maxAgeMs?: number;
  /** Absent: no bound. */
  readonly maxTransientAttempts?: number;
  /** After a timeout the partner may have it: asked again a bounded number of times, as HL7 senders do. */
  readonly maxAmbiguousAttempts: number;
}

export const defaultRetry: RetrySettings = {
  firstDelayMs: 1_000,
  factor: 2,
  maxDelayMs: 60_000,
  maxAmbiguousAttempts: 10,
};

export const defaultBreakerFailures = 3;

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
  /** Absent: plain TCP. */
  readonly tls?: SenderTls;
  /** Whether a connection is kept for the next message. Absent: kept. */
  readonly connections?: 'kept' | 'one-per-message';
  /** Absent: as `timeoutMs`, at most 10 s. */
  readonly connectTimeoutMs?: number;
  /** Absent: release 1. */
  readonly commit?: CommitMode;
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
  /** Where an edge hears what came of messages whose senders wait. */
  replies: (edge: string): string => `reply.${edge}`,
  subscription: (nodeId: string): string => `sub.${nodeId}`,
  event: (topic: string): string => `event.${topic}`,
} as const;
