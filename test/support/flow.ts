import type { FlowMessage, FlowResponse, ReplyOutcome } from '../../core/ports/flow-runtime.ts';
import type { Issue } from '../../core/issue.ts';
import type { Broker, Consumer, Delivery } from '../../core/ports/broker.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { InFlow } from '../../runtime/flow/outbound.ts';
import { Replies } from '../../runtime/flow/replies.ts';
import { toPayload } from '../../runtime/payload.ts';
import { Recorder } from '../../runtime/recorder.ts';
import { silent } from './edge.ts';

/** One message in the flow, held until the test ends it. */
interface InTestFlow {
  readonly delivery: Delivery;
  reply(response: FlowResponse, payload?: unknown): Promise<ReplyOutcome>;
  complete(): Promise<void>;
  giveUp(issues: readonly Issue[]): Promise<void>;
}

/** A flow that does what the test says, with what a worker has between queue, ledger and the edge. */
export interface TestFlow {
  /** The next message, in the order in which they come. */
  next(): Promise<InTestFlow>;
  /** How many have come. */
  readonly count: number;
  stop(): Promise<void>;
}

export async function openTestFlow(
  { broker, ledger }: { readonly broker: Broker; readonly ledger: Ledger },
  queue: string,
): Promise<TestFlow> {
  const parts = { broker, ledger, logger: silent, clock: Date.now };
  const recorder = new Recorder(parts);
  const inFlows = new Map<string, InFlow>();
  const replies = new Replies({
    ...parts,
    recorder,
    findRun: ({ _msgid }: FlowMessage) => inFlows.get(_msgid ?? ''),
  });
  const arrived: InTestFlow[] = [];
  const waiting: ((each: InTestFlow) => void)[] = [];
  let count = 0;
  const take = (delivery: Delivery): void => {
    const { envelope, redelivered } = delivery;
    const payload = toPayload(envelope);
    const id = `${envelope.id} ${(count += 1)}`;
    inFlows.set(id, { envelope, payload, redelivered });
    const write = (kind: 'processed' | 'dead-lettered', issues?: readonly Issue[]) =>
      recorder.write([recorder.event(envelope, { kind, queue, ...(issues && { issues }) })]);
    const each: InTestFlow = {
      delivery,
      reply: (response, given = payload.value) =>
        replies.reply({ _msgid: id, payload: given }, response),
      complete: async () => {
        const outgoing = await replies.conclude(envelope, { kind: 'completed' });
        await Promise.all([write('processed'), delivery.accept(outgoing)]);
      },
      giveUp: async (issues) => {
        const outgoing = await replies.conclude(envelope, { kind: 'given-up', issues });
        await Promise.all([write('dead-lettered', issues), delivery.deadLetter(issues, outgoing)]);
      },
    };
    const next = waiting.shift();
    if (next === undefined) arrived.push(each);
    else next(each);
  };
  const consumer: Consumer = await broker.consume(queue, { window: 64 }, take);
  return {
    next: () => {
      const first = arrived.shift();
      if (first !== undefined) return Promise.resolve(first);
      return new Promise((resolve) => waiting.push(resolve));
    },
    get count() {
      return count;
    },
    stop: () => consumer.stop(),
  };
}
