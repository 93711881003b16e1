/**
 * Which messages an interface takes by their header. A list that is absent or empty takes everything. An
 * entry without `^` is about the first component, one with `^` about the whole field; `*` stands for any
 * text. Entries are written with the usual delimiters, whatever those of the messages are.
 */
export interface AcceptanceRules {
  /** MSH-3: `LAB`, `LAB*`, or all of it, `LAB^1.2.3^ISO`. */
  readonly sendingApplications?: readonly string[];
  /** MSH-4. */
  readonly sendingFacilities?: readonly string[];
  /** MSH-5. */
  readonly receivingApplications?: readonly string[];
  /** MSH-6. */
  readonly receivingFacilities?: readonly string[];
  /** MSH-9: `ORU`, or with event and structure, `ORU^R01`, `ADT^*`, `ADT^A04^ADT_A01`. */
  readonly messageTypes?: readonly string[];
  /** MSH-11: `P`, or with its processing mode, `P^T`; `P^` is P with none. */
  readonly processingIds?: readonly string[];
  /** MSH-12: `2.5.1`, `2.5*`. */
  readonly versions?: readonly string[];
}

/**
 * Who says how a message is acknowledged: the message itself by MSH-15 and MSH-16 (both empty: original
 * mode), or the interface, for partners that fill them without meaning it. In `enhanced` an empty MSH-15
 * stands for AL.
 */
export type AcknowledgmentMode = 'by-message' | 'original' | 'enhanced' | 'never';

/**
 * Who gives the application acknowledgment of an accepted message in enhanced mode: `receiver` at once, as
 * in original mode, or `flow` when it has something to say.
 */
export type ApplicationAcknowledgment = 'receiver' | 'flow';

/** What follows a refusal: the message is given up at once, or sent again as often as failures are. */
export type RefusalPolicy = 'dead-letter' | 'retry';

/** How a sender takes its partner's acknowledgments. */
export interface AnswerPolicy {
  /** AE and CE: something in the message is wrong. */
  readonly onError: RefusalPolicy;
  /** AR and CR: this message or any other, such as under load; the standard lets the sender repeat it. */
  readonly onReject: RefusalPolicy;
  /** Which acknowledgment ends a delivery in enhanced mode: CA, or the application's behind it. */
  readonly awaits: 'accept' | 'application';
}
