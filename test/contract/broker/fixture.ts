import type { Issue } from '../../../core/issue.ts';
import type { Broker } from '../../../core/ports/broker.ts';

/** A real broker under test, with the faults that its promises speak of. One is opened for every test. */
export interface BrokerFixture {
  /** The first client. */
  readonly broker: Broker;
  /** A second client of the same broker, closed by the fixture's `close`. */
  reopen(): Promise<Broker>;
  /** Cuts the first client's connection under it; it may connect again at once. */
  cut(): Promise<void>;
  /** Kills the server without warning (kill -9) and starts it on the same data; resolves when it is up. */
  restart(): Promise<void>;
  /**
   * Makes the broker refuse to store while connections stay (a full disk, an alarm), until what it resolves
   * with is called; where that can be provoked.
   */
  refuseToStore?(): Promise<() => Promise<void>>;
  /** The dead letters of a queue with their reasons, oldest first, where they can be looked at. */
  deadLetters?(
    queue: string,
  ): Promise<readonly { readonly id: string; readonly issues: readonly Issue[] }[]>;
  /** The messages of these ids whose entries the ledger has. */
  recorded(ids: readonly string[]): Promise<readonly string[]>;
  /**
   * What its clients have warned of so far: where a confirmation came late, the message is published or moved again, and
   * a copy may lie beside it. Absent: a broker that makes no copies.
   */
  warnings?(): number;
  /** Closes both clients and ends what was started. */
  close(): Promise<void>;
}

/** What each part of the suite works with: opened anew for every test, with a queue of its own. */
export interface BrokerTest {
  current(): { readonly fixture: BrokerFixture; readonly broker: Broker; readonly queue: string };
}
