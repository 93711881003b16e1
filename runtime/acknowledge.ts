import { encodeMessage } from '../core/hl7v2/charset.ts';
import type { Header } from '../core/hl7v2/header.ts';
import {
  buildResponse,
  type AcknowledgmentCode,
  type ResponseOptions,
} from '../core/hl7v2/response.ts';
import { toHl7Timestamp } from '../core/hl7v2/timestamp.ts';
import type { Issue } from '../core/issue.ts';
import { newId } from './ids.ts';

/** The bytes of a general acknowledgment in original mode, as {@link respond} makes them. */
export function acknowledge(
  header: Header | undefined,
  code: AcknowledgmentCode,
  issues: readonly Issue[],
  nowMs: number,
): Uint8Array {
  return respond(header, { code, issues, nowMs });
}

/**
 * The bytes of a response, in the character set that the message came in, with an id of its own. `header`
 * is undefined where the message had none.
 */
export function respond(
  header: Header | undefined,
  { nowMs, ...options }: Omit<ResponseOptions, 'now' | 'controlId'> & { readonly nowMs: number },
): Uint8Array {
  const text = buildResponse(header, {
    ...options,
    now: toHl7Timestamp(nowMs),
    controlId: newControlId(nowMs),
  });
  return encodeMessage(text, header?.encoding ?? 'UNICODE UTF-8');
}

/** A new MSH-10 that every version has room for: 20 characters. The clock is handed in, in milliseconds. */
export function newControlId(nowMs: number): string {
  return newId(nowMs).replaceAll('-', '').slice(0, 20);
}
