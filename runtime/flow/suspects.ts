import { setTimeout as wait } from 'node:timers/promises';
import type { Delivery } from '../../core/ports/broker.ts';
import type { Issue } from '../../core/issue.ts';
import type { Ledger, LedgerEvent } from '../../core/ports/ledger.ts';
import { Trials } from './trials.ts';

/**
 * So many known starts without an end: this message ends the worker. The first of all is only known where it took
 * longer than a moment.
 */
const maxStarts = 3;
/** So many messages that did not end this worker are remembered. */
const maxSurvived = 1_000;
/** What a suspect may take before the next one starts beside it: a flow may need several to join. */
const maxAloneMs = 5_000;

/** A message that is known to have ended a worker, by that worker's last words. */
export interface Culprit {
  readonly messageId: string;
  /** `was in an endless loop`. */
  readonly did: string;
  /** In which node, where that is known. */
  readonly nodeId?: string;
}

/**
 * A message that was in a worker when that ended may be the reason. Such suspects of a queue start one
 * after the other, and what comes fresh from that queue starts behind them, so the order stays. Each start
 * is durable in the ledger before it: so whoever ends the worker again is known. Suspects of other queues run beside
 * them, so that a slow flow holds up no other; the start that would be the last one is made alone in the whole worker.
 */
export class Suspects {
  readonly #turns = new Map<string, Promise<unknown>>();
  /** How often this worker has started a message and is still there, by its id. */
  readonly #survived = new Map<string, number>();
  readonly #culprits: ReadonlyMap<string, Culprit>;
  readonly #trials = new Trials();
  readonly #onCulprit: () => void;

  /** `onCulprit` is called when a message is found to be one, before it is given up. */
  constructor(culprits: readonly Culprit[] = [], onCulprit: () => void = () => undefined) {
    this.#onCulprit = onCulprit;
    this.#culprits = new Map(culprits.map((each) => [each.messageId, each]));
  }

  /** Starts `work` in its turn: at once where no suspect of its queue is before it. */
  inTurn<T>(delivery: Delivery, work: () => Promise<T>): Promise<T> {
    const { queue, redelivered } = delivery;
    const previous = this.#turns.get(queue);
    if (previous === undefined && !redelivered) return work();
    const started = Promise.withResolvers<undefined>();
    const working = Promise.resolve(previous).then(() => {
      const result = work();
      started.resolve(undefined);
      return result;
    });
    const alone = started.promise.then(() => wait(maxAloneMs, undefined, { ref: false }));
    const turn = redelivered
      ? Promise.race([working.catch(() => undefined), alone])
      : started.promise;
    this.#turns.set(queue, turn);
    void turn.then(() => {
      if (this.#turns.get(queue) === turn) this.#turns.delete(queue);
    });
    return working;
  }

  /** Runs a message in its flow; alone where it would be given up if the worker ended. */
  run<T>(work: () => Promise<T>, { alone }: { readonly alone: boolean }): Promise<T> {
    return alone ? this.#trials.runAlone(work) : this.#trials.run(work);
  }

  /** The message was run, its end could not be stored, and this worker lives: it has not ended it. */
  acquit(messageId: string): void {
    const times = this.#survived.get(messageId) ?? 0;
    this.#survived.delete(messageId);
    this.#survived.set(messageId, times + 1);
    const [oldest] = this.#survived.keys();
    if (this.#survived.size > maxSurvived && oldest !== undefined) this.#survived.delete(oldest);
  }

  /** What the ledger knows of a message's runs so far. */
  async findEarlierRuns(ledger: Ledger, messageId: string): Promise<EarlierRuns> {
    const trace = await ledger.trace(messageId);
    const earlier = judge(trace?.events ?? [], messageId, this.#survived.get(messageId) ?? 0);
    const culprit = this.#culprits.get(messageId);
    const judged = culprit === undefined ? earlier : { ...earlier, fatal: [toIssue(culprit)] };
    if (judged.fatal.length > 0) this.#onCulprit();
    return judged;
  }
}

/** What the ledger knows of a message's runs so far. */
export interface EarlierRuns {
  /** Why it is to be given up without another run; empty where it is not. */
  readonly fatal: readonly Issue[];
  /** Which attempt the next run is. */
  readonly attempt: number;
  /** If the worker ended during the next run, it would be given up. */
  readonly isLastTrial: boolean;
}

function toIssue({ did, nodeId }: Culprit): Issue {
  return {
    code: 'worker-ended',
    severity: 'error',
    message: `The worker ended while it ran this message: ${nodeId === undefined ? 'its flow' : `the node ${nodeId}`} ${did}. Correct the flow, and replay the message.`,
    ...(nodeId === undefined ? {} : { location: nodeId }),
  };
}

/** Its attempts, and its starts since the last that ended in any way, but for those that did no harm. */
function judge(
  events: readonly LedgerEvent[],
  messageId: string,
  survivedStarts: number,
): EarlierRuns {
  let starts = -survivedStarts;
  let attempt = 1;
  for (const event of events) {
    if (event.messageId !== messageId) continue;
    if (event.kind === 'taken') starts += 1;
    if (event.kind === 'taken' || event.kind === 'failed') attempt = event.attempt ?? attempt;
    // Who is set aside without issues has waited for its turn, or is being run.
    const isGivenUp = event.kind === 'parked' && event.issues !== undefined;
    if (event.kind === 'failed' || isGivenUp) starts = Math.min(starts, 0);
  }
  const isLastTrial = starts === maxStarts - 1;
  if (starts < maxStarts) return { fatal: [], attempt, isLastTrial };
  return {
    attempt,
    isLastTrial,
    fatal: [
      {
        code: 'worker-ended',
        severity: 'error',
        message: `The worker ended each of the ${starts} times that it ran this message: look for an endless loop or an unawaited error in the flow, correct it, and replay the message.`,
      },
    ],
  };
}
