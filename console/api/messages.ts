import type { MessageSummary, Trace } from '../../core/ports/ledger.ts';
import type { ControlStatus } from './control.ts';
import type { MessageView, TraceView } from './views.ts';

/** The summary for people and scripts: without the ordering key, which is the patient's identifier. */
export function toMessageView(summary: MessageSummary, status: ControlStatus): MessageView {
  const label = status.interfaces.find(({ id }) => id === summary.interface)?.label;
  return {
    id: summary.id,
    interface: summary.interface,
    ...(label === undefined ? {} : { interfaceLabel: label }),
    ...(summary.messageType === undefined ? {} : { messageType: summary.messageType }),
    ...(summary.controlId === undefined ? {} : { controlId: summary.controlId }),
    contentType: summary.contentType,
    state: summary.state,
    receivedAt: summary.receivedAt,
    lastEventAt: summary.lastEventAt,
    attempt: summary.attempt,
    bytes: summary.bytes,
    correlationId: summary.correlationId,
    ...(summary.causationId === undefined ? {} : { causationId: summary.causationId }),
  };
}

/** A trace as the API answers it; `asked` is the message id or control id that it was found by. */
export function toTraceView(trace: Trace, asked: string, status: ControlStatus): TraceView {
  const start = Math.min(
    ...trace.messages.map(({ receivedAt }) => Date.parse(receivedAt)),
    ...trace.events.map(({ at }) => Date.parse(at)),
  );
  return {
    id: findAsked(trace, asked),
    messages: trace.messages.map((message) => toMessageView(message, status)),
    steps: trace.events.map((event) => ({
      messageId: event.messageId,
      kind: event.kind,
      at: event.at,
      sinceReceivedMs: Date.parse(event.at) - start,
      ...(event.queue === undefined ? {} : { queue: event.queue }),
      ...(event.attempt === undefined ? {} : { attempt: event.attempt }),
      ...(event.summary === undefined ? {} : { summary: event.summary }),
      ...(event.issues === undefined ? {} : { issues: event.issues }),
    })),
  };
}

/**
 * A control id may stand on several messages of one trace (what came in, and what was made of it): the one
 * that a partner sent is meant, of several the newest.
 */
function findAsked(trace: Trace, asked: string): string {
  if (trace.messages.some(({ id }) => id === asked)) return asked;
  const candidates = trace.messages
    .filter(({ controlId }) => controlId === asked)
    .toSorted((a, b) => Date.parse(b.receivedAt) - Date.parse(a.receivedAt));
  const found = candidates.find(({ causationId }) => causationId === undefined) ?? candidates[0];
  return found?.id ?? asked;
}
