import { buildAcknowledgment, type AcknowledgmentCode } from '../core/hl7v2/acknowledgment.ts';
import { encodeMessage } from '../core/hl7v2/charset.ts';
import type { Header } from '../core/hl7v2/header.ts';
import { toHl7Timestamp } from '../core/hl7v2/timestamp.ts';
import type { Issue } from '../core/issue.ts';
import { newId } from './ids.ts';

/**
 * The bytes of an acknowledgment, in the character set that the message came in, with an id of its own (20
 * characters, the length of MSH-10 before 2.7). `header` is undefined where the message had none.
 */
export function acknowledge(
  header: Header | undefined,
  code: AcknowledgmentCode,
  issues: readonly Issue[],
  nowMs: number,
): Uint8Array {
  const text = buildAcknowledgment(header, code, issues, {
    now: toHl7Timestamp(nowMs),
    controlId: newId(nowMs).replaceAll('-', '').slice(0, 20),
  });
  return encodeMessage(text, header?.encoding ?? 'UNICODE UTF-8');
}
