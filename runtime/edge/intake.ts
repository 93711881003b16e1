import { setTimeout as wait } from 'node:timers/promises';
import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { contentTypes, type Envelope } from '../../core/envelope.ts';
import { findFailure } from '../../core/errors.ts';
import { isAcknowledgment } from '../../core/hl7v2/acknowledgment.ts';
import { readHeader, readKey, type Header } from '../../core/hl7v2/header.ts';
import { parseMessage } from '../../core/hl7v2/parse.ts';
import { validate } from '../../core/hl7v2/validate.ts';
import type { ListenerDefinition } from '../../core/interface.ts';
import { isValid, type Issue } from '../../core/issue.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { Ledger, LedgerEntry, LedgerEvent } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Accept, Received } from '../../core/ports/source.ts';
import { acknowledge } from '../acknowledge.ts';
import type { Clock } from '../clock.ts';
import { newId, toInstant } from '../ids.ts';
import { Recorder } from '../recorder.ts';

/** Long enough for the owner to come back, short enough for any sender's patience. */
const storeWithinMs = 8_000;
const storeAgainMs = 250;

interface Options {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly clock: Clock;
}

/**
 * What a listener does with a message: durable in queue and ledger first, then AA. What is answered AE
 * or AR is recorded as refused and never queued, since its sender will send it again.
 */
export function createIntake(listener: ListenerDefinition, options: Options): Accept {
  const line: Line = { blocked: undefined };
  return (received) => accept(listener, { ...options, line }, received);
}

/** A listener's messages while the stores are away: whoever came first is stored first. */
interface Line {
  blocked: Promise<void> | undefined;
}

async function accept(
  listener: ListenerDefinition,
  options: Options & { readonly line: Line },
  received: Received,
): Promise<Uint8Array | undefined> {
  const { logger } = options;
  const read = readHeader(received.bytes);
  if (!read.ok) {
    return refuse(listener, options, received, { code: 'AR', issues: read.issues });
  }
  const { header } = read;
  if (isAcknowledgment(header)) {
    // Some clients answer our acknowledgment with one of their own: answering that would never end.
    logger.info(
      { listener: listener.id, remote: received.remote },
      'An acknowledgment was received and left unanswered.',
    );
    return undefined;
  }
  const missing = findMissing(header);
  if (missing.length > 0) {
    return refuse(listener, options, received, { code: 'AR', issues: missing, header });
  }
  const { key, issues } = inspect(listener, received.bytes);
  if (!isValid(issues)) {
    return refuse(listener, options, received, { code: 'AE', issues, header });
  }
  const envelope = buildEnvelope(listener, options, { received, header, key });
  const about = { id: envelope.id, listener: listener.id };
  const [recorded, queued] = await store(listener, options, { envelope, received });
  if (queued.status === 'rejected') {
    const failure = findFailure(queued.reason);
    logger.error({ ...about, err: queued.reason as unknown }, 'A message could not be queued.');
    // It may be in the queue all the same: without an answer the sender repeats it, after AR it may not.
    if (failure?.errorClass !== 'permanent') throw queued.reason;
    const { issues: reasons } = failure;
    return refuse(listener, options, received, { code: 'AR', issues: reasons, header, envelope });
  }
  if (recorded.status === 'rejected') {
    // It is in the queue: it will be processed, and that is what AA says.
    logger.error(
      { ...about, err: recorded.reason as unknown },
      'The ledger did not take a message.',
    );
    void new Recorder(options).write(births(listener, envelope, received));
  }
  return acknowledge(header, 'AA', [], options.clock());
}

/**
 * Makes message and ledger entry durable. What is away for a moment (the owner being started again) is
 * waited for: the same id again changes nothing where it was stored after all.
 */
