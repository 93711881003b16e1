import type { Envelope, EnvelopeHeader } from '../../core/envelope.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { FlowDestination, FlowMessage } from '../../core/ports/flow-runtime.ts';
import type { Ledger, LedgerEntry, LedgerEvent, MessageState } from '../../core/ports/ledger.ts';
import type { Clock } from '../clock.ts';
import type { Recorder } from '../recorder.ts';
import { Ordinals } from './ordinals.ts';
import { buildOutbound, type InFlow } from './outbound.ts';

interface Options {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly recorder: Recorder;
  readonly clock: Clock;
  /** The followed message that a flow's message belongs to. */
  readonly findInFlow: (message: FlowMessage) => InFlow | undefined;
}

interface Child {
  readonly envelope: Envelope;
  readonly parent: EnvelopeHeader | undefined;
  /** What the ledger knows of it already: an earlier run of the flow may have sent it. */
  readonly known: MessageState | undefined;
}

/** What flows send: durable before a node is done, and once although a flow runs again. */
export class Outbox {
  readonly #options: Options;
  readonly #ordinals = new Ordinals();

  constructor(options: Options) {
    this.#options = options;
  }

  async send(message: FlowMessage, { nodeId, queue }: FlowDestination): Promise<void> {
    const { envelope, parent, known } = await this.#build(message, nodeId);
    // Queued may mean: written to the ledger, and not known to be in the queue.
    if (known !== undefined && known !== 'queued') return;
    const { broker, ledger } = this.#options;
    const publishing = broker.publish(queue, envelope);
    const birth = this.#birth(envelope, parent, { kind: 'queued', queue });
    await Promise.all([publishing, known === undefined ? ledger.append(birth) : undefined]);
  }

  async publishEvent(message: FlowMessage, topic: string, nodeId: string): Promise<void> {
    const { envelope, parent, known } = await this.#build(message, nodeId);
    if (known !== undefined) return;
    const { broker, ledger } = this.#options;
    await broker.publishEvent(topic, envelope);
    const event = { kind: 'delivered', summary: `topic ${topic}` } as const;
    await ledger.append(this.#birth(envelope, parent, event));
  }

  async #build(message: FlowMessage, nodeId: string): Promise<Child> {
    const { clock, ledger, findInFlow } = this.#options;
    const inFlow = findInFlow(message);
    const parent: EnvelopeHeader | undefined = inFlow?.envelope ?? message.envelope;
    const ordinal = parent === undefined ? 1 : this.#ordinals.next(inFlow, parent, nodeId);
    const envelope = buildOutbound(message, { nodeId, inFlow, ordinal, nowMs: clock() });
    // The first run of a flow that is still followed cannot have sent it before.
    const isFirst = inFlow?.envelope.attempt === 1 && !inFlow.redelivered;
    if (isFirst || parent === undefined) return { envelope, parent, known: undefined };
    const states = await ledger.states([envelope.id]);
    return { envelope, parent, known: states.get(envelope.id) };
  }

  /** What the ledger writes when a flow made a message. */
  #birth(
    child: Envelope,
    parent: EnvelopeHeader | undefined,
    became: Pick<LedgerEvent, 'kind' | 'queue' | 'summary'>,
  ): readonly LedgerEntry[] {
    const { recorder } = this.#options;
    const entries: LedgerEntry[] = [{ type: 'message', envelope: child }];
    if (parent !== undefined) entries.push(recorder.event(parent, { ...became, kind: 'sent' }));
    entries.push(recorder.event(child, became));
    return entries;
  }
}
