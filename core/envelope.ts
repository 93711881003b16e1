/** What a message is before anything is known about its content: its identity and its bytes. */
export interface Envelope {
  /** Ours, unique, never reused: what the ledger, the queues and the logs call this message. */
  readonly id: string;
  /** The interface (flow) that the message belongs to: the id of its flow tab. */
  readonly interface: string;
  /** Media type of `body`: see {@link contentTypes}. */
  readonly contentType: string;
  /** MSH-9 as received (`ORU^R01^ORU_R01`), or the FHIR resource type. */
  readonly messageType?: string;
  /** MSH-10 as the sender wrote it; not unique. */
  readonly controlId?: string;
  /** Messages with one key keep their order: by default the patient, PID-3.1. */
  readonly key?: string;
  /** The id of the message that came in first; everything that followed from it shares this. */
  readonly correlationId: string;
  /** The id of the message that this one was made from; absent on what a partner sent. */
  readonly causationId?: string;
  /** When Hilum first held it; ISO 8601 instant, UTC. */
  readonly receivedAt: string;
  /** 1 on the first delivery, one more with every retry. */
  readonly attempt: number;
  /** What the body is written in where a setting knows better than its own MSH-18; named as in table 0211. */
  readonly charset?: string;
  /**
   * The queue where somebody waits for what becomes of it: its sender's connection is kept open for that. Only on
   * what came in; what is made from it has none.
   */
  readonly replyTo?: string;
  /** Where roles run apart, the revision of flows and profiles by which it was taken: no older one is to work on it. */
  readonly revision?: number;
  /** Exactly the bytes that came in or that are to go out. */
  readonly body: Uint8Array;
}

/** Everything of an envelope but its bytes: what travels beside the payload in a flow. */
export type EnvelopeHeader = Omit<Envelope, 'body'>;

/** The media types that Hilum's own rooms produce. */
export const contentTypes = {
  hl7v2: 'application/hl7-v2',
  fhirJson: 'application/fhir+json',
  json: 'application/json',
  text: 'text/plain',
  binary: 'application/octet-stream',
} as const;
