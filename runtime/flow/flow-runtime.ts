import type { Envelope } from '../../core/envelope.ts';
import { isEventQueue } from '../../core/interface.ts';
import type { Mapper } from '../../core/mapping/mapper.ts';
import type { Issue } from '../../core/issue.ts';
import type { Broker, Delivery } from '../../core/ports/broker.ts';
import type {
  FlowDestination,
  FlowMessage,
  FlowResponse,
  FlowRuntime,
  FlowSource,
  ReplyOutcome,
} from '../../core/ports/flow-runtime.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import { startConsuming, type Consuming } from '../consuming.ts';
import { deriveId } from '../derived-id.ts';
import { newId } from '../ids.ts';
import { toPayload } from '../payload.ts';
import { Recorder } from '../recorder.ts';
import { backoffMs, decideFlow } from '../retry-policy.ts';
import type { SettlementTracker } from '../settlement/tracker.ts';
import type { FlowResult, Transaction } from '../settlement/transaction.ts';
import { findSettling } from '../states.ts';
import { flowStopped, toFailure } from './failure.ts';
import type { InFlow } from './outbound.ts';
import { Outbox } from './outbox.ts';
import { Replies } from './replies.ts';
import { findFatalStarts, Suspects } from './suspects.ts';

interface Options {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly tracker: SettlementTracker;
  readonly logger: Logger;
  readonly clock: Clock;
  /** The mappings that `hl7 map` uses, compiled once. */
  readonly mapper: Mapper;
  /** Unsettled messages per source. */
  readonly window: number;
  /** A flow that is not through by then is tried again. */
  readonly flowTimeoutMs: number;
}

type StateListener = (state: 'connected' | 'disconnected') => void;

/** FlowRuntime over the real broker and ledger; `drain` is for deploys and shutdown. */
export class WorkerFlowRuntime implements FlowRuntime {
  readonly #options: Options;
  readonly #recorder: Recorder;
  readonly #outbox: Outbox;
  readonly #replies: Replies;
  readonly #suspects = new Suspects();
  readonly #inFlow = new Map<Transaction, InFlow>();
  readonly #sources = new Set<Consuming>();
  readonly #stateListeners = new Set<StateListener>();

  constructor(options: Options) {
    this.#options = options;
    this.#recorder = new Recorder(options);
    const parts = {
      ...options,
      recorder: this.#recorder,
      findInFlow: (message: FlowMessage) => {
        const transaction = options.tracker.find(message);
        return transaction === undefined ? undefined : this.#inFlow.get(transaction);
      },
    };
    this.#outbox = new Outbox(parts);
    this.#replies = new Replies(parts);
  }

  get mapper(): Mapper {
    return this.#options.mapper;
  }

  consume(queue: string, send: (message: FlowMessage) => void): FlowSource {
    const { broker, logger, window } = this.#options;
    const listeners: StateListener[] = [];
    const tell: StateListener = (state) => {
      for (const listener of listeners) listener(state);
    };
    this.#stateListeners.add(tell);
    const consuming = startConsuming(broker, queue, {
      window,
      logger,
      onState: tell,
      onDelivery: (delivery) => this.#carry(this.#toOwn(delivery), send),
    });
    this.#sources.add(consuming);
    return {
      stop: () => {
        this.#sources.delete(consuming);
        this.#stateListeners.delete(tell);
        consuming.stop().catch((error: unknown) => {
          logger.warn({ queue, err: error }, 'The consumer did not stop cleanly.');
        });
      },
      onState: (listener) => {
        listeners.push(listener);
      },
    };
  }

  send(message: FlowMessage, destination: FlowDestination): Promise<void> {
    return this.#outbox.send(message, destination);
  }

  publishEvent(message: FlowMessage, topic: string, nodeId: string): Promise<void> {
    return this.#outbox.publishEvent(message, topic, nodeId);
  }

  reply(message: FlowMessage, response: FlowResponse): Promise<ReplyOutcome> {
    return this.#replies.reply(message, response);
  }

  reject(message: FlowMessage, issues: readonly Issue[]): void {
    const transaction = this.#options.tracker.find(message);
    if (transaction === undefined) return;
    (transaction.rejection ??= []).push(...issues);
  }

  /** The broker's connection came or went: the source nodes show it. */
  announce(state: 'connected' | 'disconnected'): void {
    for (const tell of this.#stateListeners) tell(state);
  }

  /** Takes no more messages and waits until those in the flows are through, at most `boundMs`. */
  async drain(boundMs: number): Promise<void> {
    const sources = [...this.#sources];
    await Promise.all(sources.map((source) => source.stop()));
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      Promise.all(sources.map((source) => source.idle())),
      new Promise<void>((resolve) => (timer = setTimeout(resolve, boundMs))),
    ]);
    clearTimeout(timer);
  }

