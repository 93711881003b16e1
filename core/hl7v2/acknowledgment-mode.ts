import { isAcknowledgment } from './acknowledgment.ts';
import type { AcknowledgmentMode, ApplicationAcknowledgment } from './acknowledgment-settings.ts';
import { isAtLeast } from './error-segment.ts';
import type { Header } from './header.ts';
import { toVersionId, type AcknowledgmentCode, type AcknowledgmentCondition } from './response.ts';

/**
 * What became of a message: `accepted` (durable, and valid where that is asked), `error` in its content or
 * sequence, `rejected` for its type, version, processing id or parties, or `failed` to be stored.
 */
export type IntakeResult = 'accepted' | 'error' | 'rejected' | 'failed';

export interface AcknowledgmentDecision {
  /** Whether these are messages of enhanced mode. */
  readonly isEnhanced: boolean;
  /** Each in a message of its own, in this order. */
  readonly now: readonly AcknowledgmentCode[];
  /** When the flow's application acknowledgment is wanted; undefined where it never is. */
  readonly later: Exclude<AcknowledgmentCondition, 'NE'> | undefined;
}

interface Occasion {
  /** Undefined where the message has none that can be read: then it asks for nothing. */
  readonly header: Header | undefined;
  readonly mode: AcknowledgmentMode;
  readonly application: ApplicationAcknowledgment;
  readonly result: IntakeResult;
  /** Whether the message answers another (has an MSA): it can ask for an accept acknowledgment and no more. */
  readonly isResponse: boolean;
}

/**
 * Which acknowledgments a message gets now and which later. HL7 v2 chapter 2, message processing rules:
 * - original mode: AA, AE or AR, always.
 * - enhanced mode: CA, CE or CR as MSH-15 says; then, of an accepted message, the application
 *   acknowledgment as MSH-16 says. A refused one, whose sender asked for no accept acknowledgment, gets AE
 *   or AR as MSH-16 says: no application will ever see it. An empty one of the two is NE.
 * - a response is acknowledged only as its own MSH-15 says, and an acknowledgment never.
 */
export function decideAcknowledgment(occasion: Occasion): AcknowledgmentDecision {
  const { header, mode, application, result, isResponse } = occasion;
  if (mode === 'never' || (header !== undefined && isAcknowledgment(header))) return nothing;
  const accept = readCondition(header?.acceptAcknowledgment);
  if (isResponse) {
    const isAsked = mode !== 'original' && isDue(accept ?? 'NE', result);
    return isAsked ? { isEnhanced: true, now: [acceptCodes[result]], later: undefined } : nothing;
  }
  const wanted = readCondition(header?.applicationAcknowledgment);
  const isEnhanced =
    mode === 'enhanced' ||
    (mode === 'by-message' && hasConditions(header) && (accept ?? wanted) !== undefined);
  if (!isEnhanced) return { isEnhanced, now: [applicationCodes[result]], later: undefined };
  const now: AcknowledgmentCode[] = [];
  if (isDue(accept ?? (mode === 'enhanced' ? 'AL' : 'NE'), result)) now.push(acceptCodes[result]);
  const condition = wanted ?? 'NE';
  if (result === 'accepted' && application === 'flow') {
    return { isEnhanced, now, later: condition === 'NE' ? undefined : condition };
  }
  if (isDue(condition, result) && (result === 'accepted' || now.length === 0)) {
    now.push(applicationCodes[result]);
  }
  return { isEnhanced, now, later: undefined };
}

const nothing: AcknowledgmentDecision = { isEnhanced: false, now: [], later: undefined };

/** HL7 table 0008. In original mode AR also stands for what has nothing to do with the message. */
const applicationCodes: Readonly<Record<IntakeResult, AcknowledgmentCode>> = {
  accepted: 'AA',
  error: 'AE',
  rejected: 'AR',
  failed: 'AR',
};

/** CR is for type, version and processing id, CE for every other reason. */
const acceptCodes: Readonly<Record<IntakeResult, AcknowledgmentCode>> = {
  accepted: 'CA',
  error: 'CE',
  rejected: 'CR',
  failed: 'CE',
};

/** What the field says; undefined where it says nothing. An unknown code is taken as AL: rather an answer too many. */
function readCondition(field: string | undefined): AcknowledgmentCondition | undefined {
  const text = field?.trim() ?? '';
  if (text === '' || text === '""') return undefined;
  return conditions.find((each) => each === text) ?? 'AL';
}

const conditions: readonly AcknowledgmentCondition[] = ['AL', 'NE', 'ER', 'SU'];

/** 2.1 knows original mode alone. */
function hasConditions(header: Occasion['header']): boolean {
  return header !== undefined && isAtLeast(toVersionId(header), '2.2');
}

/** Whether the condition of MSH-15 or MSH-16 asks for an acknowledgment of that result. */
export function isDue(condition: AcknowledgmentCondition, result: IntakeResult): boolean {
  switch (condition) {
    case 'AL':
      return true;
    case 'NE':
      return false;
    case 'ER':
      return result !== 'accepted';
    case 'SU':
      return result === 'accepted';
  }
}
