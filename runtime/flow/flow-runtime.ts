import type { Envelope } from '../../core/envelope.ts';
import type { QueueDeclaration } from '../../core/interface.ts';
import type { Mappings } from '../../core/mapping/mappings.ts';
import type { Issue } from '../../core/issue.ts';
import type { Broker } from '../../core/ports/broker.ts';
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
import { Trail } from '../changes/trail.ts';
import type { Clock } from '../clock.ts';
import type { Running } from '../process/loop-guard.ts';
import type { LedgerSpool } from '../spool/ledger-spool.ts';
import type { NoneSetAside } from '../order/none-set-aside.ts';
import { newId } from '../ids.ts';
import { toPayload } from '../payload.ts';
import { Recorder } from '../recorder.ts';
import type { SettlementTracker } from '../settlement/tracker.ts';
import type { FlowResult, Transaction } from '../settlement/transaction.ts';
import { AwaitedRevision } from './awaited-revision.ts';
import { FlowConsumer } from './flow-consumer.ts';
import { Outbox, type FlowRun } from './outbox.ts';
import { Pending } from './pending.ts';
import { Replies } from './replies.ts';
import { Suspects, type Culprit } from './suspects.ts';

interface Options {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly ledgerSpool?: LedgerSpool;
  readonly noneSetAside?: NoneSetAside;
  readonly tracker: SettlementTracker;
  readonly logger: Logger;
  readonly clock: Clock;
  /** The maps and tables that nodes map with. */
  readonly mappings: Mappings;
  /** The profiles that `hl7 validate` checks by. */
  readonly findProfile: NonNullable<FlowRuntime['findProfile']>;
  /** How each queue is to be consumed. */
  readonly queues: readonly QueueDeclaration[];
  /** Of these nothing is taken, until {@link WorkerFlowRuntime.pause} says otherwise. */
  readonly paused: readonly string[];
  /** Nothing is taken until {@link WorkerFlowRuntime.take}. */
  readonly standsBy?: boolean;
  /** The revision that runs here, where there are revisions. */
  readonly revision?: number | undefined;
  /** Messages that are known to have ended an earlier worker. */
  readonly culprits?: readonly Culprit[];
  /** One is found, and will end no worker any more. */
  readonly onCulprit?: () => void;
  /** Unsettled messages per source. */
  readonly window: number;
  /** A flow that is not through by then is tried again. */
  readonly flowTimeoutMs: number;
  /** How many bytes of what nodes change are kept of each message, where the queue's interface does not say; 0: nothing. */
  readonly changeBytes: number;
}

type StateListener = (state: 'connected' | 'disconnected') => void;

/** FlowRuntime over the real broker and ledger; `drain` is for deploys and shutdown. */
export class WorkerFlowRuntime implements FlowRuntime {
  readonly #options: Options;
  readonly #recorder: Recorder;
  readonly #outbox: Outbox;
  readonly #replies: Replies;
  readonly #suspects: Suspects;
  readonly #revision: AwaitedRevision;
  readonly #runs = new Map<Transaction, FlowRun>();
  readonly #consumers = new Set<FlowConsumer>();
  readonly #stateListeners = new Set<StateListener>();
  #paused: ReadonlySet<string>;
  #standsBy: boolean;
  /** Of these it takes already, although it stands by. */
  readonly #taking = new Set<string>();

  constructor(options: Options) {
    this.#options = options;
    this.#paused = new Set(options.paused);
    this.#standsBy = options.standsBy ?? false;
    this.#suspects = new Suspects(options.culprits, options.onCulprit);
    this.#recorder = new Recorder(options);
    this.#revision = new AwaitedRevision({ revision: options.revision, logger: options.logger });
    const parts = {
      ...options,
      recorder: this.#recorder,
      revision: this.#revision,
      findRun: (message: FlowMessage) => {
        const transaction = options.tracker.find(message);
        return transaction === undefined ? undefined : this.#runs.get(transaction);
      },
    };
    this.#outbox = new Outbox(parts);
    this.#replies = new Replies(parts);
  }

  get mappings(): Mappings {
    return this.#options.mappings;
  }

  get findProfile(): NonNullable<FlowRuntime['findProfile']> {
    return this.#options.findProfile;
  }

