import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { openProfile } from '../../connectors/file/profile-files.ts';
import { contentTypes, type Envelope } from '../../core/envelope.ts';
import { findFailure } from '../../core/errors.ts';
import { findUnacceptable } from '../../core/hl7v2/acceptance.ts';
import { isAcknowledgment, isResponse } from '../../core/hl7v2/acknowledgment.ts';
import type { AcknowledgmentDecision, IntakeResult } from '../../core/hl7v2/acknowledgment-mode.ts';
import { readHeader, type Header } from '../../core/hl7v2/header.ts';
import type { Hl7Message, ParseResult } from '../../core/hl7v2/message.ts';
import { parseMessage } from '../../core/hl7v2/parse.ts';
import { validateByProfile } from '../../core/hl7v2/profile/validate-by-profile.ts';
import {
  decideSequence,
  findLinkContent,
  type SequenceDecision,
} from '../../core/hl7v2/sequence-number.ts';
import { validate } from '../../core/hl7v2/validate.ts';
import type { ListenerAcknowledgment, ListenerDefinition } from '../../core/interface.ts';
import { isValid, type Issue } from '../../core/issue.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { Ledger, LedgerEntry, LedgerEvent } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Accept, Received } from '../../core/ports/source.ts';
import type { Clock } from '../clock.ts';
import { newId, toInstant } from '../ids.ts';
import { Recorder } from '../recorder.ts';
import { answer, decide, toSummary, type Answerable } from './answers.ts';
import { store, type Line } from './intake-store.ts';
import { findKey } from './key.ts';
import { Links } from './links.ts';
import { describeOrigin } from './origin.ts';

interface Options {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** One listener's rules and what it remembers from message to message. */
interface Intake extends Options {
  readonly listener: ListenerDefinition;
  readonly settings: ListenerAcknowledgment;
  readonly line: Line;
}

/** A message on its way in; without a header where it has none that can be read. */
interface Incoming extends Answerable {
  readonly received: Received;
}

const byMessage: ListenerAcknowledgment = {
  mode: 'by-message',
  application: 'receiver',
  accepts: {},
  sequenceNumbers: 'ignored',
};

/**
 * What a listener does with a message: durable in queue and ledger first, then acknowledged as the message
 * and the listener's settings have it. What is refused is recorded and never queued, since its sender will
 * send it again.
 */
export function createIntake(listener: ListenerDefinition, options: Options): Accept {
  const settings = listener.acknowledgment ?? byMessage;
  const intake: Intake = { ...options, listener, settings, line: { blocked: undefined } };
  const links = settings.sequenceNumbers === 'checked' ? new Links() : undefined;
  return (received) => {
    const read = readHeader(received.bytes);
    if (!read.ok) return refuse(intake, { received }, { result: 'rejected', issues: read.issues });
    const { header } = read;
    if (isAcknowledgment(header)) return leaveUnanswered(intake, received);
    if (links === undefined) return take(intake, { received, header });
    return links.inTurn(header, (state, keep) => {
      const sequence = decideSequence(state, header);
      return takeNumbered(intake, { received, header }, { sequence, keep });
    });
  };
}

/** Some clients answer our acknowledgment with one of their own: answering that would never end. */
function leaveUnanswered({ listener, logger }: Intake, { remote }: Received): Promise<undefined> {
  logger.info(
    { listener: listener.id, remote },
    'An acknowledgment was received and left unanswered.',
  );
  return Promise.resolve(undefined);
}

type Answers = ReturnType<Accept>;

/** Takes a message as its sequence number has it. */
async function takeNumbered(
  intake: Intake,
  incoming: Incoming & { readonly header: Header },
  link: {
    readonly sequence: SequenceDecision;
    readonly keep: (next: Extract<SequenceDecision, { readonly next: unknown }>['next']) => void;
  },
): Answers {
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
      return answer(intake, numbered, { result: 'accepted', issues: [] });
    }
    case 'next':
      return take(intake, numbered, () => keep(sequence.next));
    case 'repeated':
      return confirmAgain(intake, numbered);
    case 'unexpected':
      return refuse(intake, numbered, { result: 'error', issues: [sequence.issue] });
  }
}

/** @param onDurable once the message is in the queue, before it is answered */
async function take(
  intake: Intake,
  { header, ...rest }: Incoming & { readonly header: Header },
  onDurable?: () => void,
): Answers {
  const { listener, logger } = intake;
  const { charset } = listener;
  const parsed = parseMessage(rest.received.bytes, charset === undefined ? {} : { charset });
  const incoming = { ...rest, header, isResponse: parsed.ok && isResponse(parsed.message) };
  const reasons = [...findRejections(header, intake.settings), ...findSecondMessages(parsed)];
  if (reasons.length > 0) return refuse(intake, incoming, { result: 'rejected', issues: reasons });
  const issues = !parsed.ok
    ? parsed.issues
    : listener.acknowledge === 'validated'
      ? check(parsed.message, listener)
      : [];
  if (!isValid(issues)) return refuse(intake, incoming, { result: 'error', issues });
  const key = parsed.ok ? findKey(parsed.message, listener) : undefined;
  const envelope = buildEnvelope(intake, incoming, key);
  const about = { id: envelope.id, listener: listener.id };
  const decision = decide(intake, incoming, 'accepted');
  const entries = births(listener, envelope, { received: rest.received, decision });
  const [recorded, queued] = await store(intake, { envelope, entries, queue: listener.queue });
  if (queued.status === 'rejected') {
    const failure = findFailure(queued.reason);
    logger.error({ ...about, err: queued.reason as unknown }, 'A message could not be queued.');
    // It may be in the queue all the same: without an answer the sender repeats it, after AR it may not.
    if (failure?.errorClass !== 'permanent') throw queued.reason;
    return refuse(intake, incoming, { result: 'failed', issues: failure.issues, envelope });
  }
  if (recorded.status === 'rejected') {
    // It is in the queue: it will be processed, and that is what the acknowledgment says.
    logger.error(
      { ...about, err: recorded.reason as unknown },
      'The ledger did not take a message.',
    );
    void new Recorder(intake).write(entries);
  }
  onDurable?.();
  return answer(intake, incoming, { result: 'accepted', issues: [] });
}

