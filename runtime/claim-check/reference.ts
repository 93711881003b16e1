import type { Envelope } from '../../core/envelope.ts';

/** What travels in place of a large body: where it is. */
export interface Reference {
  /** The message in the ledger whose body it is. */
  readonly id: string;
  readonly contentType: string;
  readonly bytes: number;
}

/** The media type of a reference: whoever reads a queue without Hilum can tell. */
const referenceType = 'application/vnd.hilum.reference+json';

/** The envelope as it travels, with the reference for its body. */
export function toReference(envelope: Envelope): Envelope {
  const { id, contentType, body } = envelope;
  const reference: Reference = { id, contentType, bytes: body.length };
  return { ...envelope, contentType: referenceType, body: Buffer.from(JSON.stringify(reference)) };
}

export function isReference({ contentType }: Envelope): boolean {
  return contentType === referenceType;
}

/** What an envelope refers to; undefined where that cannot be read. */
export function readReference({ body }: Envelope): Reference | undefined {
  try {
    const { id, contentType, bytes } = JSON.parse(Buffer.from(body).toString()) as Reference;
    const isSound = typeof id === 'string' && typeof contentType === 'string' && bytes >= 0;
    return isSound ? { id, contentType, bytes } : undefined;
  } catch {
    return undefined;
  }
}
