import { findFailure } from '../../core/errors.ts';
import { findUnacceptable } from '../../core/hl7v2/acceptance.ts';
import { isAcknowledgment, isResponse } from '../../core/hl7v2/acknowledgment.ts';
import type { IntakeResult } from '../../core/hl7v2/acknowledgment-mode.ts';
import { readHeader, type Header } from '../../core/hl7v2/header.ts';
import { parseMessage } from '../../core/hl7v2/parse.ts';
import type { ProfileCopy } from '../../core/hl7v2/profile/profile.ts';
import {
  decideSequence,
  findLinkContent,
  type SequenceDecision,
} from '../../core/hl7v2/sequence-number.ts';
import type {
  DuplicatePolicy,
  ListenerAcknowledgment,
  ListenerDefinition,
} from '../../core/interface.ts';
import { isValid, type Issue } from '../../core/issue.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { UniqueIntake } from '../../core/ports/intake.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Accept, Received } from '../../core/ports/source.ts';
import type { Envelope } from '../../core/envelope.ts';
import type { Clock } from '../clock.ts';
import type { LedgerSpool } from '../spool/ledger-spool.ts';
import { answer, decide, toSummary } from './answers.ts';
import { answerBy } from './answer-by.ts';
import type { Duplicates } from './duplicates.ts';
import {
  buildEnvelope,
  buildEvent,
  describeIntake,
  record,
  type Incoming,
  type Intake,
} from './incoming.ts';
import { describePlan, planAnswer, waitOf, type AnswerPlan } from './flow-answer.ts';
import type { FlowResults } from './flow-results.ts';
import { IntakeStore, type Kept } from './intake-store.ts';
import type { Inlet } from './store-attempt.ts';
import { findKey } from './key.ts';
import { Links } from './links.ts';
import { check, findRejections, findSecondMessages } from './rejections.ts';

interface Options {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly ledgerSpool?: LedgerSpool;
  readonly inlet?: Inlet;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly duplicates: Duplicates;
  readonly results: FlowResults;
  /** Both in one, where they are of one piece. */
  readonly intake?: UniqueIntake;
  /** A message is in the queue. */
  readonly onStored?: () => void;
  /** What is validated by at this moment, beside the version: asked once for each message. */
  readonly profile?: () => ProfileCopy | undefined;
  /** The revision that is taken by at this moment. */
  readonly revision?: () => number | undefined;
}

const byMessage: ListenerAcknowledgment = {
  mode: 'by-message',
  application: 'receiver',
  accepts: {},
  sequenceNumbers: 'ignored',
};

const withinADay: DuplicatePolicy = { windowMs: 86_400_000, sameIdOtherContent: 'accept' };

/**
 * What a listener does with a message: durable in queue and ledger first, then acknowledged as the message
 * and the listener's settings have it. What is refused is recorded and never queued, since its sender will
 * send it again. What came before is acknowledged again, and not queued again.
 */
export function createIntake(listener: ListenerDefinition, options: Options): Accept {
  const { acknowledgment: settings = byMessage, duplicates: policy = withinADay } = listener;
  const intake: Intake = {
    ...options,
    listener,
    settings,
    policy,
    store: new IntakeStore(options),
  };
  const links = settings.sequenceNumbers === 'checked' ? new Links() : undefined;
  return async (received) => {
    const taken = await begin(intake, links, received);
    return taken.answer;
  };
}

/** A message that is durable or refused; its answer may take longer. */
interface Taken {
  readonly answer: ReturnType<Accept>;
}

function begin(intake: Intake, links: Links | undefined, received: Received): Promise<Taken> {
  const read = readHeader(received.bytes);
  if (!read.ok) return refuse(intake, { received }, { result: 'rejected', issues: read.issues });
  const { header } = read;
  if (isAcknowledgment(header)) return leaveUnanswered(intake, received);
  if (links === undefined) return take(intake, { received, header });
  return links.inTurn(header, (state, keep) => {
    const sequence = decideSequence(state, header);
    return takeNumbered(intake, { received, header }, { sequence, keep });
  });
}

