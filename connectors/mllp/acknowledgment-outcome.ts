import type { Acknowledgment, AcknowledgmentCode } from '../../core/hl7v2/acknowledgment.ts';
import type { Issue } from '../../core/issue.ts';
import type { Answer, Outcome } from '../../core/outcome.ts';

/**
 * What a code of HL7 table 0008 makes of a delivery. AE and CE are about this message: it will not do as it
 * is. AR and CR may be about anything (load, a version not spoken, a system that is down), and the standard
 * lets the sender repeat the same bytes: transient, so the sender's policy bounds how often.
 */
const usualOutcomes: Readonly<Record<AcknowledgmentCode, Exclude<Outcome['kind'], 'ambiguous'>>> = {
  AA: 'delivered',
  CA: 'delivered',
  AE: 'permanent',
  CE: 'permanent',
  AR: 'transient',
  CR: 'transient',
};

/** The outcome of a delivery that was answered; ambiguous where the answer has no known code. */
export function toOutcome(
  { code, issues }: Acknowledgment,
  { answer, where }: { readonly answer: Answer; readonly where: string },
): Outcome {
  if (code === undefined) return { kind: 'ambiguous', issues, answer };
  const kind = usualOutcomes[code];
  if (kind === 'delivered') return { kind, summary: `${code} from ${where}`, answer };
  return { kind, issues: [toRefusal(code, kind, where), ...issues], answer };
}

function toRefusal(code: string, kind: 'transient' | 'permanent', where: string): Issue {
  const advice =
    kind === 'permanent'
      ? 'Correct the message and send it again.'
      : 'It may take the same message later.';
  const message = `Expected AA or CA from ${where}, found ${code}. ${advice}`;
  return { code: 'refused-by-partner', severity: 'error', location: 'MSA-1', message };
}
