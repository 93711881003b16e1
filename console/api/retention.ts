import type { StorageFigures } from '../../core/ports/retention.ts';

/** How long the messages of an interface are kept, in days; null: for ever. */
export interface RetentionPolicyView {
  readonly interface?: string;
  readonly interfaceLabel?: string;
  readonly days: number | null;
  readonly deadDays: number | null;
}

/** One run through the ledger. */
export interface RetentionRunView {
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly removed: number;
  /** Of the bodies that went. */
  readonly bytes: number;
  /** Old enough, and kept since something still waits. */
  readonly kept: number;
  /** What the disk got back. */
  readonly givenBackBytes: number;
  /** Received before this instant went although its days were not over: the file had its greatest size. */
  readonly earlyBefore?: string;
  /** Why it ended before its end. */
  readonly failed?: string;
}

/** `GET /api/retention`. */
export interface RetentionView {
  readonly policies: readonly RetentionPolicyView[];
  /** null: none. */
  readonly maxFileBytes: number | null;
  readonly storage: StorageFigures;
  readonly running?: RetentionRunView;
  readonly last?: RetentionRunView;
}

/** What would go now. */
export interface RetentionDryRunView {
  readonly messages: number;
  readonly bytes: number;
  readonly kept: number;
}

/** The retention of the running engine, handed in by the runtime. */
export interface RetentionControl {
  view(): Promise<RetentionView>;
  dryRun(): Promise<RetentionDryRunView>;
  /** Runs now, or joins the run that is under way; resolves at its end. */
  run(by: string): Promise<RetentionRunView>;
}
