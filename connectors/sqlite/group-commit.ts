import type { Logger } from '../../core/ports/logger.ts';
import { isFull, Refusal, toFailure } from './database.ts';
import type { Database } from './database.ts';
import { needsWriteBack } from './ledger-questions.ts';
import type { LedgerStore } from './ledger-store.ts';
import type { Failure, Request } from './protocol.ts';
import type { Receiver } from './queue-state.ts';
import type { Effect, Queues } from './queues.ts';
import {
  apartKinds,
  applyRequest,
  growingKinds,
  unavailableCode,
  writingKinds,
} from './requests.ts';
import { StorageWatch } from './storage-watch.ts';
import { Transactions } from './transactions.ts';

/** A client as the group commit sees it: where answers go. Nothing is sent before `flush`. */
export interface Requester extends Receiver {
  done(id: number): void;
  value(id: number, value: unknown): void;
  fail(id: number, failure: Failure): void;
  /** Sends what has gathered. */
  flush(): void;
}

interface Submitted {
  readonly requester: Requester;
  readonly request: Request;
}

interface Answerable {
  readonly submitted: Submitted;
  readonly effect: Effect;
}

/**
 * Carries out what clients ask for, all that has arrived as one transaction: one flush of the disk serves
 * them all. Answers and deliveries leave after the commit.
 */
export class GroupCommit {
  readonly #database: Database;
  readonly #queues: Queues;
  readonly #ledger: LedgerStore;
  readonly #transactions: Transactions;
  readonly #logger: Logger;
  readonly #storage: StorageWatch;
  readonly #onWritten: () => void;
  readonly #requesters = new Set<Requester>();
  #submitted: Submitted[] = [];
  #leaving: Requester[] = [];
  #armed = false;
  /** The file refuses transactions: what waits for one by itself tries again slowly. */
  #failing = false;
  #retryTimer: NodeJS.Timeout | undefined;
  /** While the tables are behind the journal. */
  #writeBackTimer: NodeJS.Timeout | undefined;
  #writeBackDue = false;
  /** The last write-back failed. */
  #isStuck = false;
  #closed = false;

