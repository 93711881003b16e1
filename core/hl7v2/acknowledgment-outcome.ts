import type { Issue } from '../issue.ts';
import type { Answer, Outcome } from '../outcome.ts';
import type { Acknowledgment } from './acknowledgment.ts';
import type { AnswerPolicy, RefusalPolicy } from './acknowledgment-settings.ts';
import { unescapeText } from './escape.ts';
import type { Header } from './header.ts';
import type { AcknowledgmentCode } from './response.ts';

/** As the standard has it: an error is the message's own, a rejection may be about anything. */
export const defaultAnswerPolicy: AnswerPolicy = {
  onError: 'dead-letter',
  onReject: 'retry',
  awaits: 'accept',
};

/**
 * What an acknowledgment means for the message that waits for one: `other` answers another message,
 * `accepted` is a CA where the application's acknowledgment is awaited too: the partner has the message, and
 * must not get it again.
 */
export type AnswerStep =
  { readonly kind: 'other' | 'accepted' } | { readonly kind: 'done'; readonly outcome: Outcome };

/**
 * Credits an acknowledgment to the message sent, and says what became of it: by code and policy, never by
 * text; findings of a positive acknowledgment change nothing. HL7 table 0008.
 */
export function decideAnswer(
  acknowledgment: Acknowledgment,
  sent: {
    /** Undefined where the message has none to be read: then any acknowledgment is its own. */
    readonly header: Header | undefined;
    readonly answer: Answer;
    readonly policy: AnswerPolicy;
    /** `127.0.0.1:2576`, for the findings. */
    readonly where: string;
  },
): AnswerStep {
  const { code, issues } = acknowledgment;
  const { header, answer, policy, where } = sent;
  if (code === undefined) return { kind: 'done', outcome: { kind: 'ambiguous', issues, answer } };
  if (header !== undefined && !isAnswerTo(acknowledgment, header)) return { kind: 'other' };
  if (code === 'CA' && policy.awaits === 'application') return { kind: 'accepted' };
  if (code === 'AA' || code === 'CA') {
    return {
      kind: 'done',
      outcome: { kind: 'delivered', summary: `${code} from ${where}`, answer },
    };
  }
  const onRefusal = code === 'AE' || code === 'CE' ? policy.onError : policy.onReject;
  const kind = onRefusal === 'retry' ? 'transient' : 'permanent';
  const reasons = [buildRefusal(code, { where, onRefusal }), ...issues];
  return { kind: 'done', outcome: { kind, issues: reasons, answer } };
}

/**
 * Whether MSA-2 is the control id that was sent. Partners trim it, decode its escapes, or write them with
 * delimiters of their own: its raw form or its text must be the same, spaces around it apart. One that was
 * cut short is not: it could be another message's. Where none was sent, one that names any is another's.
 */
export function isAnswerTo(acknowledgment: Acknowledgment, header: Header): boolean {
  const sent = header.controlId.trim();
  if (acknowledgment.controlId.trim() === sent) return true;
  const text = unescapeText(sent, header.delimiters, header.encoding).trim();
  return acknowledgment.controlIdText.trim() === text || acknowledgment.controlId.trim() === text;
}

function buildRefusal(
  code: AcknowledgmentCode,
  { where, onRefusal }: { readonly where: string; readonly onRefusal: RefusalPolicy },
): Issue {
  const advice =
    onRefusal === 'retry'
      ? 'It may take the same message later.'
      : 'Correct the message and send it again.';
  const message = `Expected AA or CA from ${where}, found ${code}. ${advice}`;
  return { code: 'refused-by-partner', severity: 'error', location: 'MSA-1', message };
}