/** Some clients answer our acknowledgment with one of their own: answering that would never end. */
function leaveUnanswered({ listener, logger }: Intake, { remote }: Received): Promise<Taken> {
  logger.info(
    { listener: listener.id, remote },
    'An acknowledgment was received and left unanswered.',
  );
  return Promise.resolve({ answer: Promise.resolve(undefined) });
}

/** Takes a message as its sequence number has it. */
async function takeNumbered(
  intake: Intake,
  incoming: Incoming & { readonly header: Header },
  link: {
    readonly sequence: SequenceDecision;
    readonly keep: (next: Extract<SequenceDecision, { readonly next: unknown }>['next']) => void;
  },
): Promise<Taken> {
  const { sequence, keep } = link;
  if (sequence.kind === 'unnumbered') return take(intake, incoming);
  const numbered = { ...incoming, expectedSequenceNumber: sequence.expected };
  switch (sequence.kind) {
    case 'link': {
      const { messageTypes: _, ...accepts } = intake.settings.accepts;
      const issues = findUnacceptable(incoming.header, accepts);
      if (issues.length > 0) return refuse(intake, incoming, { result: 'rejected', issues });
      const parsed = parseMessage(incoming.received.bytes);
      const content = parsed.ok ? findLinkContent(parsed.message) : undefined;
      if (content !== undefined) {
        return refuse(intake, numbered, { result: 'error', issues: [content] });
      }
      keep(sequence.next);
      return { answer: answer(intake, numbered, { result: 'accepted', issues: [] }) };
    }
    case 'next':
      return take(intake, numbered, () => keep(sequence.next));
    case 'repeated': {
      // Its answer is what came of its first, which is known by its content.
      const isFound = intake.listener.acknowledge === 'processed' && intake.policy.windowMs > 0;
      return isFound ? take(intake, numbered) : confirmAgain(intake, numbered);
    }
    case 'unexpected':
      return refuse(intake, numbered, { result: 'error', issues: [sequence.issue] });
  }
}

/** @param onDurable once the message is in the queue, before it is answered */
async function take(
  intake: Intake,
  { header, ...rest }: Incoming & { readonly header: Header },
  onDurable?: () => void,
): Promise<Taken> {
  const { listener } = intake;
  const { charset } = listener;
  const parsed = parseMessage(rest.received.bytes, charset === undefined ? {} : { charset });
  const incoming = { ...rest, header, isResponse: parsed.ok && isResponse(parsed.message) };
  const reasons = [...findRejections(header, intake.settings), ...findSecondMessages(parsed)];
  if (reasons.length > 0) return refuse(intake, incoming, { result: 'rejected', issues: reasons });
  const issues = !parsed.ok
    ? parsed.issues
    : listener.acknowledge === 'validated'
      ? check(parsed.message, intake.profile?.())
      : [];
  if (!isValid(issues)) return refuse(intake, incoming, { result: 'error', issues });
  const key = parsed.ok ? findKey(parsed.message, listener) : undefined;
  const plan = planAnswer(intake, incoming);
  const envelope = buildEnvelope(intake, incoming, {
    ...(key === undefined ? {} : { key }),
    ...(plan.later === undefined ? {} : { replyTo: intake.results.queue }),
  });
  const expectation = plan.later && intake.results.expect(envelope.id, waitOf(listener).timeoutMs);
  const kept = await keep(intake, incoming, { envelope, plan });
  if (kept.kind !== 'stored') expectation?.cancel();
  switch (kept.kind) {
    case 'reused':
      return refuse(intake, incoming, { result: 'error', issues: [reusedControlId] });
    case 'failed':
      return failed(intake, incoming, { reason: kept.reason, envelope });
    case 'duplicate':
      onDurable?.();
      return confirmAgain(intake, incoming, { plan, firstId: kept.firstId });
    case 'stored':
      intake.onStored?.();
      onDurable?.();
      return { answer: answerBy(intake, incoming, { plan, expectation, id: envelope.id }) };
  }
}

