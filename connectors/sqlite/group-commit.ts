import type { Logger } from '../../core/ports/logger.ts';
import type { PruneRequest, PruneResult } from '../../core/ports/retention.ts';
import { Contents } from './contents.ts';
import { isFull, Refusal, toFailure } from './database.ts';
import type { Database } from './database.ts';
import { Journal } from './journal.ts';
import { checkEntry } from './ledger-entry.ts';
import { answerQuestion, isLedgerKind, needsWriteBack } from './ledger-questions.ts';
import { LedgerStore } from './ledger-store.ts';
import type { Failure, Request } from './protocol.ts';
import { giveBack, prune, readStorage } from './pruning.ts';
import type { Lease, Receiver } from './queue-state.ts';
import { Queues } from './queues.ts';
import type { Effect } from './queues.ts';
import { StorageWatch } from './storage-watch.ts';
import { UndoLog } from './undo-log.ts';

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

/**
 * Carries out what clients ask for, all that has arrived as one transaction: one flush of the disk serves
 * them all. Answers and deliveries leave after the commit.
 */
export class GroupCommit {
  readonly #database: Database;
  readonly #queues: Queues;
  readonly #ledger: LedgerStore;
  readonly #journal: Journal;
  readonly #contents: Contents;
  /** Of queues and bodies; the ledger makes its memory anew. */
  readonly #undo = new UndoLog();
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
  #closed = false;

  /**
   * `onWritten`: the tables were written, and no transaction is under way. `onStorage`: why nothing can be written to
   * the file, undefined when it can again.
   */
  constructor(
    database: Database,
    logger: Logger,
    onWritten: () => void = () => undefined,
    onStorage: (reason: string | undefined) => void = () => undefined,
  ) {
    this.#database = database;
    this.#storage = new StorageWatch(database, onStorage);
    this.#onWritten = onWritten;
    this.#logger = logger;
    this.#journal = new Journal(database);
    this.#contents = new Contents(database, this.#undo);
    const stores = {
      database,
      journal: this.#journal,
      contents: this.#contents,
      undo: this.#undo,
    };
    this.#ledger = new LedgerStore(stores);
    this.#queues = new Queues(stores, {
      wake: () => {
        if (this.#failing) this.#armLater();
        else this.#arm();
      },
      stateOf: (id) => this.#ledger.stateOf(id),
    });
    const left = [...this.#journal.read()];
    this.#ledger.load(left);
    this.#queues.load(left);
    // Where it cannot be done now, such as on a full disk, it is done later.
    this.#writeBack();
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
    this.#writeBack();
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
    const [unreadable, ...others] = this.#queues.dispatch();
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
    if (this.#isWriteBackDue()) this.#writeBack();
    else if (!this.#journal.isEmpty) this.#writeBackLater();
  }

  /** One transaction for all of them; an error where nothing of it was stored. */
  #attempt(batch: readonly Submitted[]): { readonly error: unknown } | undefined {
    const effects: { readonly submitted: Submitted; readonly effect: Effect }[] = [];
    let moved: Effect = () => undefined;
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
      moved = this.#queues.moveMarks();
      this.#journal.flush();
    };
    const isWriting = batch.some(({ request }) => writingKinds.has(request[1]));
    try {
      if (isWriting || this.#queues.needsMarks) this.#database.transact(work);
      else work();
    } catch (error) {
      this.#rollBack();
      this.#storage.failed(error);
      return { error };
    }
    this.#undo.forget();
    this.#journal.committed();
    this.#ledger.committed();
    moved();
    if (batch.some(({ request }) => needsWriteBack(request[1], this.#ledger))) this.#writeBack();
    for (const { submitted, effect } of effects) this.#answer(submitted, effect);
    for (const { submitted, refusal } of refused) {
      submitted.requester.fail(submitted.request[0], refusal.failure);
    }
    return undefined;
  }

  #rollBack(): void {
    this.#undo.undo();
    this.#journal.rolledBack();
    this.#ledger.rolledBack();
    // What the ledger took from the journal again was there before.
    this.#undo.forget();
  }

  #isWriteBackDue(): boolean {
    const isDue =
      this.#writeBackDue ||
      this.#ledger.changed >= maxBehind.messages ||
      this.#queues.rows.changes >= maxBehind.rows ||
      this.#contents.bytes >= maxBehind.bytes;
    this.#writeBackDue = false;
    return isDue && !this.#failing;
  }

  /** Moves what the journal has to the tables. Where that fails the journal keeps it, and it is tried again later. */
  #writeBack(): void {
    if (this.#journal.isEmpty) return;
    try {
      this.#database.beyondLimit(() =>
        this.#database.transactUnflushed(() => {
          this.#ledger.writeBack();
          this.#queues.rows.writeBack();
          this.#contents.deleteUnused();
          this.#journal.clear();
        }),
      );
    } catch (error) {
      this.#rollBack();
      this.#storage.failed(error);
      const { code, message } = toFailure(error, 'ledger-unavailable');
      this.#logger.warn({ code, message }, 'The tables could not be written; trying again');
      this.#writeBackLater();
      return;
    }
    this.#undo.forget();
    this.#ledger.written();
    this.#queues.rows.written();
    this.#contents.forget();
    this.#journal.cleared();
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
      this.#writeBack();
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

