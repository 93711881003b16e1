import { contentTypes, type Envelope } from '../core/envelope.ts';
import { decodeMessage, encodeMessage } from '../core/hl7v2/charset.ts';
import { buildError } from '../core/errors.ts';
import type { FlowMessage } from '../core/ports/flow-runtime.ts';

/** What a flow carries for some bytes, and how to get the bytes back. */
export interface Payload {
  /** Node-RED clones messages at every fan-out: text costs nothing to clone, a parsed tree a lot. */
  readonly value: string | Buffer;
  /** What the text was decoded from; undefined for bytes. */
  readonly charset: string | undefined;
}

/** Text where decoding round-trips, else the bytes themselves. */
export function toPayload({ body, contentType }: Envelope): Payload {
  if (contentType === contentTypes.hl7v2) {
    const { text, charset } = decodeMessage(body);
    return { value: text, charset };
  }
  const bytes = Buffer.from(body);
  if (contentType === contentTypes.binary) return { value: bytes, charset: undefined };
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes)
    ? { value: text, charset: utf8 }
    : { value: bytes, charset: undefined };
}

const utf8 = 'UNICODE UTF-8';

/**
 * The bytes that a payload stands for: HL7 text in `charset`, other text as UTF-8, an object as JSON.
 * Throws HilumError (permanent) for what cannot be bytes.
 */
export function toBody(payload: unknown, contentType: string, charset = utf8): Uint8Array {
  if (payload instanceof Uint8Array) return payload;
  if (typeof payload === 'string') {
    return contentType === contentTypes.hl7v2
      ? encodeMessage(payload, charset)
      : Buffer.from(payload, 'utf8');
  }
  if (payload !== null && typeof payload === 'object') {
    return Buffer.from(JSON.stringify(payload), 'utf8');
  }
  throw buildError(
    'permanent',
    'payload-unsendable',
    `Expected text, bytes or an object in msg.payload, found ${payload === null ? 'null' : typeof payload}.`,
  );
}

/** The media type of a payload: what a node said, else what came in, else by its shape. */
export function contentTypeOf({ contentType, envelope, payload }: FlowMessage): string {
  if (contentType !== undefined) return contentType;
  if (envelope !== undefined) return envelope.contentType;
  if (typeof payload === 'string') return contentTypes.text;
  return payload instanceof Uint8Array ? contentTypes.binary : contentTypes.json;
}
