import type { Envelope } from '../../core/envelope.ts';
import { type Failure, findFailure } from '../../core/errors.ts';
import type { HeldCode } from '../../core/held-code.ts';
import type { Issue } from '../../core/issue.ts';
import type { Delivery, Outgoing } from '../../core/ports/broker.ts';
import type { LedgerEntry, LedgerEventKind } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Turn } from '../order/key-order.ts';
import type { Recorder } from '../recorder.ts';
import type { Reply } from '../reply.ts';
import { decideFlow } from '../retry-policy.ts';
import type { FlowResult } from '../settlement/transaction.ts';
import { flowStopped, toFailure } from './failure.ts';
import { keepsPlace, type FlowQueue } from './flow-queue.ts';
import type { FlowRun } from './outbox.ts';

/** What an end needs of its surroundings. */
export interface EndingOptions {
  readonly recorder: Recorder;
  readonly logger: Logger;
  /** Makes durable what does not go with a settlement. */
  readonly store: (outgoing: readonly Outgoing[], entries: readonly LedgerEntry[]) => Promise<void>;
  /** What whoever waits for the message's flow is to be told with its settlement. */
  readonly conclude: (
    envelope: Envelope,
    reply: Exclude<Reply, { kind: 'response' }>,
  ) => Promise<readonly Outgoing[]>;
}

/** What follows a run of the flow: it is settled, or runs again in its place after a while. */
export type Next = 'settled' | { readonly delayMs: number; readonly attempt: number };

/** A message that is to be given up. */
export interface GivenUp {
  readonly envelope: Envelope;
  readonly turn: Turn;
  readonly issues: readonly Issue[];
  /** The codes that it waits for. */
  readonly held?: readonly HeldCode[];
  readonly made?: Made;
}

/** What a run of the flow has made and nobody has stored yet. */
type Made = Awaited<ReturnType<FlowRun['pending']['take']>>;

/** How a queue's messages end after each run of their flow: done, tried again, set aside or dead-lettered. */
export class FlowEnding {
  readonly #queue: FlowQueue;
  readonly #options: EndingOptions;

  constructor(queue: FlowQueue, options: EndingOptions) {
    this.#queue = queue;
    this.#options = options;
  }

  /** Settles the delivery by how a run of its flow ended. Rejects where that could not be stored. */
  async settle(
    delivery: Delivery,
    run: FlowRun,
    { result, turn }: { readonly result: FlowResult; readonly turn: Turn },
  ): Promise<Next> {
    const { envelope } = run;
    const pending = await run.pending.take();
    if (result.kind === 'aborted') {
      // It starts again, and makes again what it has made so far.
      const failed = this.#event(envelope, 'failed', [flowStopped]);
      await delivery.retry(0, { countAttempt: false, entries: [failed] });
      return 'settled';
    }
    // Where the nodes' changes are most wanted, the flow failed: they are told of either way.
    const changes = run.trail?.toEntries(envelope) ?? [];
    const made: Made = { ...pending, entries: [...pending.entries, ...changes] };
    const failure = result.kind === 'completed' ? undefined : toFailure(result);
    try {
      if (failure !== undefined) {
        return await this.#fail(delivery, { envelope, turn, failure, made });
      }
      const entries = [...made.entries, this.#event(envelope, 'processed')];
      const told = await this.#options.conclude(envelope, { kind: 'completed' });
      await delivery.accept([...made.outgoing, ...told], entries);
      return 'settled';
    } catch (error) {
      const refusal = findFailure(error);
      if (refusal?.errorClass !== 'permanent' || made.outgoing.length === 0) throw error;
      // What it was to send cannot be stored at all.
      const issues = [...refusal.issues, ...(failure?.issues ?? [])];
      const rest: Made = { outgoing: [], entries: changes };
      await this.giveUp(delivery, { envelope, turn, issues, made: rest });
      return 'settled';
    }
  }

  /**
   * Dead-lettered, or set aside as the first of its key until somebody decides; one that is held, whatever is to be done
   * with others, until its codes are mapped.
   */
  async giveUp(delivery: Delivery, of: GivenUp): Promise<void> {
    const { envelope, issues, turn, held = [] } = of;
    const { outgoing: sent, entries } = of.made ?? { outgoing: [], entries: [] };
    const { id } = envelope;
    const { logger, conclude } = this.#options;
    const told = await conclude(envelope, { kind: 'given-up', issues });
    const outgoing = [...sent, ...told];
    const mayStop = this.#queue.onFailure === 'stop' || held.length > 0;
    if (mayStop && (await turn.stop(issues, held))) {
      const what = held.length > 0 ? 'until its codes are mapped' : 'for a decision';
      logger.warn({ id, issues }, `A message and those behind it wait ${what}.`);
      await delivery.accept(outgoing, entries);
      return;
    }
    logger.warn({ id, issues }, 'The message is dead-lettered.');
    const dead = this.#event(envelope, 'dead-lettered', issues);
    await delivery.deadLetter(issues, outgoing, [...entries, dead]);
  }

  async #fail(
    delivery: Delivery,
    of: Pick<GivenUp, 'envelope' | 'turn'> & { readonly failure: Failure; readonly made: Made },
  ): Promise<Next> {
    const { envelope, made } = of;
    const { id, attempt } = envelope;
    const { errorClass, issues, held } = of.failure;
    const decision = decideFlow(errorClass, attempt, issues);
    if (!decision.retry) {
      const codes = held === undefined ? {} : { held };
      await this.giveUp(delivery, { ...of, ...codes, issues: decision.issues });
      return 'settled';
    }
    this.#options.logger.warn({ id, attempt, issues }, 'The flow failed and will run again.');
    const { delayMs } = decision;
    // What is ours to be there is no fault of the message: it spends no attempt.
    const countAttempt = errorClass !== 'transient';
    const entries = [...made.entries, this.#event(envelope, 'failed', issues)];
    if (keepsPlace(this.#queue, delivery.envelope)) {
      await this.#options.store(made.outgoing, entries);
      return { delayMs, attempt: attempt + (countAttempt ? 1 : 0) };
    }
    await delivery.retry(delayMs, { countAttempt, outgoing: made.outgoing, entries });
    return 'settled';
  }

  #event(envelope: Envelope, kind: LedgerEventKind, issues?: readonly Issue[]): LedgerEntry {
    return this.#options.recorder.event(envelope, {
      kind,
      queue: this.#queue.name,
      ...(issues === undefined ? {} : { issues }),
    });
  }
}
