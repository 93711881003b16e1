import type { Envelope } from '../../core/envelope.ts';
import type { SenderDefinition } from '../../core/interface.ts';
import type { Answer, Outcome } from '../../core/outcome.ts';
import type { Broker, Consumer, Delivery } from '../../core/ports/broker.ts';
import type { Destination } from '../../core/ports/destination.ts';
import type { Ledger, LedgerEntry, LedgerEvent } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import { deriveId } from '../derived-id.ts';
import { toInstant } from '../ids.ts';
import { decideDelivery } from '../retry-policy.ts';
import { isFinished } from '../states.ts';

interface Options {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly destination: Destination;
}

/**
 * Takes what is in a sender's outbound queue to the partner, each message once, and brings the answers
 * back. A queue of its own: a slow or dead partner delays nobody else.
 */
export class Sender {
  readonly definition: SenderDefinition;
  readonly #options: Options;
  readonly #underway = new Set<Promise<void>>();
  readonly #ending = new AbortController();
  #consumer: Consumer | undefined;

  constructor(definition: SenderDefinition, options: Options) {
    this.definition = definition;
    this.#options = options;
  }

  async start(): Promise<void> {
    const { queue, concurrency } = this.definition;
    this.#consumer = await this.#options.broker.consume(
      queue,
      { window: concurrency },
      (delivery) => {
        const work = this.#carry(delivery).finally(() => this.#underway.delete(work));
        this.#underway.add(work);
      },
    );
  }

  /** Takes no more, gives what is under way `drainMs`, then ends it: it stays in the queue. */
  async stop(drainMs: number): Promise<void> {
    await this.#consumer?.stop();
    const timer = setTimeout(() => {
      this.#ending.abort();
    }, drainMs);
    await Promise.all(this.#underway);
    clearTimeout(timer);
    await this.#options.destination.close();
  }

  async #carry(delivery: Delivery): Promise<void> {
    const { ledger, logger, destination } = this.#options;
    const { envelope } = delivery;
    try {
      const states = await ledger.states([envelope.id]);
      if (isFinished(states.get(envelope.id))) {
        await delivery.accept();
        return;
      }
      this.#note(envelope);
      const outcome = await destination.deliver(envelope, this.#ending.signal);
      if (this.#ending.signal.aborted && outcome.kind !== 'delivered') return;
      await this.#settle(delivery, outcome);
    } catch (error) {
      // Not settled: the broker delivers it again.
      logger.warn({ id: envelope.id, sender: this.definition.id, err: error }, 'Not settled.');
    }
  }

  async #settle(delivery: Delivery, outcome: Outcome): Promise<void> {
    const { ledger, logger } = this.#options;
    const { envelope, queue } = delivery;
    if (outcome.kind === 'delivered') {
      const event = this.#event(envelope, { kind: 'delivered', queue, summary: outcome.summary });
      await this.#bringBack(envelope, outcome.answer);
      await Promise.all([ledger.append([event]), delivery.accept()]);
      return;
    }
    const { issues } = outcome;
    const decision = decideDelivery(outcome.kind, envelope.attempt, issues);
    logger.warn(
      {
        id: envelope.id,
        sender: this.definition.id,
        attempt: envelope.attempt,
        outcome: outcome.kind,
        issues,
      },
      decision.retry ? 'A delivery failed and will be repeated.' : 'A delivery was given up.',
    );
    if (decision.retry) {
      const summary = `${outcome.kind}, next attempt in ${decision.delayMs / 1000} s`;
      const event = this.#event(envelope, { kind: 'failed', queue, summary, issues });
      await Promise.all([ledger.append([event]), delivery.retry(decision.delayMs)]);
      return;
    }
    await this.#bringBack(envelope, outcome.answer);
    const event = this.#event(envelope, { kind: 'dead-lettered', queue, issues: decision.issues });
    await Promise.all([ledger.append([event]), delivery.deadLetter(decision.issues)]);
  }

  /** The partner's answer goes back into the flow, as a message of its own. */
  async #bringBack(request: Envelope, answer: Answer | undefined): Promise<void> {
    const { answerQueue } = this.definition;
    if (answer === undefined || answerQueue === undefined) return;
    const { broker, ledger, clock } = this.#options;
    const now = toInstant(clock());
    const { messageType, charset, ...kept } = request;
    const envelope: Envelope = {
      ...kept,
      id: deriveId(request.id, 'answer'),
      contentType: answer.contentType,
      causationId: request.id,
      receivedAt: now,
      attempt: 1,
      body: answer.body,
    };
    const born: LedgerEvent = {
      messageId: envelope.id,
      kind: 'queued',
      at: now,
      attempt: 1,
      queue: answerQueue,
      summary: `answer of ${this.definition.label}`,
    };
    await Promise.all([
      broker.publish(answerQueue, envelope),
      ledger.append([
        { type: 'message', envelope },
        this.#event(request, { kind: 'answered', queue: answerQueue }),
        { type: 'event', event: born },
      ]),
    ]);
  }

  #event(
    envelope: Envelope,
    rest: Pick<LedgerEvent, 'kind' | 'queue' | 'summary' | 'issues'>,
  ): LedgerEntry {
    const at = toInstant(this.#options.clock());
    return {
      type: 'event',
      event: { messageId: envelope.id, at, attempt: envelope.attempt, ...rest },
    };
  }

  #note(envelope: Envelope): void {
    const entry = this.#event(envelope, {
      kind: 'taken',
      queue: this.definition.queue,
      summary: this.definition.label,
    });
    this.#options.ledger.append([entry]).catch((error: unknown) => {
      this.#options.logger.warn({ id: envelope.id, err: error }, 'An event is not in the ledger.');
    });
  }
}
