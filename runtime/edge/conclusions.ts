import type { Envelope } from '../../core/envelope.ts';
import { findFailure } from '../../core/errors.ts';
import type { SenderDefinition } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import type { Answer } from '../../core/outcome.ts';
import type { Delivery, Outgoing } from '../../core/ports/broker.ts';
import type { Ledger, LedgerEntry } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import { pause } from '../consuming.ts';
import { deriveId } from '../derived-id.ts';
import { toInstant } from '../ids.ts';
import { Recorder } from '../recorder.ts';

interface Options {
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** What became of a message, to be settled as often as it is handed over. */
interface Conclusion {
  /** What the ledger is told: all at once. */
  readonly entries: readonly LedgerEntry[];
  /** The partner's answer, where somebody listens to it. */
  readonly outgoing: readonly Outgoing[];
  /** Why it goes to the dead letters; absent: it is accepted. */
  readonly deadFor?: readonly Issue[];
  /** The entries are in the ledger, or will not be. */
  recorded?: Promise<void>;
}

/** How a message came to its end. */
export type End =
  | { readonly kind: 'delivered'; readonly summary: string }
  | { readonly kind: 'dead-lettered'; readonly issues: readonly Issue[]; readonly summary?: string }
  /** It was set aside and waits for a decision, which the ledger knows already. */
  | { readonly kind: 'stopped' };

/** More than this many that could not be settled come again from nobody: the oldest is forgotten. */
const maxKept = 200;
const againMs = 1_000;

/**
 * Settles what has been delivered or given up, with the partner's answer, and remembers it until that is durable: what
 * the broker hands over again meanwhile must not be sent a second time.
 *
 * The answer is in the ledger by the same append as the end, and in its queue before the delivery is settled. So
 * whichever of the two was away, the other tells the next process; only where both are away when this one ends is the
 * message delivered again.
 */
export class Conclusions {
  readonly #definition: SenderDefinition;
  readonly #options: Options;
  readonly #recorder: Recorder;
  readonly #kept = new Map<string, Conclusion>();
  readonly #writing = new Set<Promise<void>>();

  constructor(definition: SenderDefinition, options: Options) {
    this.#definition = definition;
    this.#options = options;
    this.#recorder = new Recorder(options);
  }

  has(id: string): boolean {
    return this.#kept.has(id);
  }

  /** Resolves when what the ledger was told is durable, or given up. */
  async written(): Promise<void> {
    while (this.#writing.size > 0) await Promise.all(this.#writing);
  }

  /** `envelope`: with the number of its last attempt. */
  conclude(envelope: Envelope, end: End, answer: Answer | undefined): void {
    const { queue } = this.#definition;
    const reply = this.#toReply(envelope, answer);
    const entries: LedgerEntry[] = [];
    if (reply !== undefined) {
      const { label } = this.#definition;
      entries.push(
        { type: 'message', envelope: reply.envelope },
        this.#recorder.event(envelope, { kind: 'answered', queue: reply.queue }),
        this.#recorder.event(reply.envelope, {
          kind: 'queued',
          queue: reply.queue,
          summary: `answer of ${label}`,
        }),
      );
    }
    if (end.kind !== 'stopped') entries.push(this.#recorder.event(envelope, { ...end, queue }));
    this.#kept.set(envelope.id, {
      entries,
      outgoing: reply === undefined ? [] : [reply],
      ...(end.kind === 'dead-lettered' ? { deadFor: end.issues } : {}),
    });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > maxKept && oldest !== undefined) this.#kept.delete(oldest);
  }

  /**
   * Settles a delivery of a message that was concluded. Rejects where the broker could not: then it comes again.
   * @param from.isSetAside the ledger alone holds it: it must be told before the next is taken up
   */
  async settle(
    delivery: Delivery,
    from: { readonly isSetAside: boolean; readonly signal: AbortSignal },
  ): Promise<void> {
    const { id } = delivery.envelope;
    const conclusion = this.#kept.get(id);
    if (conclusion === undefined) return;
    if (from.isSetAside) {
      await this.#settleDelivery(delivery, conclusion);
      await this.#writeSurely(conclusion.entries, from.signal);
      this.#kept.delete(id);
      return;
    }
    // In one tick, so that the embedded broker makes one transaction of both.
    conclusion.recorded ??= this.#write(conclusion.entries);
    await this.#settleDelivery(delivery, conclusion);
    // Not waited for: the ledger being away must not hold up the messages behind.
    void conclusion.recorded.then(() => {
      if (this.#kept.get(id) === conclusion) this.#kept.delete(id);
    });
  }

  /** What an earlier process left of the answer: in the ledger, where the broker did not take it. */
  async findReply(id: string): Promise<readonly Outgoing[]> {
    const { answerQueue: queue } = this.#definition;
    if (queue === undefined) return [];
    const replyId = deriveId(id, 'answer');
    const envelope = await this.#options.ledger.read(replyId);
    return envelope?.id === replyId ? [{ queue, envelope }] : [];
  }

  async #settleDelivery(
    delivery: Delivery,
    { outgoing, deadFor }: Pick<Conclusion, 'outgoing' | 'deadFor'>,
  ): Promise<void> {
    const settle = (beside: readonly Outgoing[]): Promise<void> =>
      deadFor === undefined ? delivery.accept(beside) : delivery.deadLetter(deadFor, beside);
    try {
      await settle(outgoing);
    } catch (error) {
      if (outgoing.length === 0 || findFailure(error)?.errorClass !== 'permanent') throw error;
      this.#options.logger.error(
        { id: delivery.envelope.id, sender: this.#definition.id, err: error },
        "A partner's answer cannot be queued: it is in the ledger alone.",
      );
      await settle([]);
    }
  }

  #write(entries: readonly LedgerEntry[]): Promise<void> {
    if (entries.length === 0) return Promise.resolve();
    const writing = this.#recorder.write(entries).finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
    return writing;
  }

  async #writeSurely(entries: readonly LedgerEntry[], signal: AbortSignal): Promise<void> {
    while (entries.length > 0 && !signal.aborted) {
      try {
        await this.#options.ledger.append(entries);
        return;
      } catch (error) {
        if (findFailure(error)?.errorClass === 'permanent') {
          this.#options.logger.error({ err: error }, 'The ledger did not take what happened.');
          return;
        }
        await pause(againMs, signal);
      }
    }
  }

  /** The partner's answer goes back into the flow, as a message of its own. */
  #toReply(request: Envelope, answer: Answer | undefined) {
    const { answerQueue: queue } = this.#definition;
    if (answer === undefined || queue === undefined) return undefined;
    const { messageType, charset, ...kept } = request;
    const envelope: Envelope = {
      ...kept,
      id: deriveId(request.id, 'answer'),
      contentType: answer.contentType,
      causationId: request.id,
      receivedAt: toInstant(this.#options.clock()),
      attempt: 1,
      body: answer.body,
    };
    return { queue, envelope };
  }
}
