import type { Envelope, EnvelopeHeader } from '../../core/envelope.ts';
import { messageStates } from '../../core/ledger/codes.ts';
import type { MessageSummary } from '../../core/ports/ledger.ts';

/** A message as {@link columns} reads it from {@link messages}. */
export interface MessageRow {
  readonly id: string;
  readonly interface: string;
  readonly state: number;
  readonly last_event_at: string;
  readonly content_type: string;
  readonly message_type: string | null;
  readonly control_id: string | null;
  readonly key: string | null;
  readonly correlation_id: string;
  readonly causation_id: string | null;
  readonly received_at: string;
  readonly attempt: number;
  readonly charset: string | null;
  readonly bytes: number;
}

export const columns = `message.id, interface.name AS interface, standing.state, standing.last_event_at, content_type,
  message_type, control_id, message.key, correlation_id, causation_id, received_at, attempt, charset, bytes`;
export const messages = `message JOIN standing ON standing.id = message.id
  JOIN interface ON interface.number = message.interface`;

/** A message without its body. */
export function toSummary(row: MessageRow): MessageSummary {
  return {
    ...toHeader(row),
    state: messageStates[row.state] ?? 'received',
    bytes: row.bytes,
    lastEventAt: row.last_event_at,
  };
}

/** A message with its body. */
export function toEnvelope(row: MessageRow & { readonly body: Uint8Array | null }): Envelope {
  return { ...toHeader(row), body: row.body ?? new Uint8Array() };
}

/** Fields that have no value are absent. */
function toHeader(row: MessageRow): EnvelopeHeader {
  return {
    id: row.id,
    interface: row.interface,
    contentType: row.content_type,
    ...(row.message_type === null ? {} : { messageType: row.message_type }),
    ...(row.control_id === null ? {} : { controlId: row.control_id }),
    ...(row.key === null ? {} : { key: row.key }),
    correlationId: row.correlation_id,
    ...(row.causation_id === null ? {} : { causationId: row.causation_id }),
    receivedAt: row.received_at,
    attempt: row.attempt,
    ...(row.charset === null ? {} : { charset: row.charset }),
  };
}
