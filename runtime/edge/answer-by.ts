import type { Accept } from '../../core/ports/source.ts';
import { Recorder } from '../recorder.ts';
import { toInstant } from '../ids.ts';
import { answerCodes } from './answers.ts';
import { buildFlowAnswer, type AnswerPlan } from './flow-answer.ts';
import type { Heard, Expectation } from './flow-results.ts';
import type { Incoming, Intake } from './incoming.ts';
import { describeOrigin } from './origin.ts';

/** The answers of a message that is durable: what is due at once, and what its flow says later. */
export function answerBy(
  intake: Intake,
  incoming: Incoming,
  about: {
    readonly plan: AnswerPlan;
    readonly expectation: Expectation | undefined;
    /** The message that the ledger notes the answer at. */
    readonly id: string;
  },
): ReturnType<Accept> {
  const { plan, expectation, id } = about;
  const now = answerCodes(intake, incoming, plan);
  if (plan.later === undefined || expectation === undefined) return Promise.resolve(now);
  const later = expectation.reply.then((heard) => {
    const answer = buildFlowAnswer(intake, incoming, { plan, heard });
    if (answer === undefined) return undefined;
    note(intake, incoming, { id, heard, code: answer.code });
    return answer.body;
  });
  return Promise.resolve({ now, later, inTurn: plan.later.inTurn });
}

/** At the message what was answered, and at a flow's own response that its sender has it. */
function note(
  intake: Intake,
  { received }: Incoming,
  { id, heard, code }: { readonly id: string; readonly heard: Heard; readonly code: string },
): void {
  const at = toInstant(intake.clock());
  const summary = `${code} to ${describeOrigin(received)}`;
  const answered = { messageId: id, kind: 'answered', at, summary } as const;
  const delivered =
    heard.kind === 'response'
      ? [
          {
            messageId: heard.id,
            kind: 'delivered',
            at,
            queue: intake.results.queue,
            summary,
          } as const,
        ]
      : [];
  const events = [answered, ...delivered].map((event) => ({ type: 'event', event }) as const);
  void new Recorder(intake).write(events);
}
