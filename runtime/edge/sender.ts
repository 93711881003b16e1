import type { Envelope } from '../../core/envelope.ts';
import { findFailure } from '../../core/errors.ts';
import type { SenderDefinition } from '../../core/interface.ts';
import type { Answer, Outcome } from '../../core/outcome.ts';
import type { Broker, Delivery } from '../../core/ports/broker.ts';
import type { Destination } from '../../core/ports/destination.ts';
import type { Ledger, LedgerEntry } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import { pause, startConsuming, type Consuming } from '../consuming.ts';
import { deriveId } from '../derived-id.ts';
import { toInstant } from '../ids.ts';
import { Recorder } from '../recorder.ts';
import { backoffMs, decideDelivery } from '../retry-policy.ts';
import { findSettling } from '../states.ts';

interface Options {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly destination: Destination;
}

/** What follows an attempt: the delivery is settled, or tried again in place after a while. */
type Next =
  | { readonly settle: () => Promise<void>; readonly delayMs?: undefined }
  | { readonly settle?: undefined; readonly delayMs: number };

interface Carriage {
  /** Ends it without another attempt; resolves when it has ended. */
  end(): Promise<void>;
}

/** To its place in the queue, as if it had not been tried. */
function giveBack(delivery: Delivery): Promise<void> {
  return delivery.retry(0, { countAttempt: false });
}

/**
 * Takes what is in a sender's outbound queue to the partner and brings the answers back. What the ledger
 * knows as delivered is not sent again. One delivery at a time keeps the order: a retry waits in place, and
 * what is behind it with it, or a correction would arrive before what it corrects. With more at a time a
 * retry steps aside. A queue of its own: a slow or dead partner delays nobody else.
 */
export class Sender {
  readonly definition: SenderDefinition;
  readonly #options: Options;
  readonly #recorder: Recorder;
  /** What is being delivered or waits for its next attempt, by message id. */
  readonly #carriages = new Map<string, Carriage>();
  /** Nothing is tried again. */
  readonly #stopping = new AbortController();
  /** What is still being tried ends. */
  readonly #ending = new AbortController();
  #consuming: Consuming | undefined;

  constructor(definition: SenderDefinition, options: Options) {
    this.definition = definition;
    this.#options = options;
    this.#recorder = new Recorder(options);
  }

