import type { Acknowledgment } from '../../core/hl7v2/acknowledgment.ts';
import { readAcknowledgment } from '../../core/hl7v2/acknowledgment.ts';
import { contentTypes } from '../../core/envelope.ts';
import type { Issue } from '../../core/issue.ts';
import type { Answer, Outcome } from '../../core/outcome.ts';
import type { MllpConnection } from './connection.ts';

/** One message out, its acknowledgment in. */
export interface Exchange {
  readonly body: Uint8Array;
  /** MSH-10 of the message, raw; `''` where it has none: then any answer is taken for its own. */
  readonly controlId: string;
  readonly timeoutMs: number;
  /** `127.0.0.1:2576`, for the findings. */
  readonly where: string;
  readonly signal: AbortSignal;
}

export interface ExchangeResult {
  readonly outcome: Outcome;
  /** Whether nothing is owed on the connection any more. */
  readonly connection: 'keep' | 'destroy';
}

/**
 * Sends the message and waits for the acknowledgment whose MSA-2 is its control id; others are passed
 * over, for they answer an earlier message. From the first byte on, silence is ambiguous.
 */
export function exchange(connection: MllpConnection, request: Exchange): Promise<ExchangeResult> {
  const { where, timeoutMs, signal } = request;
  return new Promise((resolve) => {
    let strangers = 0;
    const finish = (result: ExchangeResult) => {
      clearTimeout(patience);
      signal.removeEventListener('abort', abort);
      connection.onMessage = undefined;
      connection.onClose = undefined;
      resolve(result);
    };
    const lose = (code: string, found: string) => {
      const passed =
        strangers === 0
          ? ''
          : ` ${strangers} answers for other control ids (MSA-2) were passed over.`;
      const message = `Expected an acknowledgment from ${where}, but ${found}.${passed} The message may have arrived.`;
      finish({
        outcome: { kind: 'ambiguous', issues: [{ code, severity: 'error', message }] },
        connection: 'destroy',
      });
    };
    const patience = setTimeout(
      () => lose('answer-timeout', `none came within ${timeoutMs} ms`),
      timeoutMs,
    );
    const abort = () => lose('sender-stopped', 'the sender was stopped while waiting');
    signal.addEventListener('abort', abort, { once: true });
    connection.onClose = (reason) => lose('connection-lost', reason);
    connection.onMessage = (bytes) => {
      const acknowledgment = readAcknowledgment(bytes);
      const answer: Answer = { contentType: contentTypes.hl7v2, body: bytes };
      const { code, controlId } = acknowledgment;
      if (code !== undefined && isOther(controlId, request.controlId)) {
        strangers += 1;
        return;
      }
      const outcome = toOutcome(acknowledgment, answer, where);
      // After an answer that cannot be read nobody knows what the connection is in the middle of.
      finish({ outcome, connection: code === undefined ? 'destroy' : 'keep' });
    };
    if (signal.aborted) abort();
    else connection.write(request.body);
  });
}

function isOther(answered: string, sent: string): boolean {
  return sent !== '' && answered.trim() !== sent.trim();
}

/**
 * HL7 table 0008. AE and CE are about this message: it will not do as it is. AR and CR may be about
 * anything (load, a version not spoken, a system that is down), and the standard lets the sender repeat
 * the same bytes: transient, so the sender's policy bounds how often.
 */
function toOutcome(acknowledgment: Acknowledgment, answer: Answer, where: string): Outcome {
  const { code, issues } = acknowledgment;
  switch (code) {
    case 'AA':
    case 'CA':
      return { kind: 'delivered', summary: `${code} from ${where}`, answer };
    case 'AE':
    case 'CE':
      return { kind: 'permanent', issues: [toRefusal(code, where), ...issues], answer };
    case 'AR':
    case 'CR':
      return { kind: 'transient', issues: [toRefusal(code, where), ...issues], answer };
    case undefined:
      return { kind: 'ambiguous', issues, answer };
  }
}

function toRefusal(code: string, where: string): Issue {
  const advice =
    code === 'AE' || code === 'CE'
      ? 'Correct the message and send it again.'
      : 'It may take the same message later.';
  const message = `Expected AA or CA from ${where}, found ${code}. ${advice}`;
  return { code: 'refused-by-partner', severity: 'error', location: 'MSA-1', message };
}