  /**
   * An event's copies share one id: what happens to one of them must not count for the others. Each
   * becomes a message of its own, made from the event, the same one when it is delivered again.
   */
  #toOwn(delivery: Delivery): Delivery {
    const { queue, envelope } = delivery;
    if (!isEventQueue(queue)) return delivery;
    const copy: Envelope = {
      ...envelope,
      id: deriveId(envelope.id, queue),
      causationId: envelope.id,
    };
    const isFirst = !delivery.redelivered && envelope.attempt === 1;
    void this.#recorder.write([
      { type: 'message', envelope: copy },
      ...(isFirst ? [this.#recorder.event(copy, { kind: 'queued', queue })] : []),
    ]);
    return { ...delivery, envelope: copy };
  }

  /** One delivery from its arrival to its settlement. Never rejects. */
  async #carry(delivery: Delivery, send: (message: FlowMessage) => void): Promise<void> {
    const { envelope } = delivery;
    try {
      await this.#suspects.inTurn(delivery, async () => {
        if (await this.#wasSettled(delivery)) return;
        const reasons = delivery.redelivered ? await this.#startSuspect(delivery) : [];
        if (!delivery.redelivered) {
          this.#recorder.note(envelope, { kind: 'taken', queue: delivery.queue });
        }
        const result: FlowResult =
          reasons.length > 0
            ? { kind: 'rejected', issues: reasons }
            : await this.#run(delivery, send);
        await this.#settle(delivery, result);
      });
    } catch (error) {
      this.#options.logger.warn({ id: envelope.id, err: error }, 'A message goes back unsettled.');
      // Where it was settled and that failed, the broker delivers it again by itself.
      await delivery
        .retry(backoffMs(envelope.attempt), { countAttempt: false })
        .catch(() => undefined);
    }
  }

  /** Its start is durable before it runs: if it ends the worker, that counts. Gives the reasons to give it up. */
  async #startSuspect({ envelope, queue }: Delivery): Promise<readonly Issue[]> {
    const { ledger, logger } = this.#options;
    try {
      const reasons = await findFatalStarts(ledger, envelope.id);
      if (reasons.length > 0) return reasons;
      await ledger.append([this.#recorder.event(envelope, { kind: 'taken', queue })]);
    } catch (error) {
      logger.warn({ id: envelope.id, err: error }, 'A suspect runs without the ledger.');
    }
    return [];
  }

  /** A repeated delivery of what is done is settled as it was, without its flow. */
  async #wasSettled(delivery: Delivery): Promise<boolean> {
    const { ledger, logger } = this.#options;
    const { id } = delivery.envelope;
    const states = await ledger.states([id]).catch((error: unknown) => {
      // Without the ledger a repeated message cannot be told; it goes through rather than wait.
      logger.warn({ id, err: error }, 'The ledger could not be asked.');
      return undefined;
    });
    const state = states?.get(id);
    const settle = await findSettling(state, delivery, ledger);
    if (settle === undefined) return false;
    await settle();
    return true;
  }

  #run(delivery: Delivery, send: (message: FlowMessage) => void): Promise<FlowResult> {
    const { tracker, clock, flowTimeoutMs } = this.#options;
    const { envelope, redelivered } = delivery;
    const { body, ...header } = envelope;
    const payload = toPayload(envelope);
    const message: FlowMessage = {
      _msgid: newId(clock()),
      payload: payload.value,
      envelope: header,
    };
    return new Promise((resolve) => {
      let transaction: Transaction | undefined;
      tracker.run(
        message,
        flowTimeoutMs,
        (begun) => {
          transaction = begun;
          this.#inFlow.set(begun, { envelope, payload, redelivered });
          send(message);
        },
        (result) => {
          if (transaction !== undefined) this.#inFlow.delete(transaction);
          resolve(result);
        },
      );
    });
  }

  async #settle(delivery: Delivery, result: FlowResult): Promise<void> {
    const { logger } = this.#options;
    const { envelope, queue } = delivery;
    const { id, attempt } = envelope;
    const record = (kind: 'processed' | 'failed' | 'dead-lettered', issues?: readonly Issue[]) =>
      this.#recorder.write([
        this.#recorder.event(envelope, {
          kind,
          queue,
          ...(issues === undefined ? {} : { issues }),
        }),
      ]);
    if (result.kind === 'completed') {
      const replies = await this.#replies.conclude(envelope, { kind: 'completed' });
      await Promise.all([record('processed'), delivery.accept(replies)]);
      return;
    }
    if (result.kind === 'aborted') {
      await Promise.all([
        record('failed', [flowStopped]),
        delivery.retry(0, { countAttempt: false }),
      ]);
      return;
    }
    const { errorClass, issues } = toFailure(result);
    const decision = decideFlow(errorClass, attempt, issues);
    if (decision.retry) {
      logger.warn({ id, attempt, issues }, 'The flow failed and will run again.');
      // What is ours to be there is no fault of the message: it spends no attempt.
      const countAttempt = errorClass !== 'transient';
      const { delayMs } = decision;
      await Promise.all([record('failed', issues), delivery.retry(delayMs, { countAttempt })]);
    } else {
      logger.warn({ id, issues: decision.issues }, 'The message is dead-lettered.');
      const { issues: reasons } = decision;
      const replies = await this.#replies.conclude(envelope, { kind: 'given-up', issues: reasons });
      await Promise.all([record('dead-lettered', reasons), delivery.deadLetter(reasons, replies)]);
    }
  }
}
