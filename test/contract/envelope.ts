import { randomUUID } from 'node:crypto';
import type { Envelope } from '../../core/envelope.ts';

/** A name that no other test of a shared server uses. */
export const uniqueName = (prefix: string): string => `${prefix}.contract-${randomUUID()}`;

/** An invented message, of an id that no other test uses. */
export function buildEnvelope(fields: Partial<Envelope> = {}): Envelope {
  const id = randomUUID();
  return {
    id,
    interface: 'contract',
    contentType: 'application/hl7-v2',
    correlationId: id,
    receivedAt: '2026-01-02T03:04:05.678Z',
    attempt: 1,
    body: Buffer.from(`MSH|^~\\&|LAB|HILUM|EHR|HILUM|20260102||ORU^R01|${id}|P|2.5.1\r`),
    ...fields,
  };
}
