import { hash } from 'node:crypto';
import type { Envelope } from '../../../core/envelope.ts';
import type {
  Ledger,
  LedgerEntry,
  LedgerEvent,
  LedgerEventKind,
} from '../../../core/ports/ledger.ts';
import { buildEnvelope as buildAnyEnvelope } from '../envelope.ts';

/** A server that was killed may take so long to come up. */
export const restartTimeoutMs = 150_000;

/** Events a millisecond apart, the first at `instant(from)`. */
export function events(
  messageId: string,
  kinds: readonly LedgerEventKind[],
  fields: Partial<LedgerEvent> = {},
  from = 0,
): LedgerEntry[] {
  return kinds.map((kind, index) => ({
    type: 'event',
    event: { ...fields, messageId, kind, at: instant(from + index) },
  }));
}

export function instant(ms: number): string {
  return new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 0) + ms).toISOString();
}

export async function ageOf(
  ledger: Ledger,
  queue: string,
): Promise<Awaited<ReturnType<Ledger['ages']>>[number] | undefined> {
  return (await ledger.ages()).find((age) => age.queue === queue);
}

export async function countsOf(
  ledger: Ledger,
  interfaceId: string,
): Promise<Record<string, number>> {
  const counts = (await ledger.counts()).filter((it) => it.interface === interfaceId);
  return Object.fromEntries(counts.map((it) => [it.kind, it.count]));
}

export async function writeMany(
  ledger: Ledger,
  interfaceId: string,
  count: number,
): Promise<string[]> {
  const envelopes = Array.from({ length: count }, () => buildEnvelope({ interface: interfaceId }));
  for (const envelope of envelopes) {
    await ledger.append([{ type: 'message', envelope }, ...events(envelope.id, ['received'])]);
  }
  return envelopes.map(({ id }) => id);
}

export const digestOf = ({ body }: Envelope): string => hash('sha256', body, 'base64');

/** As any, received when the first of {@link events} befalls it. */
export const buildEnvelope = (fields: Partial<Envelope> = {}): Envelope =>
  buildAnyEnvelope({ receivedAt: instant(0), ...fields });
