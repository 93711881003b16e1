import { contentTypes, type Envelope, type EnvelopeHeader } from '../core/envelope.ts';
import type { Issue } from '../core/issue.ts';
import type { Ledger, MessageState } from '../core/ports/ledger.ts';
import { deriveId } from './derived-id.ts';
import { toInstant } from './ids.ts';

/** What came of a message whose sender waits: a flow's own response, or how the flow ended. */
export type Reply =
  | { readonly kind: 'response'; readonly id: string; readonly body: Uint8Array }
  | { readonly kind: 'completed' }
  | { readonly kind: 'given-up'; readonly issues: readonly Issue[] };

/** The id of the response that a flow makes for a message: the same when the flow runs again. */
export function toReplyId(messageId: string): string {
  return deriveId(messageId, 'reply');
}

/** How a flow ended, as it travels to the edge: a small JSON document, in no ledger. */
export function buildResult(
  about: EnvelopeHeader,
  reply: Exclude<Reply, { kind: 'response' }>,
  nowMs: number,
): Envelope {
  return {
    id: deriveId(about.id, 'result'),
    interface: about.interface,
    contentType: contentTypes.json,
    correlationId: about.correlationId,
    causationId: about.id,
    receivedAt: toInstant(nowMs),
    attempt: 1,
    body: Buffer.from(JSON.stringify(reply), 'utf8'),
  };
}

/** What an envelope of a reply queue says; undefined where it is none of ours. */
export function readReply({ id, contentType, body }: Envelope): Reply | undefined {
  if (contentType === contentTypes.hl7v2) return { kind: 'response', id, body };
  try {
    const reply = JSON.parse(Buffer.from(body).toString('utf8')) as Partial<Reply> | null;
    if (reply?.kind === 'completed') return { kind: 'completed' };
    if (reply?.kind === 'given-up' && Array.isArray(reply.issues)) {
      return { kind: 'given-up', issues: reply.issues };
    }
  } catch {
    return undefined;
  }
  return undefined;
}

/**
 * What came of a message as the ledger has it: undefined while it is not finished. Rejects where the ledger cannot
 * be asked.
 */
export async function findReply(
  ledger: Ledger,
  messageId: string,
  state: MessageState | undefined,
): Promise<Reply | undefined> {
  if (state === undefined || !finished.has(state)) return undefined;
  const id = toReplyId(messageId);
  const response = await ledger.read(id);
  if (response !== undefined) return { kind: 'response', id, body: response.body };
  if (state === 'processed' || state === 'delivered') return { kind: 'completed' };
  const trace = await ledger.trace(messageId);
  const last = trace?.events.findLast(
    (event) =>
      event.messageId === messageId &&
      (event.kind === 'dead-lettered' || event.kind === 'withdrawn'),
  );
  return { kind: 'given-up', issues: last?.issues ?? [withdrawn] };
}

const finished: ReadonlySet<MessageState> = new Set([
  'processed',
  'delivered',
  'dead-lettered',
  'withdrawn',
]);

const withdrawn: Issue = {
  code: 'message-withdrawn',
  severity: 'error',
  message: 'The message was taken out of its queue by hand and is not processed; ask the receiver.',
};
