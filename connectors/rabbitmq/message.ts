import { createHash, randomUUID } from 'node:crypto';
import type { Message, Options } from 'amqplib';
import type { Envelope } from '../../core/envelope.ts';
import { contentTypes } from '../../core/envelope.ts';
import type { Issue } from '../../core/issue.ts';
import type { RetryOptions } from '../../core/ports/broker.ts';

/** A message as it goes to amqplib: the envelope's bytes, its header as AMQP properties. */
export interface AmqpMessage {
  readonly body: Buffer;
  readonly properties: Omit<Options.Publish, 'headers'> & {
    readonly headers: Record<string, unknown>;
  };
}

const headerNames = {
  interface: 'x-hilum-interface',
  controlId: 'x-hilum-control-id',
  key: 'x-hilum-key',
  causationId: 'x-hilum-causation-id',
  receivedAt: 'x-hilum-received-at',
  attempt: 'x-hilum-attempt',
  charset: 'x-hilum-charset',
  replyTo: 'x-hilum-reply-to',
  revision: 'x-hilum-revision',
  /** JSON list of issues: why it was dead-lettered. */
  issues: 'x-hilum-issues',
  /** Milliseconds since 1970: parked for longer than one retry queue can, and not to be delivered before. */
  notBefore: 'x-hilum-not-before',
} as const;

// AMQP properties are short strings of at most 255 bytes; what is longer goes into a header of its own.
const propertyNames = {
  id: ['messageId', 'x-hilum-id'],
  correlationId: ['correlationId', 'x-hilum-correlation-id'],
  contentType: ['contentType', 'x-hilum-content-type'],
  messageType: ['type', 'x-hilum-message-type'],
} as const;

const shortStringBytes = 255;

/**
 * The envelope as an AMQP message that other services can read too: the body is the raw bytes,
 * `content_type`, `type` (MSH-9 or the FHIR resource type), `message_id`, `correlation_id` and
 * `timestamp` say what it is, and the rest are headers `x-hilum-…`.
 */
export function toAmqpMessage(envelope: Envelope): AmqpMessage {
  const headers: Record<string, unknown> = {
    [headerNames.interface]: envelope.interface,
    [headerNames.receivedAt]: envelope.receivedAt,
    [headerNames.attempt]: envelope.attempt,
  };
  for (const name of [
    'controlId',
    'key',
    'causationId',
    'charset',
    'replyTo',
    'revision',
  ] as const) {
    if (envelope[name] !== undefined) headers[headerNames[name]] = envelope[name];
  }
  const properties: AmqpMessage['properties'] = {
    headers,
    persistent: true,
    mandatory: true,
    appId: 'hilum',
  };
  for (const name of ['id', 'correlationId', 'contentType', 'messageType'] as const) {
    const value = envelope[name];
    if (value === undefined) continue;
    const [property, header] = propertyNames[name];
    if (Buffer.byteLength(value) <= shortStringBytes) properties[property] = value;
    else headers[header] = value;
  }
  const received = Date.parse(envelope.receivedAt);
  if (received >= 0) properties.timestamp = Math.floor(received / 1000);
  return { body: toBuffer(envelope.body), properties };
}

/** What an envelope has where the message does not say: a message of a foreign publisher. */
export interface EnvelopeDefaults {
  readonly interface: string;
  /** ISO 8601 instant, UTC. */
  readonly receivedAt: string;
}

/**
 * The envelope of a delivered message. A foreign publisher's message (no `x-hilum-…` headers) is one too:
 * - `id`: its `message_id` where that is a UUID; another `message_id` with a hash of the body behind it,
 *   since `1` is not unique; none: a new id each delivery, so a redelivered one counts as another message.
 *   Foreign publishers should set `message_id`.
 * - `correlationId`: its `correlation_id`, else the id. `messageType`: its `type`.
 * - `receivedAt`: its `timestamp`, else now. `contentType`: its `content_type`, else octet-stream.
 */
