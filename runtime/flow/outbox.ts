import type { Envelope, EnvelopeHeader } from '../../core/envelope.ts';
import type { Broker, Outgoing } from '../../core/ports/broker.ts';
import type { FlowDestination, FlowMessage } from '../../core/ports/flow-runtime.ts';
import type { Ledger, LedgerEntry, LedgerEvent, MessageState } from '../../core/ports/ledger.ts';
import type { Clock } from '../clock.ts';
import type { Trail } from '../changes/trail.ts';
import { publishAll } from '../publish-all.ts';
import type { Recorder } from '../recorder.ts';
import type { AwaitedRevision } from './awaited-revision.ts';
import { Ordinals } from './ordinals.ts';
import { buildOutbound, type InFlow } from './outbound.ts';
import type { Pending } from './pending.ts';

/** A message in a flow, with what the flow has made of it so far. */
export interface FlowRun extends InFlow {
  readonly pending: Pending;
  /** What the nodes make of the payload; absent: that is not kept. */
  readonly trail?: Trail;
}

interface Options {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly recorder: Recorder;
  readonly clock: Clock;
  /** The revision that runs here. */
  readonly revision: AwaitedRevision;
  /** The followed message that a flow's message belongs to. */
  readonly findRun: (message: FlowMessage) => FlowRun | undefined;
}

interface Child {
  readonly envelope: Envelope;
  readonly run: FlowRun | undefined;
  readonly parent: EnvelopeHeader | undefined;
  /** What the ledger knows of it already: an earlier run of the flow may have sent it. */
  readonly known: MessageState | undefined;
}

/**
 * What flows send, once although a flow runs again: stored with the settlement of the message that it was made
 * from, else durable before the node is done.
 */
export class Outbox {
  readonly #options: Options;
  readonly #ordinals = new Ordinals();

  constructor(options: Options) {
    this.#options = options;
  }

  async send(message: FlowMessage, { nodeId, queue }: FlowDestination): Promise<void> {
    const child = await this.#build(message, nodeId);
    const { envelope, known } = child;
    const became = { kind: 'queued', queue } as const;
    // Queued may mean: written to the ledger, and not known to be in the queue.
    if (known !== undefined && known !== 'queued') return this.#completeBirth(child, became);
    const birth = known === undefined ? this.#birth(child, became) : [];
    await this.#store(child, [{ queue, envelope }], birth);
  }

  async publishEvent(message: FlowMessage, topic: string, nodeId: string): Promise<void> {
    const child = await this.#build(message, nodeId);
    if (child.known !== undefined) return;
    const event = { kind: 'delivered', summary: `topic ${topic}` } as const;
    await this.#store(child, [{ topic, envelope: child.envelope }], this.#birth(child, event));
  }

  /** What goes out is durable first: whoever finds it in the ledger can rely on that. */
  async store(outgoing: readonly Outgoing[], entries: readonly LedgerEntry[]): Promise<void> {
    const { broker, recorder } = this.#options;
    await publishAll(broker, outgoing);
    await recorder.write(entries);
  }

  /** It was sent by a run whose worker ended before it could say so: then the ledger has only what came later. */
  async #completeBirth(child: Child, became: Pick<LedgerEvent, 'kind' | 'queue'>): Promise<void> {
    const { id } = child.envelope;
    const isThere = await this.#options.ledger.read(id).then(
      (found) => found?.id === id,
      () => true,
    );
    if (!isThere) await this.#store(child, [], this.#birth(child, became));
  }

  async #store(
    { run }: Child,
    outgoing: readonly Outgoing[],
    birth: readonly LedgerEntry[],
  ): Promise<void> {
    if (run?.pending.add(outgoing, birth) === true) return;
    await this.store(outgoing, birth);
  }

  async #build(message: FlowMessage, nodeId: string): Promise<Child> {
    const { clock, ledger, findRun, revision } = this.#options;
    const run = findRun(message);
    const parent: EnvelopeHeader | undefined = run?.envelope ?? message.envelope;
    const ordinal = parent === undefined ? 1 : this.#ordinals.next(run, parent, nodeId);
    const envelope = buildOutbound(message, {
      ...{ nodeId, inFlow: run, ordinal, nowMs: clock() },
      revision: revision.number,
    });
    // The first run of a flow that is still followed cannot have sent it before.
    const isFirst = run?.envelope.attempt === 1 && !run.redelivered;
    if (isFirst || parent === undefined) return { envelope, run, parent, known: undefined };
    // Without the ledger it cannot be told: rather twice than not at all.
    const states = await ledger.states([envelope.id]).catch(() => undefined);
    return { envelope, run, parent, known: states?.get(envelope.id) };
  }

  /** What the ledger writes when a flow made a message. */
  #birth(
    { envelope, parent }: Child,
    became: Pick<LedgerEvent, 'kind' | 'queue' | 'summary'>,
  ): readonly LedgerEntry[] {
    const { recorder } = this.#options;
    const entries: LedgerEntry[] = [{ type: 'message', envelope }];
    if (parent !== undefined) entries.push(recorder.event(parent, { ...became, kind: 'sent' }));
    entries.push(recorder.event(envelope, became));
    return entries;
  }
}