  start(): void {
    const { queue, concurrency } = this.definition;
    this.#consuming = startConsuming(this.#options.broker, queue, {
      window: concurrency,
      logger: this.#options.logger,
      onDelivery: (delivery) => this.#carry(delivery),
    });
  }

  /** Takes no more, gives what is under way `drainMs`, then ends it: it goes back to the queue. */
  async stop(drainMs: number): Promise<void> {
    await this.#consuming?.stop();
    this.#stopping.abort();
    const timer = setTimeout(() => {
      this.#ending.abort();
    }, drainMs);
    await this.#consuming?.idle();
    clearTimeout(timer);
    await this.#options.destination.close();
  }

  /** One delivery from its arrival to its settlement. Never rejects. */
  async #carry(delivery: Delivery): Promise<void> {
    const { id, attempt } = delivery.envelope;
    // Delivered again while it waits here: the broker took it back, and what waits must not send it too.
    await this.#carriages.get(id)?.end();
    const ending = new AbortController();
    const work = this.#repeat(delivery, { attempt, ending: ending.signal }).catch(
      (error: unknown) => {
        // The broker delivers again what could not be settled.
        const about = { id, sender: this.definition.id, err: error };
        this.#options.logger.warn(about, 'A delivery could not be settled.');
      },
    );
    const carriage: Carriage = {
      end: () => {
        ending.abort();
        return work;
      },
    };
    this.#carriages.set(id, carriage);
    await work;
    if (this.#carriages.get(id) === carriage) this.#carriages.delete(id);
  }

  async #repeat(
    delivery: Delivery,
    from: { readonly attempt: number; readonly ending: AbortSignal },
  ): Promise<void> {
    const pausing = AbortSignal.any([this.#stopping.signal, from.ending]);
    for (let { attempt } = from; ; attempt += 1) {
      const next = await this.#tryOnce(delivery, { attempt, ending: from.ending });
      if (next.settle !== undefined) return next.settle();
      await pause(next.delayMs, pausing);
      if (pausing.aborted) return giveBack(delivery);
    }
  }

  /** One attempt; what is not settled by it is tried again where it is. */
  async #tryOnce(
    delivery: Delivery,
    { attempt, ending }: { readonly attempt: number; readonly ending: AbortSignal },
  ): Promise<Next> {
    const signal = AbortSignal.any([this.#ending.signal, ending]);
    try {
      return await this.#attempt({ ...delivery.envelope, attempt }, delivery, signal);
    } catch (error) {
      // Nothing of it was settled: the ledger or the broker is away.
      this.#options.logger.warn(
        { id: delivery.envelope.id, sender: this.definition.id, err: error },
        'A delivery could not be made yet.',
      );
      return this.#again(delivery, backoffMs(attempt));
    }
  }

  #again(delivery: Delivery, delayMs: number): Next {
    if (this.definition.concurrency === 1) return { delayMs };
    return { settle: () => delivery.retry(delayMs) };
  }

  /** Delivers once, if it is still to be delivered. */
  async #attempt(envelope: Envelope, delivery: Delivery, signal: AbortSignal): Promise<Next> {
    const { ledger, destination } = this.#options;
    const state = (await ledger.states([envelope.id])).get(envelope.id);
    const settle = await findSettling(state, delivery, ledger);
    if (settle !== undefined) return { settle };
    const { queue, label } = this.definition;
    this.#recorder.note(envelope, { kind: 'taken', queue, summary: label });
    const outcome = await destination.deliver(envelope, signal);
    const isEnded = signal.aborted && outcome.kind !== 'delivered';
    return isEnded
      ? { settle: () => giveBack(delivery) }
      : this.#conclude(envelope, delivery, outcome);
  }

  async #conclude(envelope: Envelope, delivery: Delivery, outcome: Outcome): Promise<Next> {
    const { queue } = delivery;
    if (outcome.kind === 'delivered') {
      await this.#bringBackSurely(envelope, outcome.answer);
      const event = { kind: 'delivered', queue, summary: outcome.summary } as const;
      return {
        settle: () => this.#settle(this.#recorder.event(envelope, event), () => delivery.accept()),
      };
    }
    const { issues, kind } = outcome;
    const decision = decideDelivery(kind, envelope.attempt, issues);
    this.#options.logger.warn(
      { id: envelope.id, sender: this.definition.id, attempt: envelope.attempt, kind, issues },
      decision.retry ? 'A delivery failed and will be repeated.' : 'A delivery was given up.',
    );
    if (decision.retry) {
      const { delayMs } = decision;
      const summary = `${kind}, next attempt in ${delayMs / 1000} s`;
      this.#recorder.note(envelope, { kind: 'failed', queue, summary, issues });
      return this.#again(delivery, delayMs);
    }
    await this.#bringBackSurely(envelope, outcome.answer);
    const event = { kind: 'dead-lettered', queue, issues: decision.issues } as const;
    return {
      settle: () =>
        this.#settle(this.#recorder.event(envelope, event), () =>
          delivery.deadLetter(decision.issues),
        ),
    };
  }

  /** In one tick, so that the embedded broker makes one transaction of both. */
  async #settle(entry: LedgerEntry, settle: () => Promise<void>): Promise<void> {
    await Promise.all([this.#recorder.write([entry]), settle()]);
  }

  /**
   * Brings the answer back, however long that takes: what the partner has taken must not be sent again for
   * it. Given up when it cannot be queued at all, or when the sender stops.
   */
  async #bringBackSurely(request: Envelope, answer: Answer | undefined): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#bringBack(request, answer);
        return;
      } catch (error) {
        const isFinal =
          this.#stopping.signal.aborted || findFailure(error)?.errorClass !== 'transient';
        this.#options.logger.error(
          { id: request.id, sender: this.definition.id, err: error },
          isFinal ? "A partner's answer is lost to the flow." : "A partner's answer waits.",
        );
        if (isFinal) return;
      }
      await pause(backoffMs(attempt), this.#stopping.signal);
    }
  }

  /** The partner's answer goes back into the flow, as a message of its own. */
  async #bringBack(request: Envelope, answer: Answer | undefined): Promise<void> {
    const { answerQueue, label } = this.definition;
    if (answer === undefined || answerQueue === undefined) return;
    const { broker, ledger, clock } = this.#options;
    const { messageType, charset, ...kept } = request;
    const envelope: Envelope = {
      ...kept,
      id: deriveId(request.id, 'answer'),
      contentType: answer.contentType,
      causationId: request.id,
      receivedAt: toInstant(clock()),
      attempt: 1,
      body: answer.body,
    };
    const summary = `answer of ${label}`;
    const entries: readonly LedgerEntry[] = [
      { type: 'message', envelope },
      this.#recorder.event(request, { kind: 'answered', queue: answerQueue }),
      this.#recorder.event(envelope, { kind: 'queued', queue: answerQueue, summary }),
    ];
    await Promise.all([broker.publish(answerQueue, envelope), ledger.append(entries)]);
  }
}