/** Everything in the header that keeps the message out, at once. */
function findRejections(header: Header, { accepts }: ListenerAcknowledgment): readonly Issue[] {
  const missing = findMissing(header);
  const found = findUnacceptable(header, accepts);
  const isUntyped = missing.some(({ location }) => location === 'MSH-9');
  return [
    ...missing,
    ...found.filter(({ location }) => !isUntyped || location?.startsWith('MSH-9') !== true),
  ];
}

/** Two messages in one frame: the second would be taken for a part of the first, and its sender told nothing. */
function findSecondMessages(parsed: ParseResult): readonly Issue[] {
  const isAlone = !parsed.ok || parsed.message.get('MSH[2]') === undefined;
  return isAlone ? [] : parsed.issues.filter(({ code }) => code === 'header-repeated');
}

/** Without type and control id a message can neither be routed nor acknowledged: it was cut short. */
function findMissing({ messageType, controlId }: Header): readonly Issue[] {
  const fields = [
    { location: 'MSH-9', value: messageType },
    { location: 'MSH-10', value: controlId },
  ];
  return fields
    .filter(({ value }) => value === '')
    .map(({ location }) => ({
      code: 'required-field-missing',
      severity: 'error',
      location,
      message: 'Expected a value, found none; the message may have been cut short.',
    }));
}

/** The sender did not hear that its message was taken: it hears so again, and nothing is processed twice. */
async function confirmAgain(intake: Intake, incoming: Incoming): Answers {
  const decision = decide(intake, incoming, 'accepted');
  const envelope = buildEnvelope(intake, incoming);
  await record(intake, envelope, {
    kind: 'duplicate',
    summary: `${intake.listener.label} from ${describeOrigin(incoming.received)}, ${toSummary(decision)}`,
  });
  return answer(intake, incoming, { result: 'accepted', issues: [] });
}

function buildEnvelope(
  { listener, clock }: Intake,
  { received, header }: Incoming,
  key?: string,
): Envelope {
  const now = clock();
  const id = newId(now);
  return {
    id,
    interface: listener.interface,
    contentType: contentTypes.hl7v2,
    ...(header === undefined
      ? {}
      : {
          messageType: header.messageType,
          controlId: header.controlId,
        }),
    ...(key ? { key } : {}),
    ...(listener.charset === undefined ? {} : { charset: listener.charset }),
    correlationId: id,
    receivedAt: toInstant(now),
    attempt: 1,
    body: received.bytes,
  };
}

/** By the listener's profile where it has one, else by the message's version. */
function check(message: Hl7Message, { profile }: ListenerDefinition): readonly Issue[] {
  const definitions = openDefinitions();
  return profile === undefined
    ? validate(message, definitions)
    : validateByProfile(message, openProfile(profile, { definitions }), definitions);
}

function births(
  listener: ListenerDefinition,
  envelope: Envelope,
  from: { readonly received: Received; readonly decision: AcknowledgmentDecision },
): readonly LedgerEntry[] {
  const at = envelope.receivedAt;
  const event = (rest: Pick<LedgerEvent, 'kind' | 'summary' | 'queue'>): LedgerEntry => ({
    type: 'event',
    event: { messageId: envelope.id, at, attempt: 1, ...rest },
  });
  const summary = `durable, then ${toSummary(from.decision)}`;
  return [
    { type: 'message', envelope },
    event({ kind: 'received', summary: `${listener.label} from ${describeOrigin(from.received)}` }),
    event({ kind: 'queued', queue: listener.queue, summary }),
  ];
}

async function refuse(
  intake: Intake,
  incoming: Incoming,
  why: {
    readonly result: Exclude<IntakeResult, 'accepted'>;
    readonly issues: readonly Issue[];
    readonly envelope?: Envelope;
  },
): Answers {
  const { listener, logger } = intake;
  const { issues, result } = why;
  const { remote } = incoming.received;
  const decision = decide(intake, incoming, result);
  const envelope = why.envelope ?? buildEnvelope(intake, incoming);
  logger.warn(
    { id: envelope.id, listener: listener.id, remote, answer: decision.now, issues },
    'A message was refused.',
  );
  const summary = `${listener.label} from ${describeOrigin(incoming.received)}, ${toSummary(decision)}`;
  await record(intake, envelope, { kind: 'refused', summary, issues });
  return answer(intake, incoming, { result, issues });
}

/** In the ledger alone, for people: it is answered all the same where the ledger is away. */
async function record(
  { ledger, logger }: Intake,
  envelope: Envelope,
  rest: Pick<LedgerEvent, 'kind' | 'summary' | 'issues'>,
): Promise<void> {
  const event: LedgerEvent = { messageId: envelope.id, at: envelope.receivedAt, ...rest };
  try {
    await ledger.append([
      { type: 'message', envelope },
      { type: 'event', event },
    ]);
  } catch (error) {
    logger.error({ id: envelope.id, err: error }, `${rest.kind}: it is not in the ledger.`);
  }
}