async function store(
  listener: ListenerDefinition,
  { ledger, broker, clock, line }: Options & { readonly line: Line },
  { envelope, received }: { readonly envelope: Envelope; readonly received: Received },
): Promise<Stored> {
  // In one tick: the embedded broker and the ledger make one transaction of both.
  const tryOnce = (): Promise<Stored> =>
    Promise.allSettled([
      ledger.append(births(listener, envelope, received)),
      broker.publish(listener.queue, envelope),
    ]);
  const deadline = clock() + storeWithinMs;
  await unblocked(line);
  let results = await tryOnce();
  if (!isAway(results)) return results;
  await unblocked(line);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  line.blocked = promise;
  while (isAway(results) && clock() <= deadline) {
    results = await tryOnce();
    if (isAway(results)) await wait(storeAgainMs);
  }
  line.blocked = undefined;
  resolve(undefined);
  return results;
}

async function unblocked(line: Line): Promise<void> {
  while (line.blocked !== undefined) await line.blocked;
}

type Stored = readonly [PromiseSettledResult<void>, PromiseSettledResult<void>];

function isAway(results: Stored): boolean {
  return results.every(
    (result) =>
      result.status === 'rejected' && findFailure(result.reason)?.errorClass === 'transient',
  );
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

/** The key for ordering, and the findings where the listener validates before it acknowledges. */
function inspect(
  listener: ListenerDefinition,
  bytes: Uint8Array,
): { readonly key: string | undefined; readonly issues: readonly Issue[] } {
  const parsed = parseMessage(bytes);
  if (!parsed.ok) return { key: undefined, issues: parsed.issues };
  const issues =
    listener.acknowledge === 'validated' ? validate(parsed.message, openDefinitions()) : [];
  return { key: readKey(parsed.message), issues };
}

function buildEnvelope(
  listener: ListenerDefinition,
  { clock }: Options,
  from: {
    readonly received: Received;
    readonly header?: Header;
    readonly key?: string | undefined;
  },
): Envelope {
  const now = clock();
  const id = newId(now);
  const { header, key } = from;
  return {
    id,
    interface: listener.interface,
    contentType: contentTypes.hl7v2,
    ...(header === undefined
      ? {}
      : {
          messageType: header.messageType,
          controlId: header.controlId,
          ...(header.charset === '' ? {} : { charset: header.charset }),
        }),
    ...(key ? { key } : {}),
    correlationId: id,
    receivedAt: toInstant(now),
    attempt: 1,
    body: from.received.bytes,
  };
}

function births(
  listener: ListenerDefinition,
  envelope: Envelope,
  { remote }: Received,
): readonly LedgerEntry[] {
  const at = envelope.receivedAt;
  const event = (rest: Pick<LedgerEvent, 'kind' | 'summary' | 'queue'>): LedgerEntry => ({
    type: 'event',
    event: { messageId: envelope.id, at, attempt: 1, ...rest },
  });
  return [
    { type: 'message', envelope },
    event({ kind: 'received', summary: `${listener.label} from ${remote}` }),
    event({ kind: 'queued', queue: listener.queue, summary: 'durable, then answered AA' }),
  ];
}

async function refuse(
  listener: ListenerDefinition,
  options: Options,
  received: Received,
  why: {
    readonly code: 'AE' | 'AR';
    readonly issues: readonly Issue[];
    readonly header?: Header;
    readonly envelope?: Envelope;
  },
): Promise<Uint8Array> {
  const { ledger, logger } = options;
  const { code, issues, header } = why;
  const envelope = why.envelope ?? buildEnvelope(listener, options, { received, ...why });
  const event: LedgerEvent = {
    messageId: envelope.id,
    kind: 'refused',
    at: envelope.receivedAt,
    summary: `${listener.label} from ${received.remote}, answered ${code}`,
    issues,
  };
  logger.warn(
    { id: envelope.id, listener: listener.id, remote: received.remote, answer: code, issues },
    'A message was refused.',
  );
  try {
    await ledger.append([
      { type: 'message', envelope },
      { type: 'event', event },
    ]);
  } catch (error) {
    logger.error({ id: envelope.id, err: error }, 'The refusal is not in the ledger.');
  }
  return acknowledge(header, code, issues, options.clock());
}