export function toEnvelope(message: Message, defaults: EnvelopeDefaults): Envelope {
  const headers: Readonly<Record<string, unknown>> = message.properties.headers ?? {};
  const text = (name: string): string | undefined => {
    const value: unknown = headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  const property = (name: keyof typeof propertyNames): string | undefined => {
    const [property, header] = propertyNames[name];
    const value: unknown = message.properties[property];
    return text(header) ?? (typeof value === 'string' ? value : undefined);
  };
  const isOurs = text(headerNames.receivedAt) !== undefined;
  const id = isOurs ? property('id') : toForeignId(property('id'), message.content);
  const attempt = headers[headerNames.attempt];
  const revision = headers[headerNames.revision];
  const known = {
    messageType: property('messageType'),
    controlId: text(headerNames.controlId),
    key: text(headerNames.key),
    causationId: text(headerNames.causationId),
    charset: text(headerNames.charset),
    replyTo: text(headerNames.replyTo),
    revision: typeof revision === 'number' ? revision : undefined,
  };
  const ownId = id ?? randomUUID();
  return {
    id: ownId,
    interface: text(headerNames.interface) ?? defaults.interface,
    contentType: property('contentType') ?? contentTypes.binary,
    correlationId: property('correlationId') ?? ownId,
    receivedAt:
      text(headerNames.receivedAt) ??
      toInstant(message.properties.timestamp) ??
      defaults.receivedAt,
    attempt: typeof attempt === 'number' && attempt >= 1 ? attempt : 1,
    ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
    body: message.content,
  };
}

/** The same message for its next attempt; `notBefore` where one retry queue cannot hold it long enough. */
export function toRetryMessage(
  envelope: Envelope,
  { notBefore, countAttempt = true }: RetryOptions & { readonly notBefore?: number | undefined },
): AmqpMessage {
  const attempt = envelope.attempt + (countAttempt ? 1 : 0);
  const message = toAmqpMessage({ ...envelope, attempt });
  if (notBefore !== undefined) message.properties.headers[headerNames.notBefore] = notBefore;
  return message;
}

/** The message as it is, for another round in a retry queue. */
export function toParkedMessage(message: Message): AmqpMessage {
  const { properties } = message;
  const copied = [
    'contentType',
    'correlationId',
    'messageId',
    'timestamp',
    'type',
    'appId',
  ] as const;
  return {
    body: message.content,
    properties: {
      ...Object.fromEntries(
        copied
          .map((name) => [name, properties[name] as unknown] as const)
          .filter(([, value]) => value !== undefined),
      ),
      headers: Object.fromEntries(
        Object.entries(properties.headers ?? {}).filter(([name]) => name.startsWith('x-hilum-')),
      ),
      persistent: true,
      mandatory: true,
    },
  };
}

/** When a parked message is due, in milliseconds since 1970; undefined where it is due on arrival. */
export function findNotBefore(message: Message): number | undefined {
  const value = readHeader(message, headerNames.notBefore);
  return typeof value === 'number' ? value : undefined;
}

/** The message as it goes to the dead-letter queue, with its reasons in the header `x-hilum-issues`. */
export function toDeadMessage(envelope: Envelope, issues: readonly Issue[]): AmqpMessage {
  const message = toAmqpMessage(envelope);
  message.properties.headers[headerNames.issues] = toIssuesHeader(issues);
  return message;
}

/** The reasons that a dead-lettered message carries; empty where RabbitMQ itself dead-lettered it. */
export function findIssues(message: Pick<Message, 'properties'>): readonly Issue[] {
  const header = readHeader(message, headerNames.issues);
  return typeof header === 'string' ? (JSON.parse(header) as readonly Issue[]) : [];
}

function readHeader(message: Pick<Message, 'properties'>, name: string): unknown {
  const headers: Readonly<Record<string, unknown>> = message.properties.headers ?? {};
  return headers[name];
}

// All headers of a message together must stay below 64 KiB; the ledger has the whole list.
const issuesHeaderBytes = 32 * 1024;
const issueTextLength = 1_000;

function toIssuesHeader(issues: readonly Issue[]): string {
  const kept: Issue[] = [];
  let bytes = 2;
  for (const issue of issues) {
    const short = { ...issue, message: issue.message.slice(0, issueTextLength) };
    bytes += Buffer.byteLength(JSON.stringify(short)) + 1;
    if (bytes > issuesHeaderBytes) {
      const message = `${issues.length - kept.length} more: see the message's trace.`;
      kept.push({ code: 'issues-left-out', severity: 'information', message });
      break;
    }
    kept.push(short);
  }
  return JSON.stringify(kept);
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function toForeignId(messageId: string | undefined, body: Buffer): string | undefined {
  if (messageId === undefined || messageId === '' || uuid.test(messageId)) {
    return messageId === '' ? undefined : messageId;
  }
  return `${messageId}-${createHash('sha256').update(body).digest('hex').slice(0, 16)}`;
}

function toInstant(timestamp: unknown): string | undefined {
  if (typeof timestamp !== 'number') return undefined;
  const instant = new Date(timestamp * 1000);
  return Number.isNaN(instant.getTime()) ? undefined : instant.toISOString();
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
