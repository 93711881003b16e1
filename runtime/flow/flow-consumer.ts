import type { Envelope } from '../../core/envelope.ts';
import { isEventQueue } from '../../core/interface.ts';
import type { Broker, Delivery } from '../../core/ports/broker.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import type { Ledger, LedgerEntry } from '../../core/ports/ledger.ts';
import type { Clock } from '../clock.ts';
import { pause, settledOr } from '../consuming.ts';
import { deriveId } from '../derived-id.ts';
import { EitherSignal } from '../either-signal.ts';
import { consumeInOrder, type ConsumingInOrder } from '../order/consume-in-order.ts';
import { giveBack, KeyOrder, type Turn } from '../order/key-order.ts';
import type { NoneSetAside } from '../order/none-set-aside.ts';
import { Parking } from '../order/parking.ts';
import { backoffMs } from '../retry-policy.ts';
import type { FlowResult } from '../settlement/transaction.ts';
import { findSettling } from '../states.ts';
import type { AwaitedRevision } from './awaited-revision.ts';
import { endNotStored } from './failure.ts';
import { FlowEnding, type EndingOptions, type Next } from './flow-ending.ts';
import { keepsPlace, type FlowQueue } from './flow-queue.ts';
import type { FlowRun } from './outbox.ts';
import type { EarlierRuns, Suspects } from './suspects.ts';

interface Options extends EndingOptions {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly noneSetAside?: NoneSetAside;
  readonly clock: Clock;
  readonly suspects: Suspects;
  readonly revision: AwaitedRevision;
  /** Begins what is kept of a message while its flow runs. */
  readonly begin: (envelope: Envelope, of: { readonly redelivered: boolean }) => FlowRun;
  /** Sends it into the flow, and resolves when every branch is through. */
  readonly run: (run: FlowRun, send: (message: FlowMessage) => void) => Promise<FlowResult>;
}

/** One queue's messages on their way through a flow, each from its arrival to its settlement. */
export class FlowConsumer {
  readonly #queue: FlowQueue;
  readonly #options: Options;
  readonly #send: (message: FlowMessage) => void;
  readonly #ending: FlowEnding;
  readonly #parking: Parking;
  readonly #order: KeyOrder;
  readonly #stopping = new AbortController();
  readonly #leaving = new EitherSignal(this.#stopping.signal);
  #consuming: ConsumingInOrder | undefined;