  /** Whatever of it can be refused is found before anything is written. */
  #settle(
    requester: Requester,
    [, , lease, beside]: Extract<
      Request,
      readonly [number, 'accept' | 'retry' | 'deadLetter', ...unknown[]]
    >,
    how: (lease: Lease) => Effect,
  ): Effect {
    for (const entry of beside?.entries ?? []) checkEntry(entry);
    const effect = this.#queues.settle(
      requester,
      { leaseId: lease, outgoing: beside?.outgoing ?? [] },
      how,
    );
    if (beside !== undefined) this.#ledger.append(beside.entries);
    return effect;
  }

  /** After the write-back that it asks for; a step that finds the tables behind all the same would not see what waits. */
  #prune(request: PruneRequest): PruneResult {
    if (!this.#journal.isEmpty) {
      throw new Refusal({
        errorClass: 'transient',
        code: 'ledger-unavailable',
        message:
          'Tables that are up to date were expected, and they could not be written; try again.',
      });
    }
    const result = prune(this.#database, request, (ids) => this.#ledger.forget(ids));
    this.#onWritten();
    return result;
  }

  #apply({ requester, request }: Submitted): Effect {
    const queues = this.#queues;
    const database = this.#database;
    switch (request[1]) {
      case 'publish':
        return queues.publish(request[2], request[3]);
      case 'publishEvent':
        return queues.publishEvent(request[2], request[3]);
      case 'accept':
        return this.#settle(requester, request, (lease) => queues.accept(lease));
      case 'retry': {
        const by = { delayMs: request[4], countAttempt: request[5] };
        return this.#settle(requester, request, (lease) => queues.retry(lease, by));
      }
      case 'deadLetter':
        return this.#settle(requester, request, (lease) => queues.deadLetter(lease, request[4]));
      case 'release':
        return queues.release(requester, request[2]);
      case 'declare':
        return queues.declare(request[2], request[3], {
          topics: request[4],
          isOrdered: request[5],
        });
      case 'consume':
        return queues.consume(requester, request[2], { id: request[3], window: request[4] });
      case 'stop':
        return queues.stop(requester, request[2], request[3]);
      case 'depths':
        return queues.depths();
      case 'append':
        this.#ledger.append(request[2]);
        return () => undefined;
      case 'prune':
        return () => this.#prune(request[2]);
      case 'discardDead':
        return queues.discardDead(request[2]);
      case 'giveBack':
        return () => giveBack(database, request[2]);
      case 'storage':
        return () => readStorage(database);
      default: {
        const question = request;
        return () => answerQuestion(database, this.#ledger, question);
      }
    }
  }
}

/** How long the tables may be behind the journal, and with how much: what a write-back takes, others wait for. */
const writeBackMs = 250;
const maxBehind = { messages: 512, rows: 4_096, bytes: 4 * 1024 * 1024 };

/** How long a delivery waits that failed because the file could not be read or written. */
const retryMs = 500;

/** Requests that need room in the file. */
const growingKinds: ReadonlySet<Request[1]> = new Set(['publish', 'publishEvent', 'append']);

const writingKinds: ReadonlySet<Request[1]> = new Set([
  ...growingKinds,
  'accept',
  'retry',
  'deadLetter',
  'declare',
  'discardDead',
]);

function unavailableCode(kind: Request[1]): string {
  return isLedgerKind(kind) ? 'ledger-unavailable' : 'broker-unavailable';
}
