import type { Envelope } from '../../core/envelope.ts';
import { findFailure } from '../../core/errors.ts';
import type { SenderDefinition } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import type { Answer } from '../../core/outcome.ts';
import type { Delivery, Outgoing } from '../../core/ports/broker.ts';
import type { Ledger, LedgerEntry } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import type { LedgerSpool } from '../spool/ledger-spool.ts';
import { deriveId } from '../derived-id.ts';
import { toInstant } from '../ids.ts';
import { Recorder } from '../recorder.ts';

interface Options {
  readonly ledger: Ledger;
  readonly ledgerSpool?: LedgerSpool;
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
  /** The ledger is being told, apart from a settlement. */
  isTold: boolean;
}

/** How a message came to its end. */
export type End =
  | { readonly kind: 'delivered'; readonly summary: string }
  | { readonly kind: 'dead-lettered'; readonly issues: readonly Issue[]; readonly summary?: string }
  /** It was set aside and waits for a decision, which the ledger knows already. */
  | { readonly kind: 'stopped' };

/** More than this many that could not be settled come again from nobody: the oldest is forgotten. */
const maxKept = 200;

/**
 * Settles what has been delivered or given up, with the partner's answer, and remembers it until that is durable: what
 * the broker hands over again meanwhile must not be sent a second time.
 *
 * The answer goes out, and the ledger is told, with the settlement; where that fails the ledger is told by itself. So
 * whichever of the two was away, the other tells the next process; only where both are away when this one ends is the
 * message delivered again.
 */
export class Conclusions {
  readonly #definition: SenderDefinition;
  readonly #options: Options;
  readonly #recorder: Recorder;
  readonly #kept = new Map<string, Conclusion>();
  readonly #settling = new Set<Promise<void>>();

  constructor(definition: SenderDefinition, options: Options) {
    this.#definition = definition;
    this.#options = options;
    this.#recorder = new Recorder(options);
  }

  has(id: string): boolean {
    return this.#kept.has(id);
  }

  /** Resolves when nothing is being settled. */
  async written(): Promise<void> {
    await Promise.allSettled(this.#settling);
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
      isTold: false,
      ...(end.kind === 'dead-lettered' ? { deadFor: end.issues } : {}),
    });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > maxKept && oldest !== undefined) this.#kept.delete(oldest);
  }

  /**
   * Settles a delivery of a message that was concluded, and with it tells the ledger, of what came `before` too.
   * Rejects where the broker could not: then it comes again.
   */
  async settle(delivery: Delivery, before: readonly LedgerEntry[]): Promise<void> {
    const { id } = delivery.envelope;
    const conclusion = this.#kept.get(id);
    if (conclusion === undefined) return;
    const entries = conclusion.isTold ? before : [...before, ...conclusion.entries];
    const settling = this.#settleDelivery(delivery, { ...conclusion, entries });
    this.#settling.add(settling);
    try {
      await settling;
    } catch (error) {
      // The ledger may be there where the broker is not: the next process then knows, and finds the answer.
      conclusion.isTold = true;
      this.#tell(entries);
      throw error;
    } finally {
      this.#settling.delete(settling);
    }
    if (this.#kept.get(id) === conclusion) this.#kept.delete(id);
  }

  /** What an earlier process left of the answer: in the ledger, where the broker did not take it. */
  async findReply(id: string): Promise<readonly Outgoing[]> {
    const { answerQueue: queue } = this.#definition;
    if (queue === undefined) return [];
    const replyId = deriveId(id, 'answer');
    const envelope = await this.#options.ledger.read(replyId);
    return envelope?.id === replyId ? [{ queue, envelope }] : [];
  }

  #tell(entries: readonly LedgerEntry[]): void {
    const telling = this.#recorder.write(entries).finally(() => this.#settling.delete(telling));
    this.#settling.add(telling);
  }

  async #settleDelivery(
    delivery: Delivery,
    { outgoing, deadFor, entries }: Omit<Conclusion, 'isTold'>,
  ): Promise<void> {
    const settle = (beside: readonly Outgoing[]): Promise<void> =>
      deadFor === undefined
        ? delivery.accept(beside, entries)
        : delivery.deadLetter(deadFor, beside, entries);
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
