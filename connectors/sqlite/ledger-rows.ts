import type { Envelope, EnvelopeHeader } from '../../core/envelope.ts';
import type { MessageState, MessageSummary } from '../../core/ports/ledger.ts';
import type { Row } from './database.ts';
import { messageStates } from '../../core/ledger/codes.ts';
import type { PackedEvent } from '../../core/ledger/packed-event.ts';

/** What a message's row is read with, from {@link messages}. */
export const columns = `message.number, id, interface.name AS interface, state, last_event_at, content_type,
  message_type, control_id, message.key, correlation_id, causation_id, received_at, attempt, charset,
  bytes`;
export const messages = `message JOIN interface ON interface.number = message.interface`;

/** The state of a message row. */
function toState(row: Row): MessageState {
  return messageStates[Number(row['state'])] ?? 'received';
}

function toHeader(row: Row): EnvelopeHeader {
  return {
    id: String(row['id']),
    interface: String(row['interface']),
    contentType: String(row['content_type']),
    ...optional(row, 'message_type', 'messageType'),
    ...optional(row, 'control_id', 'controlId'),
    ...optional(row, 'key', 'key'),
    correlationId: String(row['correlation_id']),
    ...optional(row, 'causation_id', 'causationId'),
    receivedAt: String(row['received_at']),
    attempt: Number(row['attempt']),
    ...optional(row, 'charset', 'charset'),
  };
}

/** A message row with its body. */
export function toEnvelope(row: Row): Envelope {
  const { body } = row;
  return { ...toHeader(row), body: body instanceof Uint8Array ? body : new Uint8Array() };
}

/** A message row without its body. */
export function toSummary(row: Row): MessageSummary {
  return {
    ...toHeader(row),
    state: toState(row),
    bytes: Number(row['bytes']),
    lastEventAt: String(row['last_event_at']),
  };
}

/** The events of an event row. */
export function eventsOf(row: Row): readonly PackedEvent[] {
  return JSON.parse(String(row['events'])) as readonly PackedEvent[];
}

/** A text column under the name of its field; nothing where it is NULL, since the field is then absent. */
function optional<Field extends string>(
  row: Row,
  column: string,
  field: Field,
): Partial<Record<Field, string>> {
  const value = row[column];
  return typeof value === 'string' ? ({ [field]: value } as Record<Field, string>) : {};
}