function keep(
  intake: Intake,
  incoming: Incoming,
  { envelope, plan }: { readonly envelope: Envelope; readonly plan: AnswerPlan },
): Promise<Kept> {
  const { listener, policy, store } = intake;
  const { queue } = listener;
  const origin = describeIntake(intake, incoming);
  const summary = `durable, then ${describePlan(plan)}`;
  return store.keep({
    envelope,
    queue,
    policy,
    buildBirth: ({ digest, isUnchecked, issues }) => [
      { type: 'message', envelope, ...(digest === undefined ? {} : { digest }) },
      buildEvent(envelope, {
        kind: 'received',
        attempt: 1,
        summary: isUnchecked ? `${origin}, unchecked` : origin,
        ...(issues.length === 0 ? {} : { issues }),
      }),
    ],
    queued: buildEvent(envelope, { kind: 'queued', queue, attempt: 1, summary }),
  });
}

const reusedControlId: Issue = {
  code: 'control-id-reused',
  severity: 'error',
  location: 'MSH-10',
  message:
    'Expected a control id of its own, found one that came before with other content; send it with a new one.',
};

/** It could not be stored, or is not known to be. */
function failed(
  intake: Intake,
  incoming: Incoming,
  { reason, envelope }: { readonly reason: unknown; readonly envelope: Envelope },
): Promise<Taken> {
  const failure = findFailure(reason);
  intake.logger.error(
    { id: envelope.id, listener: intake.listener.id, err: reason },
    'A message could not be queued.',
  );
  // It may be in the queue all the same: without an answer the sender repeats it, after AR it may not.
  if (failure?.errorClass !== 'permanent') return Promise.reject(toError(reason));
  return refuse(intake, incoming, { result: 'failed', issues: failure.issues, envelope });
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

/** The sender did not hear that its message was taken: it hears so again, and nothing is processed twice. */
async function confirmAgain(
  intake: Intake,
  incoming: Incoming,
  copy?: { readonly plan: AnswerPlan; readonly firstId: string },
): Promise<Taken> {
  const { plan = planAnswer(intake, incoming), firstId } = copy ?? {};
  const of = firstId === undefined ? {} : { correlationId: firstId, causationId: firstId };
  const envelope = buildEnvelope(intake, incoming, of);
  const expectation =
    plan.later && firstId !== undefined
      ? intake.results.expect(firstId, waitOf(intake.listener).timeoutMs)
      : undefined;
  await record(intake, envelope, {
    kind: 'duplicate',
    summary: `${describeIntake(intake, incoming)}: a copy${firstId === undefined ? '' : ` of ${firstId}`}, ${describePlan(plan)}`,
  });
  if (firstId !== undefined && expectation !== undefined) await intake.results.look(firstId);
  return { answer: answerBy(intake, incoming, { plan, expectation, id: envelope.id }) };
}

async function refuse(
  intake: Intake,
  incoming: Incoming,
  why: {
    readonly result: Exclude<IntakeResult, 'accepted'>;
    readonly issues: readonly Issue[];
    readonly envelope?: Envelope;
  },
): Promise<Taken> {
  const { listener, logger } = intake;
  const { issues, result } = why;
  const { remote } = incoming.received;
  const decision = decide(intake, incoming, result);
  const envelope = why.envelope ?? buildEnvelope(intake, incoming);
  logger.warn(
    { id: envelope.id, listener: listener.id, remote, answer: decision.now, issues },
    'A message was refused.',
  );
  const summary = `${describeIntake(intake, incoming)}, ${toSummary(decision)}`;
  await record(intake, envelope, { kind: 'refused', summary, issues });
  return { answer: answer(intake, incoming, { result, issues }) };
}
