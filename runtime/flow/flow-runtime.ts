import type { Envelope, EnvelopeHeader } from '../../core/envelope.ts';
import type { Issue } from '../../core/issue.ts';
import type { Mapper } from '../../core/mapping/mapper.ts';
import type { Broker, Consumer, Delivery } from '../../core/ports/broker.ts';
import type {
  FlowDestination,
  FlowMessage,
  FlowRuntime,
  FlowSource,
} from '../../core/ports/flow-runtime.ts';
import type { Ledger, LedgerEntry, LedgerEvent } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import { newId, toInstant } from '../ids.ts';
import { toPayload } from '../payload.ts';
import { decideFlow } from '../retry-policy.ts';
import type { SettlementTracker } from '../settlement/tracker.ts';
import type { FlowResult, Transaction } from '../settlement/transaction.ts';
import { isFinished } from '../states.ts';
import { flowStopped, toFailure } from './failure.ts';
import { buildOutbound, type InFlow } from './outbound.ts';

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
  readonly #inFlow = new Map<Transaction, InFlow>();
  readonly #sources = new Set<{ stop(): Promise<void> }>();
  readonly #settling = new Set<Promise<void>>();
  readonly #stateListeners = new Set<StateListener>();
  #drained: (() => void) | undefined;

  constructor(options: Options) {
    this.#options = options;
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
    let stopped = false;
    const starting: Promise<Consumer | undefined> = broker
      .consume(queue, { window }, (delivery) => {
        void this.#take(delivery, send);
      })
      .then(
        (consumer) => {
          tell('connected');
          return consumer;
        },
        (error: unknown) => {
          logger.error({ queue, err: error }, 'The queue could not be consumed.');
          tell('disconnected');
          return undefined;
        },
      );
    const source = {
      stop: async (): Promise<void> => {
        if (stopped) return;
        stopped = true;
        this.#sources.delete(source);
        this.#stateListeners.delete(tell);
        await (await starting)?.stop();
      },
    };
    this.#sources.add(source);
    return {
      stop: () => {
        source.stop().catch((error: unknown) => {
          logger.warn({ queue, err: error }, 'The consumer did not stop cleanly.');
        });
      },
      onState: (listener) => {
        listeners.push(listener);
      },
    };
  }

  async send(message: FlowMessage, { nodeId, queue }: FlowDestination): Promise<void> {
    const { child, parent, known } = await this.#buildChild(message, nodeId);
    if (known !== undefined && known !== 'queued') return;
    const { broker, ledger } = this.#options;
    await Promise.all([
      broker.publish(queue, child),
      known === undefined
        ? ledger.append(this.#birth(child, parent, { kind: 'queued', queue }))
        : null,
    ]);
  }

  async publishEvent(message: FlowMessage, topic: string, nodeId: string): Promise<void> {
    const { child, parent, known } = await this.#buildChild(message, nodeId);
    if (known !== undefined) return;
    const { broker, ledger } = this.#options;
    await broker.publishEvent(topic, child);
    await ledger.append(
      this.#birth(child, parent, { kind: 'delivered', summary: `topic ${topic}` }),
    );
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
    await Promise.all([...this.#sources].map((source) => source.stop()));
    if (this.#inFlow.size > 0) {
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((resolve) => (this.#drained = resolve)),
        new Promise<void>((resolve) => (timer = setTimeout(resolve, boundMs))),
      ]);
      clearTimeout(timer);
    }
    await Promise.all(this.#settling);
  }

  async #take(delivery: Delivery, send: (message: FlowMessage) => void): Promise<void> {
    const { ledger, tracker, clock, logger, flowTimeoutMs } = this.#options;
    const { envelope } = delivery;
    try {
      const states = await ledger.states([envelope.id]);
      if (isFinished(states.get(envelope.id))) {
        await delivery.accept();
        return;
      }
    } catch (error) {
      // Without the ledger a repeated message cannot be told; it goes through rather than wait.
      logger.warn({ id: envelope.id, err: error }, 'The ledger could not be asked.');
    }
    this.#note(envelope, { kind: 'taken', queue: delivery.queue });
    const { body, ...header } = envelope;
    const payload = toPayload(envelope);
    const message: FlowMessage = {
      _msgid: newId(clock()),
      payload: payload.value,
      envelope: header,
    };
    let transaction: Transaction | undefined;
    const settled = (result: FlowResult): void => {
      if (transaction !== undefined) this.#inFlow.delete(transaction);
      const settling = this.#settle(delivery, result).finally(() => {
        this.#settling.delete(settling);
        if (this.#inFlow.size === 0) this.#drained?.();
      });
      this.#settling.add(settling);
    };
    tracker.run(
      message,
      flowTimeoutMs,
      (begun) => {
        transaction = begun;
        this.#inFlow.set(begun, { envelope, payload });
        send(message);
      },
      settled,
    );
  }

  async #settle(delivery: Delivery, result: FlowResult): Promise<void> {
    const { logger } = this.#options;
    const { envelope, queue } = delivery;
    try {
      if (result.kind === 'completed') {
        await this.#finish(envelope, { kind: 'processed', queue }, delivery.accept());
        return;
      }
      if (result.kind === 'aborted') {
        const issues = [flowStopped];
        await this.#finish(envelope, { kind: 'failed', queue, issues }, delivery.retry(0));
        return;
      }
      const { errorClass, issues } = toFailure(result);
      const decision = decideFlow(errorClass, envelope.attempt, issues);
      if (decision.retry) {
        logger.warn({ id: envelope.id, attempt: envelope.attempt, issues }, 'The flow failed.');
        const { delayMs } = decision;
        await this.#finish(envelope, { kind: 'failed', queue, issues }, delivery.retry(delayMs));
      } else {
        logger.warn({ id: envelope.id, issues: decision.issues }, 'The message is dead-lettered.');
        await this.#finish(
          envelope,
          { kind: 'dead-lettered', queue, issues: decision.issues },
          delivery.deadLetter(decision.issues),
        );
      }
    } catch (error) {
      // Not settled: the broker delivers it again.
      logger.warn({ id: envelope.id, err: error }, 'The message could not be settled.');
    }
  }

  async #finish(
    envelope: Envelope,
    event: Pick<LedgerEvent, 'kind' | 'queue' | 'issues'>,
    settling: Promise<void>,
  ): Promise<void> {
    await Promise.all([this.#options.ledger.append([this.#event(envelope, event)]), settling]);
  }

  #event(
    envelope: EnvelopeHeader,
    event: Pick<LedgerEvent, 'kind' | 'queue' | 'issues' | 'summary'>,
  ): LedgerEntry {
    return {
      type: 'event',
      event: {
        messageId: envelope.id,
        at: toInstant(this.#options.clock()),
        attempt: envelope.attempt,
        ...event,
      },
    };
  }

  /** An event that nothing waits for. */
  #note(envelope: EnvelopeHeader, event: Pick<LedgerEvent, 'kind' | 'queue'>): void {
    const { ledger, logger } = this.#options;
    ledger.append([this.#event(envelope, event)]).catch((error: unknown) => {
      logger.warn({ id: envelope.id, err: error }, 'The ledger did not take an event.');
    });
  }

  /** What the ledger writes when a flow made a message. */
  #birth(
    child: Envelope,
    parent: EnvelopeHeader | undefined,
    became: Pick<LedgerEvent, 'kind' | 'queue' | 'summary'>,
  ): readonly LedgerEntry[] {
    const entries: LedgerEntry[] = [{ type: 'message', envelope: child }];
    if (parent !== undefined) entries.push(this.#event(parent, { ...became, kind: 'sent' }));
    entries.push(this.#event(child, became));
    return entries;
  }

  /** The outbound message, and what the ledger knows of it when the flow is being retried. */
  async #buildChild(message: FlowMessage, nodeId: string) {
    const { tracker, ledger, clock } = this.#options;
    const transaction = tracker.find(message);
    const inFlow = transaction === undefined ? undefined : this.#inFlow.get(transaction);
    const ordinal = (transaction?.notes.get(nodeId) ?? 0) + 1;
    transaction?.notes.set(nodeId, ordinal);
    const child = buildOutbound(message, { nodeId, inFlow, ordinal, nowMs: clock() });
    const retried = (inFlow?.envelope.attempt ?? 1) > 1;
    const known = retried ? (await ledger.states([child.id])).get(child.id) : undefined;
    return { child, parent: inFlow?.envelope ?? message.envelope, known };
  }
}
