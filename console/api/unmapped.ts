import type { TableRow } from '../../core/held-code.ts';
import type { Mandate } from './administration.ts';

/**
 * `GET /api/mapping/unmapped`: a code that is in no table, and for which messages are held. `code`, `system` and `display`
 * quote the messages: on the page they are only there where the code looks like one, since free text may be about a patient.
 */
export interface UnmappedView {
  /** The same for the same code of the same table, map and interface. */
  readonly id: string;
  readonly interface: string;
  /** The interface's name for people, where it is known. */
  readonly interfaceLabel?: string;
  /** The maps and rules, `PID.Patient#PID-8.gender`, or the nodes that ask the table. */
  readonly rules: readonly string[];
  readonly table: string;
  readonly system?: string;
  readonly code?: string;
  readonly display?: string;
  /** True: it is a code of FHIR, and the table has none that becomes it. */
  readonly isTarget: boolean;
  /** Where it stands in the messages: `OBX-3`. */
  readonly sources: readonly string[];
  /** Messages that have it, each the first of its key. */
  readonly messages: number;
  /** With those that wait behind them; absent where there are too many to count. */
  readonly waiting?: number;
  /** ISO 8601 instants: when the first and the last of them was set aside. */
  readonly firstAt: string;
  readonly lastAt: string;
  /** The ids of the first of them. */
  readonly examples: readonly string[];
  /** It is mapped by what is deployed: its messages go on, some at a time. */
  readonly isMapped: boolean;
  /** What somebody has decided about them and is not carried out yet. */
  readonly decided?: UnmappedDecided;
  /** Since when those that went on are not through: their flow takes none. ISO 8601 instant. */
  readonly silentSince?: string;
  /** Where to add it; absent where there is no such table, or it is no code that may be shown. */
  readonly add?: TableRow;
}

/** What somebody decides about the messages that wait for a code: `again` tries them as they are, `skip` gives them up. */
export type UnmappedDecision = 'again' | 'skip';

/** A decision that is being carried out, over restarts too. */
interface UnmappedDecided {
  readonly decision: UnmappedDecision;
  readonly by: string;
  readonly reason?: string;
  /** ISO 8601 instant: it is about the messages that were held by then. */
  readonly at: string;
  /** How many of them have not had their turn. */
  readonly left: number;
}

/** Figures about held messages: names of interfaces and of published code systems, nothing else of a message. */
export interface HeldFigures {
  /**
   * How many are held now, each by the system of the first of its codes: its URI, of so many systems; `local`: a name of
   * the site; `none`: no system is given; `other`. Absent: it is not known now.
   */
  readonly held?: readonly {
    readonly interface: string;
    readonly system: string;
    readonly messages: number;
  }[];
  /** ISO 8601 instants of the first setting aside. */
  readonly oldest?: readonly { readonly interface: string; readonly at: string }[];
  /** How many went on since their codes are mapped or somebody said so, or were given up, since this process began. */
  readonly released: readonly {
    readonly interface: string;
    readonly how: 'mapped' | UnmappedDecision;
    readonly count: number;
  }[];
  /** How many of these were held again. */
  readonly returned: readonly { readonly interface: string; readonly count: number }[];
  /** How many a broker that was away had kept out of their queue. */
  readonly putBack: number;
}

/** The codes for which messages are held. The runtime implements it. */
export interface UnmappedCodes {
  /** Those first that are waited for longest, so many; default all. */
  list(limit?: number): Promise<readonly UnmappedView[]>;
  /** Resolves soon, however many are held. Never rejects. */
  figures(): Promise<HeldFigures>;
  /**
   * Carries it out for all messages that wait for the code now, some at a time, and goes on with that after a restart;
   * resolves with how many there are when it is durable. Rejects
   * with HilumError `unmapped-unknown` (permanent) where no message waits for it.
   */
  decide(id: string, decision: UnmappedDecision, mandate: Mandate): Promise<number>;
}