  constructor(queue: FlowQueue, options: Options, send: (message: FlowMessage) => void) {
    this.#queue = queue;
    this.#options = options;
    this.#send = send;
    this.#ending = new FlowEnding(queue, options);
    this.#parking = new Parking({ ...options, queue: queue.name });
    this.#order = new KeyOrder({
      order: queue.order,
      window: queue.window,
      parking: this.#parking,
      work: (delivery, turn) => this.#carry(delivery, turn),
    });
  }

  get queue(): string {
    return this.#queue.name;
  }

  start(
    onState: (state: 'connected' | 'disconnected') => void,
    { isPaused }: { readonly isPaused: boolean },
  ): void {
    const { broker, logger } = this.#options;
    this.#consuming = consumeInOrder(broker, this.#queue.name, {
      keyOrder: this.#order,
      parking: this.#parking,
      window: this.#queue.window,
      logger,
      onState,
      isPaused,
      toOwn: (delivery) => this.#toOwn(delivery),
    });
  }

  /** Takes no more until `resume`. */
  pause(): void {
    this.#consuming?.pause();
  }

  resume(): void {
    this.#consuming?.resume();
  }

  /** Somebody has decided about those of a key that are set aside. */
  release(key: string): void {
    this.#consuming?.release(key);
  }

  /**
   * Takes no more; what waits for its turn or for another run goes back. `through` resolves when those in the flow are
   * through, `released` as soon as another consumer overtakes none of them.
   */
  stop(): { readonly released: Promise<void>; readonly through: Promise<void> } {
    this.#stopping.abort();
    const isUnordered = this.#queue.order === 'none';
    const stopped = Promise.resolve(this.#consuming?.stop());
    const through = stopped.then(async () => {
      await this.#order.stop();
      this.#parking.stop();
    });
    return { released: isUnordered ? stopped : through, through };
  }

  /**
   * An event's copies share one id: what happens to one of them must not count for the others. Each
   * becomes a message of its own, made from the event, the same one when it is delivered again.
   */
  #toOwn(delivery: Delivery): Delivery {
    const { queue, envelope } = delivery;
    if (!isEventQueue(queue)) return delivery;
    const { causationId } = envelope;
    // It was one already when it was set aside, and is back.
    if (causationId !== undefined && deriveId(causationId, queue) === envelope.id) return delivery;
    const id = deriveId(envelope.id, queue);
    // What the ledger knows is about the event.
    const { ledgerState: _, ...rest } = delivery;
    return { ...rest, envelope: { ...envelope, id, causationId: envelope.id } };
  }

  /** Never rejects. */
  async #carry(delivery: Delivery, turn: Turn): Promise<void> {
    const { suspects, logger, recorder } = this.#options;
    try {
      await suspects.inTurn(delivery, () => this.#repeat(delivery, turn));
    } catch (error) {
      logger.warn({ id: delivery.envelope.id, err: error }, 'A message goes back unsettled.');
      // The worker lives: it must not look as if the message had ended it, neither to this one nor to the next.
      suspects.acquit(delivery.envelope.id);
      const details = { kind: 'failed', queue: this.queue, issues: [endNotStored] } as const;
      recorder.note(delivery.envelope, details);
      // Where it was settled and that failed, the broker delivers it again by itself.
      const delayMs = keepsPlace(this.#queue, delivery.envelope)
        ? 0
        : backoffMs(delivery.envelope.attempt);
      if (delayMs === 0) await pause(backoffMs(1), delivery.voided);
      await delivery.retry(delayMs, { countAttempt: false }).catch(() => undefined);
    }
  }

  async #repeat(delivery: Delivery, turn: Turn): Promise<void> {
    if (await this.#wasSettled(delivery)) return;
    const { envelope } = delivery;
    const { recorder, suspects, revision } = this.#options;
    const waiting = this.#leaving.or(delivery.voided);
    const awaited = revision.wait(envelope.revision);
    if (awaited !== undefined) {
      turn.block();
      await settledOr(awaited, waiting);
      if (waiting.aborted) return giveBack(delivery);
    }
    let { attempt } = envelope;
    let redelivered = delivery.redelivered;
    let earlier = redelivered ? await this.#findEarlierRuns(delivery) : undefined;
    if (earlier !== undefined) {
      if (earlier.fatal.length > 0) {
        await this.#ending.giveUp(delivery, { envelope, turn, issues: earlier.fatal });
        return;
      }
      attempt = Math.max(attempt, earlier.attempt);
    }
    for (;;) {
      const start = async (): Promise<Next> => {
        // Durable before it runs: if it ends the worker, that counts.
        if (earlier !== undefined) await recorder.write([this.#event(envelope, 'taken')]);
        return this.#runOnce(delivery, { attempt, redelivered, turn });
      };
      const next = await suspects.run(start, { alone: earlier?.isLastTrial === true });
      if (next === 'settled') return;
      earlier = undefined;
      turn.block();
      await pause(next.delayMs, waiting);
      if (waiting.aborted) return giveBack(delivery);
      // Somebody may have withdrawn it meanwhile.
      if (await this.#wasSettled(delivery, { askAgain: true })) return;
      ({ attempt } = next);
      // Something of it may have been sent by now.
      redelivered = true;
    }
  }

  #findEarlierRuns({ envelope: { id } }: Delivery): Promise<EarlierRuns> {
    const { ledger, logger, suspects } = this.#options;
    return suspects.findEarlierRuns(ledger, id).catch((error: unknown) => {
      logger.warn({ id, err: error }, 'A suspect runs without the ledger.');
      return { fatal: [], attempt: 1, isLastTrial: false };
    });
  }

  /** A repeated delivery of what is done is settled as it was, without its flow. */
  async #wasSettled(delivery: Delivery, { askAgain = false } = {}): Promise<boolean> {
    const { ledger, logger } = this.#options;
    const { id } = delivery.envelope;
    let state = askAgain ? undefined : delivery.ledgerState;
    if (state === undefined) {
      const states = await ledger.states([id]).catch((error: unknown) => {
        // Without the ledger a repeated message cannot be told; it goes through rather than wait.
        logger.warn({ id, err: error }, 'The ledger could not be asked.');
        return undefined;
      });
      state = states?.get(id);
    }
    const settle = await findSettling(state === 'unknown' ? undefined : state, delivery, ledger);
    if (settle === undefined) return false;
    await settle();
    return true;
  }

  async #runOnce(
    delivery: Delivery,
    of: { readonly attempt: number; readonly redelivered: boolean; readonly turn: Turn },
  ): Promise<Next> {
    const { attempt, redelivered } = of;
    const envelope: Envelope =
      attempt === delivery.envelope.attempt ? delivery.envelope : { ...delivery.envelope, attempt };
    const run = this.#options.begin(envelope, { redelivered });
    run.pending.add([], this.#begun(envelope, delivery));
    const result = await this.#options.run(run, this.#send);
    return this.#ending.settle(delivery, run, { result, turn: of.turn });
  }

  /** The start of a suspect is in the ledger already. */
  #begun(envelope: Envelope, delivery: Delivery): readonly LedgerEntry[] {
    if (delivery.redelivered) return [];
    const taken = this.#event(envelope, 'taken');
    if (!isEventQueue(this.queue) || envelope.attempt > 1) return [taken];
    return [{ type: 'message', envelope }, this.#event(envelope, 'queued'), taken];
  }

  #event(envelope: Envelope, kind: 'queued' | 'taken'): LedgerEntry {
    return this.#options.recorder.event(envelope, { kind, queue: this.queue });
  }
}
