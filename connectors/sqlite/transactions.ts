import type { PruneRequest, PruneResult } from '../../core/ports/retention.ts';
import { Contents } from './contents.ts';
import { Refusal } from './database.ts';
import type { Database } from './database.ts';
import { Journal } from './journal.ts';
import { LedgerStore } from './ledger-store.ts';
import { prune } from './pruning.ts';
import { Queues } from './queues.ts';
import type { Effect } from './queues.ts';
import { UndoLog } from './undo-log.ts';

/** With how much the tables may be behind the journal: whoever comes during a write-back waits for it. */
const maxBehind = { messages: 512, rows: 4_096, bytes: 4 * 1024 * 1024 };

/**
 * Queues and ledger of one file, and its transactions: what they change in the file and in memory is there as a whole
 * or not at all.
 */
export class Transactions {
  readonly queues: Queues;
  readonly ledger: LedgerStore;
  readonly database: Database;
  readonly #journal: Journal;
  readonly #contents: Contents;
  /** The row of the journal that came first after the last write-back. */
  #youngFrom = 0;
  /** Of queues and bodies; the ledger makes its memory anew. */
  readonly #undo = new UndoLog();

  /** Takes up what the last owner left. `wake`: a transaction is needed soon, for a delivery. */
  constructor(database: Database, wake: () => void) {
    this.database = database;
    this.#journal = new Journal(database);
    this.#contents = new Contents(database, this.#undo);
    const [journal, contents, undo] = [this.#journal, this.#contents, this.#undo];
    const stores = { database, journal, contents, undo };
    this.ledger = new LedgerStore(stores);
    this.queues = new Queues(stores, { wake, stateOf: (id) => this.ledger.stateOf(id) });
    const left = [...journal.read()];
    this.ledger.load(left);
    this.queues.load(left);
  }

  /** The tables have not everything. */
  get isBehind(): boolean {
    return !this.#journal.isEmpty;
  }

  /** A write-back should not wait any longer. */
  get isFarBehind(): boolean {
    return (
      this.ledger.changed >= maxBehind.messages ||
      this.queues.rows.changes >= maxBehind.rows ||
      this.#contents.bytes + this.ledger.bytes >= maxBehind.bytes
    );
  }

  /**
   * Runs `work` as one transaction, flushed to the disk when this returns; where it writes nothing, and no mark waits
   * to be moved, it needs none. Throws what it throws, with nothing changed.
   */
  commit(work: () => void, { isWriting }: { readonly isWriting: boolean }): void {
    let moved: Effect = () => undefined;
    const whole = (): void => {
      work();
      moved = this.queues.moveMarks();
      this.ledger.flush();
      this.#journal.flush();
    };
    try {
      if (isWriting || this.queues.needsMarks) this.database.transact(whole);
      else whole();
    } catch (error) {
      this.#rollBack();
      throw error;
    }
    this.#undo.forget();
    this.#journal.committed();
    this.ledger.committed();
    moved();
  }

  /**
   * Moves what the journal has to the tables; but for `everything`, messages that came since the last call and are
   * still under way stay where they are: most will have ended by the next. Throws where it fails: the journal keeps
   * all of it.
   */
  writeBack(what: 'ended' | 'everything'): void {
    const youngFrom = what === 'everything' ? Infinity : this.#youngFrom;
    let needed = Infinity;
    try {
      this.database.beyondLimit(() =>
        // Without a flush: the journal is durable, and so is this with the next transaction.
        this.database.transactUnflushed(() => {
          const ofMessages = this.ledger.writeBack(youngFrom);
          needed = Math.min(ofMessages, this.queues.rows.writeBack(youngFrom), this.#journal.row);
          this.#contents.deleteUnused();
          this.#journal.clearBefore(needed);
        }),
      );
    } catch (error) {
      this.#rollBack();
      throw error;
    }
    this.#undo.forget();
    this.ledger.written();
    this.queues.rows.written();
    this.#contents.forgetAllBut([
      ...this.ledger.carriedContents(),
      ...this.queues.rows.carriedContents(),
    ]);
    this.#journal.clearedBefore(needed);
    this.#youngFrom = this.#journal.row;
  }

  /**
   * A step of pruning, after the write-back that it asks for. One that finds the tables behind all the same would not
   * see what waits, and is refused.
   */
  prune(request: PruneRequest): PruneResult {
    if (this.isBehind) {
      throw new Refusal({
        errorClass: 'transient',
        code: 'ledger-unavailable',
        message:
          'Tables that are up to date were expected, and they could not be written; try again.',
      });
    }
    return prune(this.database, request, (ids) => this.ledger.forget(ids));
  }

  #rollBack(): void {
    this.#undo.undo();
    this.#journal.rolledBack();
    this.ledger.rolledBack();
    // What the ledger took from the journal again was there before.
    this.#undo.forget();
  }
}
