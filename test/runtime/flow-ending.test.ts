import { buildError, HilumError } from '../../core/errors.ts';
import type { FailurePolicy, MessageOrder } from '../../core/interface.ts';
import type { Delivery, Outgoing } from '../../core/ports/broker.ts';
import type { LedgerEntry, LedgerEventKind, MessageState } from '../../core/ports/ledger.ts';
import { FlowEnding, type Next } from '../../runtime/flow/flow-ending.ts';
import { Pending } from '../../runtime/flow/pending.ts';
import { toPayload } from '../../runtime/payload.ts';
import { Recorder } from '../../runtime/recorder.ts';
import type { FlowResult } from '../../runtime/settlement/transaction.ts';
import { buildMessage, OwnerHere, silent } from './owner.ts';

const queue = 'in.lab';
const out = 'out.lab';

let owner: OwnerHere;

beforeEach(async () => {
  owner = new OwnerHere();
  await owner.open();
});
afterEach(() => owner.close());

interface Case {
  readonly result: FlowResult;
  readonly order?: MessageOrder;
  readonly onFailure?: FailurePolicy;
  readonly attempt?: number;
  /** Whether it can be set aside as the first of its key. */
  readonly canStop?: boolean;
  /** Where its flow has sent something. */
  readonly sentTo?: string;
}

interface Ended {
  readonly next: Next;
  readonly state: MessageState | undefined;
  readonly last: LedgerEventKind | undefined;
  /** What of it the broker still has to deliver, and what there is for its receiver. */
  readonly waiting: number;
  readonly sent: number;
  readonly codes: readonly string[];
  /** What it was set aside with. */
  readonly stoppedFor: readonly string[] | undefined;
}

/** One message of a flow that ended so, from its delivery to what the broker and the ledger have then. */
async function end(given: Case): Promise<Ended> {
  const { result, order = 'none', onFailure = 'skip', attempt = 1, canStop = false } = given;
  const { broker, ledger } = await owner.connect();
  for (const name of [queue, out]) await broker.declare({ name, interface: 'lab' });
  const message = buildMessage('LAB1', { key: 'MRN1', attempt });
  await ledger.append([{ type: 'message', envelope: message }]);
  await broker.publish(queue, message);
  const delivery = await new Promise<Delivery>((resolve, reject) => {
    broker.consume(queue, { window: 1 }, resolve).catch(reject);
  });
  const recorder = new Recorder({ ledger, logger: silent, clock: Date.now });
  const store = async (
    outgoing: readonly Outgoing[],
    entries: readonly LedgerEntry[],
  ): Promise<void> => {
    for (const each of outgoing)
      if ('queue' in each) await broker.publish(each.queue, each.envelope);
    await ledger.append(entries);
  };
  const ending = new FlowEnding(
    { name: queue, order, onFailure, window: 1 },
    { recorder, logger: silent, store, conclude: () => Promise.resolve([]) },
  );
  const envelope = delivery.envelope;
  const pending = new Pending(store, 60_000);
  if (given.sentTo !== undefined) {
    pending.add([{ queue: given.sentTo, envelope: buildMessage('OUT1') }], []);
  }
  let stoppedFor: readonly string[] | undefined;
  const turn = {
    block: () => undefined,
    stop: (issues: readonly { readonly code: string }[]) => {
      stoppedFor = issues.map(({ code }) => code);
      return Promise.resolve(canStop);
    },
  };
  const run = { envelope, redelivered: false, payload: toPayload(envelope), pending };
  const next = await ending.settle(delivery, run, { result, turn });
  const depths = await broker.depths();
  const count = (name: string): number => {
    const found = depths.find((each) => each.queue === name);
    return (found?.ready ?? 0) + (found?.unsettled ?? 0);
  };
  const last = (await ledger.trace(message.id))?.events.at(-1);
  return {
    next,
    state: (await ledger.states([message.id])).get(message.id),
    last: last?.kind,
    waiting: count(queue),
    sent: count(out),
    codes: last?.issues?.map(({ code }) => code) ?? [],
    stoppedFor,
  };
}

const failed = (errorClass: 'transient' | 'ambiguous' | 'permanent', held = false): FlowResult => ({
  kind: 'failed',
  nodeId: 'map',
  error: held
    ? new HilumError(errorClass, buildError(errorClass, 'of-the-node', 'It failed.').issues, {
        held: [{ node: 'map', layers: '', table: 'wards', code: 'X', source: 'PV1-3' }],
      })
    : buildError(errorClass, 'of-the-node', 'It failed.'),
});

const again = { next: 'settled', state: 'retrying', last: 'failed', waiting: 1 } as const;
const dead = {
  next: 'settled',
  state: 'dead-lettered',
  last: 'dead-lettered',
  waiting: 0,
} as const;

describe('a message whose flow', () => {
  it.each<[string, Case, Partial<Ended>]>([
    [
      'completed is processed, and what it sent goes with that',
      { result: { kind: 'completed' }, sentTo: out },
      { next: 'settled', state: 'processed', waiting: 0, sent: 1 },
    ],
    [
      'was stopped starts again, and makes again what it had made',
      { result: { kind: 'aborted' }, sentTo: out },
      { ...again, sent: 0, codes: ['flow-stopped'] },
    ],
    [
      'failed is tried again later, and what it had sent is sent',
      { result: failed('ambiguous'), sentTo: out },
      { ...again, sent: 1, codes: ['of-the-node'] },
    ],
    [
      'failed is tried again in its place where that is kept',
      { result: failed('ambiguous'), order: 'key', sentTo: out },
      { ...again, next: { delayMs: 1_000, attempt: 2 }, sent: 1 },
    ],
    [
      'failed for what is ours to be there spends no attempt',
      { result: failed('transient'), order: 'queue', attempt: 7 },
      { ...again, next: { delayMs: 60_000, attempt: 7 } },
    ],
    [
      'failed too often is dead-lettered',
      { result: failed('ambiguous'), attempt: 5 },
      { ...dead, codes: ['of-the-node', 'retries-exhausted'] },
    ],
    [
      'failed for good is dead-lettered, and what it had sent is sent',
      { result: failed('permanent'), sentTo: out },
      { ...dead, sent: 1, codes: ['of-the-node'] },
    ],
    [
      'failed for good waits for a decision where its queue is to stop',
      { result: failed('permanent'), onFailure: 'stop', canStop: true },
      { next: 'settled', waiting: 0, stoppedFor: ['of-the-node'] },
    ],
    [
      'failed for good is dead-lettered where its queue is to stop and cannot',
      { result: failed('permanent'), onFailure: 'stop' },
      { ...dead, stoppedFor: ['of-the-node'] },
    ],
    [
      'waits for a code waits for it, whatever is to be done with others',
      { result: failed('permanent', true), canStop: true },
      { next: 'settled', waiting: 0, stoppedFor: ['of-the-node'] },
    ],
    [
      'sent what cannot be stored is dead-lettered with the reason, and nothing is sent',
      { result: { kind: 'completed' }, sentTo: 'out.nowhere' },
      { ...dead, sent: 0, codes: ['queue-missing'] },
    ],
    [
      'sent what cannot be stored and failed is dead-lettered for both',
      { result: failed('permanent'), sentTo: 'out.nowhere' },
      { ...dead, codes: ['queue-missing', 'of-the-node'] },
    ],
  ])('%s', async (_, given, expected) => {
    expect(await end(given)).toMatchObject(expected);
  });
});