  constructor(
    database: Database,
    {
      logger,
      onStorage = () => undefined,
      onWritten = () => undefined,
    }: {
      readonly logger: Logger;
      /** Why nothing can be written to the file, undefined when it can again. */
      readonly onStorage?: (reason: string | undefined) => void;
      /** The tables were written, and no transaction is under way. */
      readonly onWritten?: () => void;
    },
  ) {
    this.#database = database;
    this.#onWritten = onWritten;
    this.#logger = logger;
    this.#storage = new StorageWatch(database, onStorage);
    this.#transactions = new Transactions(database, () => {
      if (this.#failing) this.#armLater();
      else this.#arm();
    });
    this.#ledger = this.#transactions.ledger;
    this.#queues = this.#transactions.queues;
    // Where it cannot be done now, such as on a full disk, it is done later.
    this.#writeBack('everything');
  }

  join(requester: Requester): void {
    this.#requesters.add(requester);
  }

  submit(requester: Requester, requests: readonly Request[]): void {
    for (const request of requests) this.#submitted.push({ requester, request });
    this.#arm();
  }

  /** A requester is gone: what it holds goes to others. Requests of its that have arrived are still done. */
  leave(requester: Requester): void {
    // After the commit of what it has sent: a settlement that arrived still counts.
    this.#leaving.push(requester);
    this.#arm();
  }

  /** A requester that could not take more can again. */
  resume(requester: Requester): void {
    this.#queues.resume(requester);
    this.#arm();
  }

  /** Commits what has arrived. The database stays open. */
  close(): void {
    this.#commit();
    this.#writeBack('everything');
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#writeBackTimer);
    this.#queues.close();
    this.#storage.close();
  }

  #armLater(): void {
    if (this.#closed) return;
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.#arm();
    }, retryMs);
  }

  #arm(): void {
    if (this.#armed || this.#closed) return;
    this.#armed = true;
    setImmediate(() => {
      this.#armed = false;
      if (!this.#closed) this.#commit();
    });
  }

  #commit(): void {
    const batch = this.#submitted;
    this.#submitted = [];
    const failure = this.#attempt(batch);
    this.#failing = failure !== undefined;
    if (failure !== undefined) this.#commitSingly(batch, failure);
    for (const requester of this.#leaving.splice(0)) {
      this.#requesters.delete(requester);
      this.#queues.leave(requester);
    }
    const [unreadable, ...others] = this.#database.reading(() => this.#queues.dispatch());
    if (unreadable !== undefined) {
      const { code, message } = toFailure(unreadable, 'broker-unavailable');
      this.#logger.error(
        { code, message, queues: 1 + others.length },
        'Queues could not be read; trying again',
      );
      this.#armLater();
    }
    for (const requester of this.#requesters) requester.flush();
    // Nobody waits for it.
    if (this.#isWriteBackDue()) this.#writeBack('ended');
    if (this.#transactions.isBehind) this.#writeBackLater();
  }

  /** One transaction for all of them; an error where nothing of it was stored. */
  #attempt(batch: readonly Submitted[]): { readonly error: unknown } | undefined {
    const effects: Answerable[] = [];
    const refused: { readonly submitted: Submitted; readonly refusal: Refusal }[] = [];
    const work = (): void => {
      for (const submitted of batch) {
        try {
          effects.push({ submitted, effect: this.#apply(submitted) });
        } catch (error) {
          // Nothing was written for it: its neighbours go on.
          if (!(error instanceof Refusal)) throw error;
          refused.push({ submitted, refusal: error });
        }
      }
    };
    const isWriting = batch.some(({ request }) => writingKinds.has(request[1]));
    try {
      this.#transactions.commit(work, { isWriting });
    } catch (error) {
      this.#storage.failed(error);
      return { error };
    }
    if (batch.some(({ request }) => needsWriteBack(request, this.#ledger))) {
      this.#writeBack('everything');
    }
    const isApart = ({ submitted }: Answerable): boolean => apartKinds.has(submitted.request[1]);
    this.#database.reading(() => {
      for (const each of effects) if (!isApart(each)) this.#answer(each.submitted, each.effect);
    });
    for (const each of effects.filter(isApart)) {
      this.#answer(each.submitted, each.effect);
      this.#onWritten();
    }
    for (const { submitted, refusal } of refused) {
      submitted.requester.fail(submitted.request[0], refusal.failure);
    }
    return undefined;
  }

  #isWriteBackDue(): boolean {
    const isDue = this.#writeBackDue || this.#transactions.isFarBehind;
    this.#writeBackDue = false;
    return isDue && !this.#failing;
  }

  /** Where the tables cannot be written the journal keeps what they lack, and it is tried again later. */
  #writeBack(what: 'ended' | 'everything'): void {
    if (!this.#transactions.isBehind) return;
    try {
      this.#transactions.writeBack(what);
    } catch (error) {
      this.#storage.failed(error);
      const { code, message } = toFailure(error, 'ledger-unavailable');
      // Once for as long as it lasts.
      if (!this.#isStuck) {
        this.#logger.warn({ code, message }, 'The tables could not be written; trying again');
      }
      this.#isStuck = true;
      this.#writeBackLater();
      return;
    }
    this.#isStuck = false;
    this.#onWritten();
  }

  /**
   * Finds out whose fault it was: those that can be stored are, each in a transaction of its own. What
   * writes nothing needs none: a full disk must not keep a consumer from stopping or giving back.
   */
  #commitSingly(batch: readonly Submitted[], failure: { readonly error: unknown }): void {
    this.#logger.warn(
      { code: toFailure(failure.error, 'broker-unavailable').code, requests: batch.length },
      'A transaction was undone; its requests are tried one by one',
    );
    if (isFull(failure.error)) {
      // It gives back the room of what has come and gone.
      this.#writeBack('everything');
      this.#database.restartLog();
    }
    let full: unknown;
    for (const submitted of batch) {
      const [id, kind] = submitted.request;
      if (!writingKinds.has(kind)) {
        this.#answer(submitted, () => this.#apply(submitted)());
        continue;
      }
      // Where one found no room the next does not try; what makes room still does.
      const isGrowing = growingKinds.has(kind);
      const attempt = () => this.#attempt([submitted]);
      const own =
        full !== undefined && isGrowing
          ? { error: full }
          : isGrowing
            ? attempt()
            : this.#database.beyondLimit(attempt);
      if (own === undefined) {
        this.#failing = false;
        continue;
      }
      if (isFull(own.error)) full = own.error;
      submitted.requester.fail(id, toFailure(own.error, unavailableCode(kind)));
    }
  }

  #writeBackLater(): void {
    this.#writeBackTimer ??= setTimeout(() => {
      this.#writeBackTimer = undefined;
      this.#writeBackDue = true;
      this.#arm();
    }, writeBackMs);
  }

  #apply({ requester, request }: Submitted): Effect {
    return applyRequest(this.#transactions, requester, request);
  }

  #answer({ requester, request }: Submitted, effect: Effect): void {
    const [id, kind] = request;
    try {
      const value = effect();
      if (value === undefined) requester.done(id);
      else requester.value(id, value);
    } catch (error) {
      requester.fail(id, toFailure(error, unavailableCode(kind)));
    }
  }
}

/** How long the tables may be behind the journal. */
const writeBackMs = 250;

/** How long a delivery waits that failed because the file could not be read or written. */
const retryMs = 500;
