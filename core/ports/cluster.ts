import type { ProfileCopy } from '../hl7v2/profile/profile.ts';
import type { FlowNode } from '../interface.ts';
import type { MappingFile } from '../mapping/mapper.ts';

/** Everything that one deploy consists of. Never changed once it is there. */
export interface Revision extends RevisionSummary {
  readonly content: RevisionContent;
}

export interface RevisionContent {
  readonly flows: readonly FlowNode[];
  /** Of the flows' nodes, encrypted. */
  readonly credentials: object;
  readonly mappings: readonly MappingFile[];
  /** Those that the flows name. Absent in revisions of builds that left them to each role's own files. */
  readonly profiles?: readonly ProfileCopy[];
}

export interface RevisionSummary {
  /** 1 and up, without gaps in their order. */
  readonly number: number;
  /** ISO 8601 instant. */
  readonly at: string;
  readonly by: string;
  /** What it changed: a line, and more after an empty one. */
  readonly message: string;
}

/** One installation's role on some machine, as it last told of itself. */
export interface Member {
  /** Unique for each start. */
  readonly id: string;
  /** `edge`, `worker`, `console`. */
  readonly role: string;
  readonly group?: string;
  readonly host: string;
  /** The revision that it runs. */
  readonly revision: number;
  /** What it says of itself, as JSON. */
  readonly report: unknown;
}

/** What one member tells all others; whoever is not connected at that moment does not hear it. */
export type Notice =
  /** There is another revision. */
  | { readonly type: 'revision' }
  /** A kept text is another now. */
  | { readonly type: 'kept'; readonly name: string }
  /** For whoever it concerns, as JSON. */
  | { readonly type: 'message'; readonly message: unknown }
  /** Notices may have been missed: look again at everything. */
  | { readonly type: 'missed' };

/**
 * What the roles of one installation share when each runs in a container of its own: what is deployed, who is there, and
 * what one tells the others. Everything rejects with HilumError `ledger-unavailable` (transient) while it cannot be
 * reached, and is tried again by whoever asks.
 */
export interface Cluster {
  /** The newest revision; undefined: nothing was deployed yet. */
  latest(): Promise<Revision | undefined>;
  read(number: number): Promise<Revision | undefined>;
  /** The newest first. */
  list(limit: number): Promise<readonly RevisionSummary[]>;
  /**
   * Makes it the newest, where `after` still is (0: there is none yet); all are told. Rejects with `revision-outdated`
   * (permanent) where somebody else has deployed meanwhile.
   */
  add(
    revision: Pick<Revision, 'by' | 'message' | 'content'>,
    after: number,
  ): Promise<RevisionSummary>;

  /** A member is there, and how it does; to be repeated. */
  report(member: Member): Promise<void>;
  /** A member has ended as it should. */
  leave(id: string): Promise<void>;
  /** Those that have reported within so many milliseconds, in the order of their ids. */
  members(withinMs: number): Promise<readonly Member[]>;

  /** A text that all share, by name. */
  readKept(name: string): Promise<string | undefined>;
  /** All are told. */
  writeKept(name: string, text: string): Promise<void>;

  /** Tells all that are connected, this one too. */
  tell(message: unknown): Promise<void>;
  /** Called for every notice, until the cluster is closed. */
  listen(listener: (notice: Notice) => void): void;
  close(): Promise<void>;
}
