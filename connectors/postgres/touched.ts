import type { EnvelopeHeader } from '../../core/envelope.ts';
import type { PackedEvent } from '../../core/ledger/packed-event.ts';
import type { Standing } from '../../core/ledger/standing.ts';

/** A message as the transaction under way has it, from its rows and what is appended. */
export interface Touched extends Standing {
  /** `''` while only events of it are known. */
  interface: string;
  /** Of the interface, in its row; undefined before it has one. */
  readonly interfaceNumber: number | undefined;
  /** It has no row yet. */
  readonly isNew: boolean;
  /** The message itself is known. */
  received: boolean;
  receivedMs: number | undefined;
  arrival: number;
  /** The message, where this transaction brings it. */
  arrived: Arrived | undefined;
  events: PackedEvent[];
  changes: string | undefined;
  /** What its rows in `waiting` say. */
  readonly waitsBefore: ReadonlyMap<string, string>;
  /** Of a message that was there before: for whom it is set aside. */
  readonly key: string | undefined;
  /** Of a message that something ended before: the queues whose events did, undefined for one that named none. */
  readonly closedBefore: readonly (string | undefined)[];
}

export interface Arrived {
  readonly header: EnvelopeHeader & { readonly replyTo?: string };
  readonly body: Uint8Array;
  readonly digest: string | undefined;
}
