import { contentTypes, type Envelope } from '../core/envelope.ts';
import { decodeMessage, encodeMessage } from '../core/hl7v2/charset.ts';
import { buildError } from '../core/errors.ts';

/** What a flow carries for some bytes, and how to get the bytes back. */
export interface Payload {
  /** Node-RED clones messages at every fan-out: text costs nothing to clone, a parsed tree a lot. */
  readonly value: string | Buffer;
  /** What the text was decoded from; undefined for bytes. */
  readonly charset: string | undefined;
}

/** Text where decoding round-trips, else the bytes themselves. */
export function toPayload({ body, contentType, charset: override }: Envelope): Payload {
  if (contentType === contentTypes.hl7v2) {
    const { text, charset } = decodeMessage(body, override);
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

/**
 * The media type of a payload that no node named, by its shape: a function node may have replaced it, and
 * everything else of the message with it.
 */
export function guessContentType(payload: unknown): string {
  if (payload instanceof Uint8Array) return contentTypes.binary;
  if (typeof payload !== 'string') {
    return findResourceType(payload) === undefined ? contentTypes.json : contentTypes.fhirJson;
  }
  if (/^\uFEFF?(?:MSH|FHS|BHS)/.test(payload)) return contentTypes.hl7v2;
  if (!/^\s*[[{]/.test(payload)) return contentTypes.text;
  return findResourceType(payload) === undefined ? contentTypes.json : contentTypes.fhirJson;
}

/** What kind of FHIR resource a payload is; undefined where it says so nowhere near its beginning. */
export function findResourceType(payload: unknown): string | undefined {
  if (typeof payload === 'string') {
    return /"resourceType"\s*:\s*"(\w+)"/.exec(payload.slice(0, 200))?.[1];
  }
  const type = (payload as { resourceType?: unknown } | null | undefined)?.resourceType;
  return typeof type === 'string' ? type : undefined;
}
