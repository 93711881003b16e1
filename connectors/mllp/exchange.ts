import { contentTypes } from '../../core/envelope.ts';
import { readAcknowledgment } from '../../core/hl7v2/acknowledgment.ts';
import { decideAnswer } from '../../core/hl7v2/acknowledgment-outcome.ts';
import type { AnswerPolicy } from '../../core/hl7v2/acknowledgment-settings.ts';
import type { Header } from '../../core/hl7v2/header.ts';
import type { CommitMode } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import type { Answer, Outcome } from '../../core/outcome.ts';
import { readCommit, type Commit } from './commit.ts';
import type { MllpConnection } from './connection.ts';

/** One message out, its acknowledgment in. */
export interface Exchange {
  readonly body: Uint8Array;
  /** Of the message; undefined where it has none that can be read: then any answer is taken for its own. */
  readonly header: Header | undefined;
  readonly policy: AnswerPolicy;
  readonly timeoutMs: number;
  /** `127.0.0.1:2576`, for the findings. */
  readonly where: string;
  readonly signal: AbortSignal;
  readonly commit?: CommitMode | undefined;
}

export interface ExchangeResult {
  readonly outcome: Outcome;
  /**
   * `keep`: nothing is owed on the connection any more. `linger`: the answer may still come, so it must
   * carry no other message. `destroy`: nobody knows what it is in the middle of.
   */
  readonly connection: 'keep' | 'linger' | 'destroy';
}

/** So often a message that the partner could not commit is sent again at once. MLLP release 2. */
const maxRepeats = 2;

/**
 * Sends the message and waits for the acknowledgment whose MSA-2 is its control id; others are passed
 * over, for they answer an earlier message. From the first byte on, silence is ambiguous.
 */
export function exchange(connection: MllpConnection, request: Exchange): Promise<ExchangeResult> {
  const { where, timeoutMs, signal, commit, header, policy } = request;
  return new Promise((resolve) => {
    let strangers = 0;
    let repeats = 0;
    let isCommitted = false;
    let acceptance: Answer | undefined;
    const finish = (result: ExchangeResult) => {
      clearTimeout(patience);
      signal.removeEventListener('abort', abort);
      connection.onMessage = undefined;
      connection.onClose = undefined;
      resolve(result);
    };
    const lose = (code: string, found: string, then: 'linger' | 'destroy' = 'destroy') => {
      if (acceptance !== undefined) {
        finish({
          outcome: toUnfinished(acceptance, { where, code, found }),
          connection: 'destroy',
        });
        return;
      }
      const passed =
        strangers === 0
          ? ''
          : ` ${strangers} answers for other control ids (MSA-2) were passed over.`;
      const end = isCommitted
        ? 'The partner has committed the message.'
        : 'The message may have arrived.';
      const message = `Expected an acknowledgment from ${where}, but ${found}.${passed} ${end}`;
      const issues: readonly Issue[] = [{ code, severity: 'error', message }];
      finish({ outcome: { kind: 'ambiguous', issues, isOutage: true }, connection: then });
    };
    const patience = setTimeout(
      () => lose('answer-timeout', `none came within ${timeoutMs} ms`, 'linger'),
      timeoutMs,
    );
    const abort = () => lose('sender-stopped', 'the sender was stopped while waiting');
    const takeCommit = (committed: Commit) => {
      if (committed === 'committed') {
        isCommitted = true;
        if (commit !== 'instead-of-acknowledgment') return;
        const summary = `committed by ${where}`;
        finish({ outcome: { kind: 'delivered', summary }, connection: 'keep' });
      } else if (commit !== undefined && repeats < maxRepeats) {
        repeats += 1;
        connection.write(request.body);
      } else {
        finish({ outcome: buildNotCommitted(where), connection: 'keep' });
      }
    };
    signal.addEventListener('abort', abort, { once: true });
    connection.onClose = ({ reason, isUnread }) => {
      if (isUnread) finish({ outcome: buildUnread(where, reason), connection: 'destroy' });
      else lose('connection-lost', reason);
    };
    connection.onMessage = (bytes) => {
      const committed = readCommit(bytes);
      if (committed !== undefined) {
        takeCommit(committed);
        return;
      }
      const acknowledgment = readAcknowledgment(bytes);
      if (commit !== undefined) connection.commit();
      const answer: Answer = { contentType: contentTypes.hl7v2, body: bytes };
      const step = decideAnswer(acknowledgment, { header, policy, answer, where });
      if (step.kind === 'other') strangers += 1;
      if (step.kind === 'accepted') acceptance = answer;
      if (step.kind !== 'done') return;
      // After an answer that cannot be read nobody knows what the connection is in the middle of.
      const isReadable = acknowledgment.code !== undefined;
      finish({ outcome: step.outcome, connection: isReadable ? 'keep' : 'destroy' });
    };
    if (signal.aborted) abort();
    else connection.write(request.body);
  });
}

/**
 * What becomes of a message that was accepted (CA) when the application's acknowledgment does not follow.
 * It must not be sent again: a sender that is stopped leaves it at that, else somebody has to look.
 */
function toUnfinished(
  answer: Answer,
  { where, code, found }: { readonly where: string; readonly code: string; readonly found: string },
): Outcome {
  if (code === 'sender-stopped') {
    return { kind: 'delivered', summary: `CA from ${where}, then ${found}`, answer };
  }
  const message = `Expected an application acknowledgment from ${where} after its CA, but ${found}. It has the message: look there what became of it before sending it again.`;
  const issue: Issue = { code: 'application-answer-missing', severity: 'error', message };
  return { kind: 'permanent', issues: [issue], answer };
}

function buildNotCommitted(where: string): Outcome {
  const message = `Expected a positive commit block from ${where}, found a negative one (NAK): it could not store the message. It may take it later.`;
  const issue: Issue = { code: 'not-committed', severity: 'error', message };
  return { kind: 'transient', issues: [issue], isOutage: true };
}

function buildUnread(where: string, reason: string): Outcome {
  const message = `Expected an acknowledgment from ${where}, but ${reason}. The message was not read.`;
  const issue: Issue = { code: 'connection-refused', severity: 'error', message };
  return { kind: 'transient', issues: [issue], isOutage: true };
}
