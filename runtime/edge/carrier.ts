import type { Envelope } from '../../core/envelope.ts';
import type { MessageOrder, RetrySettings, SenderDefinition } from '../../core/interface.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { Delivery } from '../../core/ports/broker.ts';
import type { Destination } from '../../core/ports/destination.ts';
import type { Ledger, MessageState } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import type { LedgerSpool } from '../spool/ledger-spool.ts';
import { pause } from '../consuming.ts';
import { toInstant } from '../ids.ts';
import { EitherSignal } from '../either-signal.ts';
import { Pending } from '../flow/pending.ts';
import { giveBack, type Turn } from '../order/key-order.ts';
import { Recorder, type EventDetails } from '../recorder.ts';
import { decideDelivery } from '../retry-policy.ts';
import { findSettling } from '../states.ts';
import { AttemptHistory } from './attempt-history.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import type { Conclusions, End } from './conclusions.ts';
import type { Slots } from './slots.ts';

interface Options {
  readonly ledger: Ledger;
  readonly ledgerSpool?: LedgerSpool;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly destination: Destination;
  readonly order: MessageOrder;
  readonly retry: RetrySettings;
  readonly random: () => number;
  readonly slots: Slots;
  readonly breaker: CircuitBreaker;
  readonly conclusions: Conclusions;
  /** Nothing is tried again. */
  readonly stopping: AbortSignal;
  /** What is still being tried ends. */
  readonly ending: AbortSignal;
}

/** Waiting longer than this, it may have been withdrawn since the broker handed it out. */
const heldUpMs = 100;

/** One message while it is here. */
interface Carriage {
  readonly delivery: Delivery;
  readonly turn: Turn;
  /** Nothing more is waited for: the sender stops, or the broker has taken it back. */
  readonly leaving: AbortSignal;
  /** What the ledger is told with the next settlement, or a moment later where that takes longer. */
  told: Pending;
  history: AttemptHistory | undefined;
  /** It was held up before it was tried: somebody may have withdrawn it meanwhile. */
  hasWaited: boolean;
  /** The ledger could not tell whether it had been delivered before. */
  isUnchecked: boolean;
}

/** What follows an attempt: the message is settled, or waits where it is and is tried again. */
type Next =
  | { readonly settle: () => Promise<void>; readonly delayMs?: undefined }
  | { readonly settle?: undefined; readonly delayMs: number };

type Failed = Exclude<Outcome, { readonly kind: 'delivered' }>;

/**
 * Takes one message from its turn to its settlement. What the ledger knows as delivered is not sent again; where the
 * ledger is away the message goes on all the same, marked as unchecked where it may have been sent before. In an
 * ordered queue a retry waits in place, and those behind it wait with it; in another it steps aside.
 */
export class Carrier {
  readonly #definition: SenderDefinition;
  readonly #options: Options;
  readonly #recorder: Recorder;
  readonly #leaving: EitherSignal;
  readonly #underWay = new Map<string, Promise<void>>();
  /** Said once for as long as the ledger is away. */
  #isLedgerAway = false;

  constructor(definition: SenderDefinition, options: Options) {
    this.#definition = definition;
    this.#options = options;
    this.#recorder = new Recorder(options);
    this.#leaving = new EitherSignal(options.stopping);
  }

