import type { Ledger } from '../../../core/ports/ledger.ts';

/** A real ledger under test. One is opened for every test; it may be a shared one, rows and all. */
export interface LedgerFixture {
  readonly ledger: Ledger;
  /** A second client of the same ledger, closed by the fixture's `close`. */
  reopen(): Promise<Ledger>;
  /** Kills the server without warning (kill -9) and starts it on the same data; resolves when it is up. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** What each part of the suite works with: opened anew for every test. */
export interface LedgerTest {
  current(): { readonly fixture: LedgerFixture; readonly ledger: Ledger };
}
