import {
  decideAcknowledgment,
  type AcknowledgmentDecision,
  type IntakeResult,
} from '../../core/hl7v2/acknowledgment-mode.ts';
import type { Header } from '../../core/hl7v2/header.ts';
import type { ListenerAcknowledgment } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import { respond } from '../acknowledge.ts';
import type { Clock } from '../clock.ts';

/** What is known of a message when it is answered; no header where it has none that can be read. */
export interface Answerable {
  readonly header?: Header;
  readonly isResponse?: boolean;
  /** For MSA-4. */
  readonly expectedSequenceNumber?: number;
}

/** How the listener acknowledges what became of a message. */
export function decide(
  { settings }: { readonly settings: ListenerAcknowledgment },
  { header, isResponse = false }: Answerable,
  result: IntakeResult,
): AcknowledgmentDecision {
  const { mode, application } = settings;
  return decideAcknowledgment({ header, mode, application, result, isResponse });
}

/** The acknowledgments that are due now, as bytes. */
export function answer(
  intake: { readonly settings: ListenerAcknowledgment; readonly clock: Clock },
  to: Answerable,
  { result, issues }: { readonly result: IntakeResult; readonly issues: readonly Issue[] },
): Promise<readonly Uint8Array[]> {
  const decision = decide(intake, to, result);
  return Promise.resolve(answerCodes(intake, to, { ...decision, issues }));
}

/** Each of these codes in a message of its own. */
export function answerCodes(
  { clock }: { readonly clock: Clock },
  { header, expectedSequenceNumber }: Answerable,
  {
    now,
    isEnhanced,
    issues = [],
  }: Pick<AcknowledgmentDecision, 'now' | 'isEnhanced'> & { readonly issues?: readonly Issue[] },
): readonly Uint8Array[] {
  const nowMs = clock();
  return now.map((code) =>
    respond(header, {
      code,
      issues,
      nowMs,
      ...(expectedSequenceNumber === undefined ? {} : { expectedSequenceNumber }),
      ...(isEnhanced ? { acceptAcknowledgment: 'NE' } : {}),
    }),
  );
}

/** What the ledger says about it. */
export function toSummary({ now }: Pick<AcknowledgmentDecision, 'now'>): string {
  return now.length === 0 ? 'not answered' : `answered ${now.join(' and ')}`;
}
