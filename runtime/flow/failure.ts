import { buildError, findFailure, type HilumError } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import type { FlowResult } from '../settlement/transaction.ts';

/** Why a message that was in a flow when it was redeployed starts again. */
export const flowStopped: Issue = {
  code: 'flow-stopped',
  severity: 'information',
  message: 'The flow was stopped or redeployed before it was through; the message starts again.',
};

/** The class and the findings of a flow that did not complete. */
export function toFailure(
  result: Exclude<FlowResult, { kind: 'completed' | 'aborted' }>,
): Pick<HilumError, 'errorClass' | 'issues'> {
  switch (result.kind) {
    case 'rejected':
      return { errorClass: 'permanent', issues: result.issues };
    case 'timed-out':
      return buildError(
        'transient',
        'flow-timeout',
        `The flow did not finish in time; still at work: ${result.openNodes.join(', ') || 'none'}.`,
      );
    case 'failed':
      return (
        findFailure(result.error) ??
        buildError(
          'transient',
          'flow-error',
          `Node ${result.nodeId ?? '(unknown)'} failed: ${withoutData(result.error)}.`,
        )
      );
  }
}

/**
 * What an exception may say outside the editor: a mistake of the program speaks of names in the program,
 * anything else (a parser's complaint) may quote the message and stays in the editor's debug panel.
 */
function withoutData(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const safe = /^(?:TypeError|ReferenceError|RangeError): [^\n]{1,200}/.exec(text);
  return safe?.[0] ?? "an error that is shown in the editor's debug panel";
}
