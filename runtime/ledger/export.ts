import type { EnvelopeHeader } from '../../core/envelope.ts';
import type { Ledger, LedgerEvent, LedgerFilter, MessageState } from '../../core/ports/ledger.ts';

/** A message as it is exported: all of it, its body in base64. */
interface ExportedMessage extends EnvelopeHeader {
  readonly state: MessageState;
  readonly body: string;
  readonly events: readonly LedgerEvent[];
}

const pageMessages = 200;

/** The messages of a filter with their bodies and their own events, the oldest first. */
export async function* exportLedger(
  ledger: Ledger,
  filter: LedgerFilter,
): AsyncIterable<ExportedMessage> {
  for (let after: string | undefined; ;) {
    const start = after === undefined ? {} : { after };
    const page = await ledger.find(filter, { limit: pageMessages, order: 'oldest', ...start });
    for (const { id, state } of page) {
      const [envelope, trace] = await Promise.all([ledger.read(id), ledger.trace(id)]);
      // Removed meanwhile.
      if (envelope?.id !== id) continue;
      const { body, ...header } = envelope;
      const events = (trace?.events ?? []).filter(({ messageId }) => messageId === id);
      yield { ...header, state, body: Buffer.from(body).toString('base64'), events };
    }
    after = page.at(-1)?.id;
    if (after === undefined) return;
  }
}
