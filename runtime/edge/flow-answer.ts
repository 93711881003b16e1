import { readAcknowledgment } from '../../core/hl7v2/acknowledgment.ts';
import { isDue, type AcknowledgmentDecision } from '../../core/hl7v2/acknowledgment-mode.ts';
import type { AcknowledgmentCode } from '../../core/hl7v2/response.ts';
import type { FlowWait, ListenerAcknowledgment, ListenerDefinition } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import { respond } from '../acknowledge.ts';
import type { Clock } from '../clock.ts';
import { decide, type Answerable } from './answers.ts';
import type { Heard } from './flow-results.ts';

/** How an accepted message is answered: what at once, and what its flow has to say. */
export interface AnswerPlan extends Pick<AcknowledgmentDecision, 'now' | 'isEnhanced'> {
  /** Undefined: its flow is not waited for. */
  readonly later: LaterAnswer | undefined;
}

interface LaterAnswer {
  /** MSH-16 in enhanced mode. */
  readonly condition: NonNullable<AcknowledgmentDecision['later']>;
  /** Nothing is answered before it: it has the message's place among the answers. */
  readonly inTurn: boolean;
  /** Only the flow's own response is passed on; how the flow ended is not. */
  readonly responsesOnly: boolean;
}

interface Rules {
  readonly listener: ListenerDefinition;
  readonly settings: ListenerAcknowledgment;
  readonly clock: Clock;
}

const usualWait: FlowWait = { timeoutMs: 30_000, onTimeout: 'error' };

export function waitOf({ wait }: Pick<ListenerDefinition, 'wait'>): FlowWait {
  return wait ?? usualWait;
}

/** How a message is answered once it is durable. */
export function planAnswer(rules: Rules, to: Answerable): AnswerPlan {
  const { listener, settings } = rules;
  if (listener.acknowledge !== 'processed') {
    const { later: condition, ...decision } = decide(rules, to, 'accepted');
    const later = condition && { condition, inTurn: false, responsesOnly: true };
    return { ...decision, later };
  }
  const decision = decide({ settings: { ...settings, application: 'flow' } }, to, 'accepted');
  const { isEnhanced, now } = decision;
  // In original mode there is one answer, and it is the flow's.
  const isOriginal = !isEnhanced && now.length > 0;
  const condition = isOriginal ? 'AL' : decision.later;
  const atOnce = isOriginal ? [] : now;
  return {
    isEnhanced,
    now: atOnce,
    later: condition && { condition, inTurn: atOnce.length === 0, responsesOnly: false },
  };
}

/** What the ledger says of it: `answered CA, then by its flow`. */
export function describePlan({ now, later }: AnswerPlan): string {
  const first = now.length === 0 ? undefined : `answered ${now.join(' and ')}`;
  const flow = later === undefined ? undefined : 'by its flow';
  if (first === undefined) return flow === undefined ? 'not answered' : `answered ${flow}`;
  return flow === undefined ? first : `${first}, then ${flow}`;
}

/**
 * What a sender that waits is answered: the code, and the bytes. Undefined for nothing. Throws where its connection is
 * to be closed without an answer.
 */
export function buildFlowAnswer(
  rules: Rules,
  to: Answerable,
  { plan, heard }: { readonly plan: AnswerPlan; readonly heard: Heard },
): { readonly code: AcknowledgmentCode; readonly body: Uint8Array } | undefined {
  const { later } = plan;
  if (later === undefined) return undefined;
  if (heard.kind === 'response') {
    const { code = 'AA' } = readAcknowledgment(heard.body);
    const isPositive = code === 'AA' || code === 'CA';
    const isWanted = isDue(later.condition, isPositive ? 'accepted' : 'error');
    return isWanted ? { code, body: heard.body } : undefined;
  }
  if (heard.kind === 'stopped') {
    leave(later, 'The edge stops.');
    return undefined;
  }
  if (later.responsesOnly) return undefined;
  if (heard.kind === 'completed') {
    return isDue(later.condition, 'accepted') ? build(rules, to, { plan, issues: [] }) : undefined;
  }
  if (heard.kind === 'late' && waitOf(rules.listener).onTimeout === 'close') {
    leave(later, 'The flow was not through in time.');
    return undefined;
  }
  if (!isDue(later.condition, 'error')) return undefined;
  const issues = heard.kind === 'late' ? [pending] : withError(heard.issues);
  return build(rules, to, { plan, issues });
}

/** A connection with nothing else to say is closed; one that has said something is left as it is. */
function leave({ inTurn }: LaterAnswer, reason: string): void {
  if (inTurn) throw new Error(`${reason} The message is kept, and its repetition gets the answer.`);
}

function build(
  { clock }: Rules,
  { header, expectedSequenceNumber }: Answerable,
  { plan, issues }: { readonly plan: AnswerPlan; readonly issues: readonly Issue[] },
): { readonly code: AcknowledgmentCode; readonly body: Uint8Array } {
  const code = issues.length === 0 ? 'AA' : 'AE';
  const body = respond(header, {
    code,
    issues,
    nowMs: clock(),
    ...(expectedSequenceNumber === undefined ? {} : { expectedSequenceNumber }),
    ...(plan.isEnhanced ? { acceptAcknowledgment: 'NE' } : {}),
  });
  return { code, body };
}

/** What was given up says why, even where nobody had a reason. */
function withError(issues: readonly Issue[]): readonly Issue[] {
  return issues.length > 0 ? issues : [givenUp];
}

const pending: Issue = {
  code: 'flow-not-finished',
  severity: 'error',
  message:
    'The message is kept and its processing goes on; its result was not there in time. Repeat it to hear the result: it is not processed twice.',
};

const givenUp: Issue = {
  code: 'flow-gave-up',
  severity: 'error',
  message: 'The message could not be processed.',
};
