import type { Issue } from '../../core/issue.ts';
import { requiredText, type FieldParser, type Parsed } from '../shared/fields.ts';

export const type = 'reject';

/** Configuration as the editor stores it. */
export interface RejectConfig {
  readonly name: string;
  /** For machines, kebab-case: `wrong-facility`. */
  readonly code: string;
  /** For the people who read the dead letters. */
  readonly reason: string;
}

export const defaults: RejectConfig = { name: '', code: 'rejected', reason: '' };

const code: FieldParser<string> = (text): Parsed<string> => {
  if (text === '') return { ok: false, problem: 'field-required' };
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text)
    ? { ok: true, value: text }
    : { ok: false, problem: 'code-invalid' };
};

export const fields = { code, reason: requiredText };

/**
 * Why the message is given up: the node's own reason first, then what an earlier node found to be wrong.
 * A code or reason left empty gives a general one, since a rejection must not fail.
 */
export function buildReasons(
  config: Pick<RejectConfig, 'code' | 'reason'>,
  findings: readonly Issue[] = [],
): readonly Issue[] {
  const reason: Issue = {
    code: config.code.trim() || 'rejected',
    severity: 'error',
    message: config.reason.trim() || 'The flow rejected the message.',
  };
  return [
    reason,
    ...findings.filter(({ severity }) => severity === 'error' || severity === 'fatal'),
  ];
}
