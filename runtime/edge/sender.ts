import type { Envelope } from '../../core/envelope.ts';
import type { SenderDefinition } from '../../core/interface.ts';
import type { Answer, Outcome } from '../../core/outcome.ts';
import type { Broker, Delivery } from '../../core/ports/broker.ts';
import type { Destination } from '../../core/ports/destination.ts';
import type { Ledger, LedgerEntry } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import { startConsuming, type Consuming } from '../consuming.ts';
import { deriveId } from '../derived-id.ts';
import { toInstant } from '../ids.ts';
import { Recorder } from '../recorder.ts';
import { backoffMs, decideDelivery } from '../retry-policy.ts';
import { findReasons, isDone } from '../states.ts';

interface Options {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly destination: Destination;
}

/**
 * Takes what is in a sender's outbound queue to the partner and brings the answers back. What the ledger
 * knows as delivered is not sent again; a retry steps aside, so that what is behind it goes on. A queue of
 * its own: a slow or dead partner delays nobody else.
 */
export class Sender {
  readonly definition: SenderDefinition;
  readonly #options: Options;
  readonly #recorder: Recorder;
  readonly #underway = new Set<Promise<void>>();
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
      onDelivery: (delivery) => {
        const work = this.#carry(delivery).finally(() => this.#underway.delete(work));
        this.#underway.add(work);
      },
    });
  }

  /** Takes no more, gives what is under way `drainMs`, then ends it: it goes back to the queue. */
  async stop(drainMs: number): Promise<void> {
    await this.#consuming?.stop();
    const timer = setTimeout(() => {
      this.#ending.abort();
    }, drainMs);
    await Promise.all(this.#underway);
    clearTimeout(timer);
    await this.#options.destination.close();
  }

  /** One delivery from its arrival to its settlement. Never rejects. */
  async #carry(delivery: Delivery): Promise<void> {
    const { logger } = this.#options;
    const about = { id: delivery.envelope.id, sender: this.definition.id };
    let settle: () => Promise<void>;
    try {
      settle = await this.#attempt(delivery);
    } catch (error) {
      // Nothing of it was settled: the ledger or the broker is away.
      logger.warn({ ...about, err: error }, 'A delivery could not be made and goes back.');
      settle = () => delivery.retry(backoffMs(delivery.envelope.attempt));
    }
    try {
      await settle();
    } catch (error) {
      // The broker delivers again what could not be settled.
      logger.warn({ ...about, err: error }, 'A delivery could not be settled.');
    }
  }

  /** Delivers once, if it is still to be delivered; gives what settles it. */
  async #attempt(delivery: Delivery): Promise<() => Promise<void>> {
    const { ledger, destination } = this.#options;
    const { envelope } = delivery;
    const state = (await ledger.states([envelope.id])).get(envelope.id);
    if (isDone(state)) return () => delivery.accept();
    if (state === 'dead-lettered') {
      const reasons = await findReasons(ledger, envelope.id);
      return () => delivery.deadLetter(reasons);
    }
    const { queue, label } = this.definition;
    this.#recorder.note(envelope, { kind: 'taken', queue, summary: label });
    const outcome = await destination.deliver(envelope, this.#ending.signal);
    const isEnded = this.#ending.signal.aborted && outcome.kind !== 'delivered';
    return isEnded ? () => delivery.retry(0) : this.#conclude(delivery, outcome);
  }

  async #conclude(delivery: Delivery, outcome: Outcome): Promise<() => Promise<void>> {
    const { envelope, queue } = delivery;
    if (outcome.kind === 'delivered') {
      await this.#bringBack(envelope, outcome.answer);
      const event = { kind: 'delivered', queue, summary: outcome.summary } as const;
      return () => this.#settle(this.#recorder.event(envelope, event), () => delivery.accept());
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
      const event = this.#recorder.event(envelope, { kind: 'failed', queue, summary, issues });
      return () => this.#settle(event, () => delivery.retry(delayMs));
    }
    await this.#bringBack(envelope, outcome.answer);
    const event = { kind: 'dead-lettered', queue, issues: decision.issues } as const;
    return () =>
      this.#settle(this.#recorder.event(envelope, event), () =>
        delivery.deadLetter(decision.issues),
      );
  }

  /** In one tick, so that the embedded broker makes one transaction of both. */
  async #settle(entry: LedgerEntry, settle: () => Promise<void>): Promise<void> {
    await Promise.all([this.#recorder.write([entry]), settle()]);
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
