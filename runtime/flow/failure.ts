import { buildError, findFailure, type Failure } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import type { FlowResult } from '../settlement/transaction.ts';

/** Why a message that was in a flow when it was redeployed starts again. */
export const flowStopped: Issue = {
  code: 'flow-stopped',
  severity: 'information',
  message: 'The flow was stopped or redeployed before it was through; the message starts again.',
};

/** Why a message that went through a flow starts again, although nothing in the flow failed. */
export const endNotStored: Issue = {
  code: 'end-not-stored',
  severity: 'information',
  message:
    'The end of the flow could not be stored, or is not known to be; the message starts again.',
};

/**
 * The class and the findings of a flow that did not complete. What no node classed is `ambiguous`: it may
 * pass (a partner that was away) or be wrong every time (a mistake in a function).
 */
export function toFailure(result: Exclude<FlowResult, { kind: 'completed' | 'aborted' }>): Failure {
  switch (result.kind) {
    case 'rejected':
      return { errorClass: 'permanent', issues: result.issues };
    case 'timed-out':
      return buildError(
        'ambiguous',
        'flow-timeout',
        `The flow did not finish in time; still at work: ${result.openNodes.join(', ') || 'none'}.`,
      );
    case 'failed':
      return (
        findFailure(result.error) ??
        buildError(
          'ambiguous',
          'flow-error',
          `Node ${result.nodeId ?? '(unknown)'} failed with ${nameOf(result.error)}; its words are in the editor's debug panel.`,
        )
      );
  }
}

/** An exception's kind. Its words may quote the message, also where it is a mistake of the program. */
function nameOf(error: unknown): string {
  if (error instanceof Error) return error.name;
  return /^[A-Z]\w*Error\b/.exec(String(error))?.[0] ?? 'an error';
}
