import type { PackedEvent } from '../../core/ledger/packed-event.ts';
import type { Standing } from '../../core/ledger/standing.ts';
import type { Content } from './contents.ts';
import type { Header } from './journal.ts';

/** A message as the ledger remembers it while events of it keep coming. */
export interface Known extends Standing {
  /** Of its row in the file; undefined before it has one. */
  number: number | undefined;
  interface: string;
  /** False while only events of it are known. */
  received: boolean;
  /** The message itself, while the file has it not. */
  arrived: Arrived | undefined;
  /** Events that the file has not. */
  events: PackedEvent[];
  /** What nodes made of its payload, where the file has not that. */
  changes: string | undefined;
  /** Those of `waits` that the file has. */
  readonly writtenWaits: Set<string>;
  /** The first row of the journal with something of it that the file has not. */
  journalRow: number;
}

/** A message with all but its bytes, which are stored. */
export interface Arrived {
  readonly header: Header;
  readonly content: Content;
  readonly digest: string | undefined;
}
