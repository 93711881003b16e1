import type { ReplayStep } from '../../console/api/replays.ts';
import type { Envelope } from '../../core/envelope.ts';
import { buildError, findFailure } from '../../core/errors.ts';
import { queueNames, type InterfaceDefinitions } from '../../core/interface.ts';
import type { LedgerEntry, LedgerEvent, LedgerEventKind } from '../../core/ports/ledger.ts';
import type { Stores } from '../broker.ts';
import type { Clock } from '../clock.ts';
import { newId, toInstant } from '../ids.ts';

interface ReplayOptions {
  readonly stores: Stores;
  readonly definitions: InterfaceDefinitions;
  readonly clock: Clock;
  /** The copy's id; a new one where absent. */
  readonly as?: string;
  /** An earlier call with this id was cut short: the ledger has the copy, and it may be in its queue. */
  readonly isTold?: boolean;
  /** Absent: where it first waited. */
  readonly step?: ReplayStep;
}

/**
 * Sends a message again from where it first waited, or from the step, as a new message caused by it: an inbound one
 * through its flow, an outbound one to its partner. Undefined where there is no such message. Rejects with
 * HilumError where its queue is no more.
 */
export async function replay(
  id: string,
  by: string,
  options: ReplayOptions,
): Promise<{ readonly id: string } | undefined> {
  const { stores, definitions, clock } = options;
  const origin = await stores.ledger.read(id);
  if (origin === undefined) return undefined;
  const queue = await findQueue(origin, options);
  if (queue === undefined || !definitions.queues.some(({ name }) => name === queue)) {
    throw buildError(
      'permanent',
      'replay-without-queue',
      'The queue where this message waited is no more, or it never was in one; send it again from its sender.',
    );
  }
  const now = clock();
  const copy: Envelope = {
    ...origin,
    id: options.as ?? newId(now),
    causationId: origin.id,
    receivedAt: toInstant(now),
    attempt: 1,
  };
  await queueCopy({ queue, copy, origin, by }, options);
  return { id: copy.id };
}

interface Copying {
  readonly queue: string;
  readonly copy: Envelope;
  readonly origin: Envelope;
  readonly by: string;
}

/**
 * In one transaction where broker and ledger are of one piece. Else the ledger is told first of the copy, and last that
 * it is in its queue: a crash in between leaves one that was `received` and nothing more, never one without a trace.
 */
async function queueCopy(
  { queue, copy, origin, by }: Copying,
  { stores: { intake, broker, ledger }, isTold = false }: ReplayOptions,
): Promise<void> {
  const event = (messageId: string, rest: Omit<LedgerEvent, 'messageId' | 'at'>): LedgerEntry => ({
    type: 'event',
    event: { messageId, at: copy.receivedAt, ...rest },
  });
  const birth: readonly LedgerEntry[] = [
    { type: 'message', envelope: copy },
    event(origin.id, { kind: 'replayed', summary: `as ${copy.id}, by ${by}` }),
  ];
  const summary = `replay of ${origin.id}`;
  const queued = event(copy.id, { kind: 'queued', queue, summary });
  if (intake !== undefined) {
    await intake.take({ queue, envelope: copy, entries: [...birth, queued] });
    return;
  }
  if (!isTold) await ledger.append(birth);
  try {
    await broker.publish(queue, copy);
  } catch (error) {
    const failure = findFailure(error);
    if (failure?.errorClass === 'permanent') {
      const { issues } = failure;
      await ledger.append([event(copy.id, { kind: 'refused', queue, summary, issues })]);
    }
    throw error;
  }
  await ledger.append([queued]);
}

const failures: ReadonlySet<LedgerEventKind> = new Set(['failed', 'dead-lettered']);
const stays: ReadonlySet<LedgerEventKind> = new Set(['queued', 'taken']);

async function findQueue(
  origin: Envelope,
  { stores, definitions, step }: ReplayOptions,
): Promise<string | undefined> {
  const trace = await stores.ledger.trace(origin.id);
  const own = (trace?.events ?? []).filter(
    ({ messageId, queue }) => messageId === origin.id && queue !== undefined,
  );
  const found =
    step === 'failed'
      ? (own.findLast(({ kind }) => failures.has(kind)) ??
        own.findLast(({ kind }) => stays.has(kind)))
      : own.find(({ kind }) => stays.has(kind));
  return found?.queue ?? inboundQueue(origin, definitions);
}

/** A refused message was never queued: it goes where its listener would have put it. */
function inboundQueue(origin: Envelope, { listeners }: InterfaceDefinitions): string | undefined {
  if (origin.causationId !== undefined) return undefined;
  const listener = listeners.find((each) => each.interface === origin.interface);
  return listener === undefined ? undefined : queueNames.inbound(listener.id);
}