  /** Never rejects. */
  async carry(delivery: Delivery, turn: Turn): Promise<void> {
    const { id } = delivery.envelope;
    const work = this.#follow(this.#underWay.get(id), delivery, turn);
    this.#underWay.set(id, work);
    await work;
    if (this.#underWay.get(id) === work) this.#underWay.delete(id);
  }

  async #follow(before: Promise<void> | undefined, delivery: Delivery, turn: Turn): Promise<void> {
    // Delivered again while it is still here: what waited with it leaves, what was under way is its own attempt.
    await before;
    const leaving = this.#leaving.or(delivery.voided);
    // Once: what the ledger does not take now goes with the settlement, which must not wait for it to be back.
    const told = new Pending((_, entries) => this.#options.ledger.append(entries));
    const state = { history: undefined, hasWaited: false, isUnchecked: false };
    const carriage = { delivery, turn, leaving, told, ...state };
    try {
      await this.#repeat(carriage);
    } catch (error) {
      // The broker delivers again what could not be settled.
      const about = { id: delivery.envelope.id, sender: this.#definition.id, err: error };
      this.#options.logger.warn(about, 'A delivery could not be settled.');
    }
  }

  async #repeat(carriage: Carriage): Promise<void> {
    const { delivery, leaving } = carriage;
    if (this.#options.conclusions.has(delivery.envelope.id)) return this.#settle(carriage);
    for (;;) {
      const next = await this.#tryOnce(carriage);
      if (next.settle !== undefined) return next.settle();
      await pause(next.delayMs, leaving);
    }
  }

  /** One attempt when there is a place for it and the partner can be sent to. */
  async #tryOnce(carriage: Carriage): Promise<Next> {
    const { slots, breaker } = this.#options;
    const { delivery, leaving } = carriage;
    const letGo: Next = { settle: () => giveBack(delivery) };
    const since = performance.now();
    if (!(await slots.take(leaving))) return letGo;
    try {
      const pass = await breaker.enter(leaving);
      carriage.hasWaited ||= performance.now() - since > heldUpMs;
      if (pass === undefined) return letGo;
      try {
        const known = await this.#check(carriage);
        if (known !== undefined) return { settle: known };
        const wasOpen = breaker.isOpen;
        const { envelope, outcome } = await this.#attempt(carriage);
        if (outcome === undefined) return letGo;
        pass.report(outcome);
        return outcome.kind === 'delivered'
          ? this.#deliver(carriage, envelope, outcome)
          : this.#fail(carriage, envelope, { outcome, isNews: !wasOpen });
      } finally {
        pass.report(undefined);
      }
    } finally {
      slots.giveBack();
    }
  }

  /** What the ledger knows of it: how to settle it where it is done with, else its attempts so far. */
  async #check(carriage: Carriage): Promise<(() => Promise<void>) | undefined> {
    const { ledger } = this.#options;
    const { delivery } = carriage;
    const { id, attempt } = delivery.envelope;
    try {
      const state = await this.#findState(carriage);
      const isDone = state === 'delivered' || state === 'dead-lettered';
      const outgoing = isDone ? await this.#options.conclusions.findReply(id) : [];
      const settle = await findSettling(
        state,
        {
          ...delivery,
          accept: () => delivery.accept(outgoing),
          deadLetter: (issues) => delivery.deadLetter(issues, outgoing),
        },
        ledger,
      );
      if (settle !== undefined) return settle;
      const isNew = state === undefined || state === 'received' || state === 'queued';
      if (carriage.history === undefined && !(isNew && attempt === 1)) {
        const { queue } = this.#definition;
        const events = (await ledger.trace(id))?.events ?? [];
        carriage.history = AttemptHistory.read(events, { messageId: id, queue });
      }
      carriage.isUnchecked = false;
      this.#isLedgerAway = false;
    } catch (error) {
      carriage.isUnchecked = true;
      this.#warnOfLedger(error);
    }
    carriage.history ??= AttemptHistory.begin(0);
    carriage.history.attempts = Math.max(carriage.history.attempts, attempt - 1);
    return undefined;
  }

  /** Asked of the ledger where the delivery does not say; later it may have been withdrawn. */
  async #findState({ delivery, history, hasWaited }: Carriage): Promise<MessageState | undefined> {
    const { ledgerState, envelope } = delivery;
    if (ledgerState === undefined || history !== undefined || hasWaited) {
      return (await this.#options.ledger.states([envelope.id])).get(envelope.id);
    }
    return ledgerState === 'unknown' ? undefined : ledgerState;
  }

