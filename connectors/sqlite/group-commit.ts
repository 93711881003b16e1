import type { Logger } from '../../core/ports/logger.ts';
import { isFormer } from '../../core/former-receipt.ts';
import { isFull, Refusal, toFailure } from './database.ts';
import type { Database } from './database.ts';
import { checkEntry } from './ledger-entry.ts';
import { answerQuestion, isLedgerKind, needsWriteBack } from './ledger-questions.ts';
import { findReceived } from './ledger-received.ts';
import { LedgerStore } from './ledger-store.ts';
import type { Failure, Parcel, Request, Unless } from './protocol.ts';
import type { Lease, Receiver } from './queue-state.ts';
import { Queues } from './queues.ts';
import type { Effect } from './queues.ts';
import { StorageWatch } from './storage-watch.ts';

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
  readonly #logger: Logger;
  readonly #storage: StorageWatch;
  readonly #requesters = new Set<Requester>();
  #submitted: Submitted[] = [];
  #leaving: Requester[] = [];
  #armed = false;
  /** The file refuses transactions: what waits for one by itself tries again slowly. */
  #failing = false;
  #retryTimer: NodeJS.Timeout | undefined;
  /** While the ledger's rows are behind its events. */
  #writeBackTimer: NodeJS.Timeout | undefined;
  #writeBackDue = false;
  #closed = false;

  /** `onStorage`: why nothing can be written to the file, undefined when it can again. */
  constructor(
    database: Database,
    logger: Logger,
    onStorage: (reason: string | undefined) => void = () => undefined,
  ) {
    this.#database = database;
    this.#logger = logger;
    this.#storage = new StorageWatch(database, onStorage);
    this.#ledger = new LedgerStore(database);
    this.#queues = new Queues(database, {
      wake: () => {
        if (this.#failing) this.#armLater();
        else this.#arm();
      },
      stateOf: (id) => this.#ledger.stateOf(id),
    });
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
    this.#writeBackDue = true;
    this.#commit();
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
    else if (this.#ledger.isBehind) this.#writeBackLater();
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
  }

  /** One transaction for all of them; an error where nothing of it was stored. */
  #attempt(batch: readonly Submitted[]): { readonly error: unknown } | undefined {
    const effects: { readonly submitted: Submitted; readonly effect: Effect }[] = [];
    let moved: Effect = () => undefined;
    const refused: { readonly submitted: Submitted; readonly refusal: Refusal }[] = [];
    try {
      this.#database.transact(() => {
        for (const submitted of batch) {
          try {
            effects.push({ submitted, effect: this.#apply(submitted) });
          } catch (error) {
            // Nothing was written for it: its neighbours go on.
            if (!(error instanceof Refusal)) throw error;
            refused.push({ submitted, refusal: error });
          }
        }
        this.#ledger.flush();
        if (this.#mustWriteBack(batch)) this.#ledger.writeBack();
        moved = this.#queues.moveMarks();
      });
    } catch (error) {
      this.#queues.rolledBack();
      this.#ledger.rolledBack();
      this.#storage.failed(error);
      return { error };
    }
    this.#queues.committed();
    this.#ledger.committed();
    moved();
    for (const { submitted, effect } of effects) this.#answer(submitted, effect);
    for (const { submitted, refusal } of refused) {
      submitted.requester.fail(submitted.request[0], refusal.failure);
    }
    return undefined;
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
    if (isFull(failure.error)) this.#database.restartLog();
    let full: unknown;
    for (const submitted of batch) {
      const [id, kind] = submitted.request;
      if (!writingKinds.has(kind)) {
        this.#answer(submitted, () => this.#apply(submitted)());
        continue;
      }
      // Where one found no room the next does not try; what makes room still does.
      const own =
        full !== undefined && growingKinds.has(kind) ? { error: full } : this.#attempt([submitted]);
      if (own === undefined) {
        this.#failing = false;
        continue;
      }
      if (isFull(own.error)) full = own.error;
      submitted.requester.fail(id, toFailure(own.error, unavailableCode(kind)));
    }
  }

  #mustWriteBack(batch: readonly Submitted[]): boolean {
    if (!this.#ledger.isBehind) return false;
    const isDue = this.#writeBackDue;
    this.#writeBackDue = false;
    return isDue || batch.some(({ request }) => needsWriteBack(request[1]));
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

  /** A message that comes in, unless it came before: its answer is the one that did. */
  #take(queue: string, parcel: Parcel, { before, entries, reusedEntries }: Unless): Effect {
    const found = before && findReceived(this.#database, this.#ledger, [before])[0];
    const former = found !== undefined && isFormer(found, parcel[0]) ? found : undefined;
    const taken = former === undefined ? entries : reusedEntries;
    if (former?.hasSameContent === true || taken === undefined) return () => former;
    for (const entry of taken) checkEntry(entry);
    const publish = this.#queues.publish(queue, parcel);
    this.#ledger.append(taken);
    return () => {
      publish();
      return former;
    };
  }

  #apply({ requester, request }: Submitted): Effect {
    const queues = this.#queues;
    const database = this.#database;
    switch (request[1]) {
      case 'publish':
        return queues.publish(request[2], request[3]);
      case 'publishEvent':
        return queues.publishEvent(request[2], request[3]);
      case 'take':
        return this.#take(request[2], request[3], request[4]);
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
      default: {
        const question = request;
        return () => answerQuestion(database, this.#ledger, question);
      }
    }
  }
}

/** How long the ledger's rows may be behind its events. */
const writeBackMs = 250;

/** How long a delivery waits that failed because the file could not be read or written. */
const retryMs = 500;

/** Requests that need room in the file. */
const growingKinds: ReadonlySet<Request[1]> = new Set([
  'publish',
  'publishEvent',
  'take',
  'append',
]);

const writingKinds: ReadonlySet<Request[1]> = new Set([
  ...growingKinds,
  'accept',
  'retry',
  'deadLetter',
  'declare',
]);

function unavailableCode(kind: Request[1]): string {
  return isLedgerKind(kind) ? 'ledger-unavailable' : 'broker-unavailable';
}