  consume(queue: string, send: (message: FlowMessage) => void): FlowSource {
    const { logger, queues, window } = this.#options;
    const declared = queues.find(({ name }) => name === queue);
    const { keeps = 'none', onFailure = 'skip' } = declared ?? {};
    const { changeBytes = this.#options.changeBytes } = declared ?? {};
    const listeners: StateListener[] = [];
    const tell: StateListener = (state) => {
      for (const listener of listeners) listener(state);
    };
    this.#stateListeners.add(tell);
    const consumer = new FlowConsumer(
      { name: queue, order: keeps, onFailure, window },
      {
        ...this.#options,
        recorder: this.#recorder,
        suspects: this.#suspects,
        revision: this.#revision,
        begin: (envelope, { redelivered }) => this.#begin(envelope, { redelivered, changeBytes }),
        store: (outgoing, entries) => this.#outbox.store(outgoing, entries),
        run: (run, into) => this.#run(run, into),
        conclude: (envelope, reply) => this.#replies.conclude(envelope, reply),
      },
      send,
    );
    this.#consumers.add(consumer);
    consumer.start(tell, { isPaused: !this.#mayTake(queue) });
    return {
      stop: () => {
        this.#consumers.delete(consumer);
        this.#stateListeners.delete(tell);
        consumer.stop().through.catch((error: unknown) => {
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

  /** Whose code calls this: for the last words of a worker. */
  get running(): Running | undefined {
    const ticket = this.#options.tracker.running;
    if (ticket === undefined) return undefined;
    const messageId = this.#runs.get(ticket.transaction)?.envelope.id;
    return { nodeId: ticket.node.id, ...(messageId === undefined ? {} : { messageId }) };
  }

  /** The broker's connection came or went: the source nodes show it. */
  announce(state: 'connected' | 'disconnected'): void {
    for (const tell of this.#stateListeners) tell(state);
  }

  /** Somebody has decided about a queue's messages of a key that are set aside. */
  release(queue: string, key: string): void {
    for (const consumer of this.#consumers) if (consumer.queue === queue) consumer.release(key);
  }

  /** Of these queues nothing is taken from now on, of all others it is. What is in a flow goes through it. */
  pause(queues: readonly string[]): void {
    const wanted = new Set(queues);
    this.#change(() => {
      this.#paused = wanted;
    });
  }

  /** Stands by no longer: takes from this queue, from all of them where none is named. */
  take(queue?: string): void {
    this.#change(() => {
      if (queue === undefined) this.#standsBy = false;
      else this.#taking.add(queue);
    });
  }

  /** Messages that were taken by this revision are this worker's to run. */
  reached(revision: number): void {
    this.#revision.reached(revision);
  }

  /**
   * Takes no more messages and waits until those in the flows are through, at most `boundMs`. `onReleased` is told of
   * each queue as soon as another may take from it without overtaking what is still in a flow.
   */
  async drain(boundMs: number, onReleased: (queue: string) => void): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const byQueue = Map.groupBy(this.#consumers, ({ queue }) => queue);
    const stopping = [...byQueue].map(async ([queue, consumers]) => {
      const stops = consumers.map((consumer) => consumer.stop());
      await Promise.allSettled(stops.map(({ released }) => released));
      onReleased(queue);
      await Promise.all(stops.map(({ through }) => through));
    });
    await Promise.race([
      Promise.all(stopping),
      new Promise<void>((resolve) => (timer = setTimeout(resolve, boundMs))),
    ]);
    clearTimeout(timer);
  }

  #mayTake(queue: string): boolean {
    return !this.#paused.has(queue) && (!this.#standsBy || this.#taking.has(queue));
  }

  /** Tells the consumers whose queues may be taken from now and might not before, or the other way round. */
  #change(by: () => void): void {
    const before = new Map([...this.#consumers].map((each) => [each, this.#mayTake(each.queue)]));
    by();
    for (const [consumer, might] of before) {
      const may = this.#mayTake(consumer.queue);
      if (may && !might) consumer.resume();
      if (!may && might) consumer.pause();
    }
  }

  #begin(
    envelope: Envelope,
    { redelivered, changeBytes }: { readonly redelivered: boolean; readonly changeBytes: number },
  ): FlowRun {
    const pending = new Pending((outgoing, entries) => this.#outbox.store(outgoing, entries));
    return {
      envelope,
      payload: toPayload(envelope),
      redelivered,
      pending,
      ...(changeBytes === 0 ? {} : { trail: new Trail(changeBytes) }),
    };
  }

  #run(run: FlowRun, send: (message: FlowMessage) => void): Promise<FlowResult> {
    const { tracker, clock, flowTimeoutMs } = this.#options;
    const { body: _, ...header } = run.envelope;
    const message: FlowMessage = {
      _msgid: newId(clock()),
      payload: run.payload.value,
      envelope: header,
    };
    return new Promise((resolve) => {
      let transaction: Transaction | undefined;
      tracker.run(
        message,
        flowTimeoutMs,
        (begun) => {
          transaction = begun;
          this.#runs.set(begun, run);
          begun.trail = run.trail;
          send(message);
        },
        (result) => {
          if (transaction !== undefined) this.#runs.delete(transaction);
          resolve(result);
        },
      );
    });
  }
}