  /** Delivers once; no outcome where it was ended. */
  async #attempt(
    carriage: Carriage,
  ): Promise<{ readonly envelope: Envelope; readonly outcome: Outcome | undefined }> {
    const { destination, ending } = this.#options;
    const { queue, label } = this.#definition;
    const history = historyOf(carriage);
    history.attempts += 1;
    const envelope = { ...carriage.delivery.envelope, attempt: history.attempts };
    const summary = mark(label, carriage);
    this.#tell(carriage, envelope, { kind: 'taken', queue, summary });
    const outcome = await destination.deliver(envelope, ending);
    const isEnded = ending.aborted && outcome.kind !== 'delivered';
    return { envelope, outcome: isEnded ? undefined : outcome };
  }

  #fail(
    carriage: Carriage,
    envelope: Envelope,
    { outcome, isNews }: { readonly outcome: Failed; readonly isNews: boolean },
  ): Next {
    const { clock, retry, random, logger } = this.#options;
    const { kind, issues, retryAfterMs } = outcome;
    const history = historyOf(carriage);
    const nowMs = clock();
    history.add(toInstant(nowMs), kind, issues);
    const decision = decideDelivery(
      {
        errorClass: kind,
        issues,
        failuresOfClass: history.countOf(kind),
        failures: history.failures,
        ageMs: nowMs - Date.parse(history.since ?? envelope.receivedAt),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      },
      retry,
      random,
    );
    const about = { id: envelope.id, sender: this.#definition.id, attempt: envelope.attempt };
    const words = decision.retry
      ? 'A delivery failed and will be repeated.'
      : 'A delivery was given up.';
    // While the partner is away every probe fails: that was told when it went.
    if (isNews || !decision.retry) logger.warn({ ...about, kind, issues }, words);
    else logger.debug({ ...about, kind, issues }, words);
    if (!decision.retry) {
      const reasons = [...decision.issues, ...history.toIssues()];
      return { settle: () => this.#giveUp(carriage, envelope, { ...outcome, issues: reasons }) };
    }
    return this.#again(carriage, envelope, { outcome, delayMs: decision.delayMs });
  }

  #again(
    carriage: Carriage,
    envelope: Envelope,
    { outcome, delayMs }: { readonly outcome: Failed; readonly delayMs: number },
  ): Next {
    const { delivery, turn, history } = carriage;
    const { breaker, order } = this.#options;
    const { kind, issues, isOutage = false } = outcome;
    const isOpen = breaker.isOpen;
    const summary = isOpen
      ? `${kind}, next attempt when the partner may be tried again`
      : `${kind}, next attempt in ${delayMs / 1000} s`;
    const marks =
      history === undefined || kind === 'permanent' ? [] : [history.toMark(kind, delayMs)];
    const { queue } = this.#definition;
    const reasons = [...issues, ...marks];
    this.#tell(carriage, envelope, { kind: 'failed', queue, summary, issues: reasons });
    // The breaker knows when: nobody steps aside for one who could go no more than it.
    if (isOpen) return { delayMs: 0 };
    if (order === 'none') {
      return {
        settle: async () => {
          const { entries } = await carriage.told.take();
          await delivery.retry(delayMs, { entries });
        },
      };
    }
    // Where the partner takes nothing from anybody there is nobody to make room for.
    if (!isOutage || (history?.failures ?? 0) > 1) turn.block();
    return { delayMs };
  }

  async #giveUp(carriage: Carriage, envelope: Envelope, outcome: Failed): Promise<void> {
    const { issues, answer } = outcome;
    let end: End = { kind: 'dead-lettered', issues };
    if (this.#definition.onFailure === 'stop') {
      if (await carriage.turn.stop(issues)) end = { kind: 'stopped' };
      // It has no key, so nobody waits behind it; or it comes again.
      else if (carriage.leaving.aborted) return giveBack(carriage.delivery);
    }
    this.#options.conclusions.conclude(envelope, end, answer);
    return this.#settle(carriage);
  }

  #deliver(
    carriage: Carriage,
    envelope: Envelope,
    { summary, answer }: Extract<Outcome, { readonly kind: 'delivered' }>,
  ): Next {
    const end: End = { kind: 'delivered', summary: mark(summary, carriage) };
    this.#options.conclusions.conclude(envelope, end, answer);
    return { settle: () => this.#settle(carriage) };
  }

  async #settle({ delivery, told }: Carriage): Promise<void> {
    const { entries } = await told.take();
    await this.#options.conclusions.settle(delivery, entries);
  }

  #tell(carriage: Carriage, envelope: Envelope, details: EventDetails): void {
    const entries = [this.#recorder.event(envelope, details)];
    if (!carriage.told.add([], entries)) void this.#recorder.write(entries);
  }

  #warnOfLedger(error: unknown): void {
    if (this.#isLedgerAway) return;
    this.#isLedgerAway = true;
    this.#options.logger.warn(
      { sender: this.#definition.id, err: error },
      'The ledger cannot be asked: deliveries go on unchecked.',
    );
  }
}

function historyOf(carriage: Carriage): AttemptHistory {
  return (carriage.history ??= AttemptHistory.begin(0));
}

/** Says where a message that may have been sent before was sent without asking. */
function mark(summary: string, { isUnchecked, delivery, history }: Carriage): string {
  const isFirst = !delivery.redelivered && (history?.attempts ?? 1) <= 1;
  if (!isUnchecked || isFirst) return summary;
  return `${summary}; unchecked: the ledger could not tell whether it had been delivered before`;
}
