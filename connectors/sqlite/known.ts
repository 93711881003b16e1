import type { Content } from './contents.ts';
import type { Header } from './journal.ts';
import type { PackedEvent } from './ledger-rows.ts';

/** A message as the ledger remembers it while events of it keep coming. */
export interface Known {
  /** Of its row in the file; undefined before it has one. */
  number: number | undefined;
  readonly id: string;
  interface: string;
  state: number;
  stateAt: string;
  stateRank: number;
  lastEventAt: string;
  /** False while only events of it are known. */
  received: boolean;
  /** Nothing has ended its waiting yet, for certain. */
  open: boolean;
  /** The message itself, while the file has it not. */
  arrived: Arrived | undefined;
  /** Events that the file has not. */
  events: PackedEvent[];
  /** What nodes made of its payload, where the file has not that. */
  changes: string | undefined;
  /** The queues that it waits in, and since when. */
  readonly waits: Map<string, string>;
  /** Those of them that the file has. */
  readonly writtenWaits: Set<string>;
  /** By the queues in which it is set aside. */
  readonly parkings: Map<string, Parking>;
  /** They are not what the file has. */
  hasNewParkings: boolean;
  /** The first row of the journal with something of it that the file has not. */
  journalRow: number;
}

/** A message with all but its bytes, which are stored. */
export interface Arrived {
  readonly header: Header;
  readonly content: Content;
  readonly digest: string | undefined;
}

export interface Parking {
  /** Of its event: the order of parking. */
  readonly number: number;
  readonly key: string;
  readonly since: string;
  /** It was given up and waits for a decision. */
  isStopped: boolean;
}
