import { contentTypes } from '../../core/envelope.ts';
import { readAcknowledgment } from '../../core/hl7v2/acknowledgment.ts';
import { decideAnswer } from '../../core/hl7v2/acknowledgment-outcome.ts';
import type { AnswerPolicy } from '../../core/hl7v2/acknowledgment-settings.ts';
import type { Header } from '../../core/hl7v2/header.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { MllpConnection } from './connection.ts';

/** The message whose answer did not come in time. */
interface Overdue {
  /** Of its envelope. */
  readonly id: string;
  readonly header: Header | undefined;
}

/**
 * Acknowledgments that come after their time. The connection stays open for a while and carries nothing
 * else, so such an answer can be nobody else's; the attempt that follows takes it instead of sending the
 * message a second time.
 */
export interface LateAnswers {
  /** Listens on the connection until the answer comes, its grace is over, or its place is needed. */
  await(connection: MllpConnection, message: Overdue): void;
  /** What was answered late to the envelope, once. */
  take(id: string): Outcome | undefined;
  /** Closes the connection that has waited longest: many receivers serve only one at a time. */
  makeRoom(): void;
  close(): void;
}

/** Answers nobody asks for again: their messages were given up. */
const maxKept = 100;

export function createLateAnswers(options: {
  readonly graceMs: number;
  readonly where: string;
  readonly policy: AnswerPolicy;
  readonly logger: Logger;
}): LateAnswers {
  const { graceMs, where, logger } = options;
  // A late CA ends it: the message must not be sent again to hear of the application.
  const policy: AnswerPolicy = { ...options.policy, awaits: 'accept' };
  const waiting = new Map<MllpConnection, NodeJS.Timeout>();
  const outcomes = new Map<string, Outcome>();

  function end(connection: MllpConnection): void {
    clearTimeout(waiting.get(connection));
    waiting.delete(connection);
    connection.onMessage = undefined;
    connection.onClose = undefined;
    connection.destroy();
  }

  function keep(id: string, outcome: Outcome): void {
    // What may be taken later, or cannot be read, has to be sent again anyway.
    if (outcome.kind !== 'delivered' && outcome.kind !== 'permanent') return;
    outcomes.set(id, outcome);
    const [oldest] = outcomes.keys();
    if (outcomes.size > maxKept && oldest !== undefined) outcomes.delete(oldest);
  }

  return {
    await(connection, { id, header }) {
      const since = performance.now();
      const grace = setTimeout(() => end(connection), graceMs);
      grace.unref();
      waiting.set(connection, grace);
      connection.onClose = () => end(connection);
      connection.onMessage = (body) => {
        const acknowledgment = readAcknowledgment(body);
        const { code } = acknowledgment;
        const controlId = header?.controlId ?? '';
        // Without a control id nobody can tell what it answers.
        if (code === undefined || controlId === '') return;
        const answer = { contentType: contentTypes.hl7v2, body };
        const sent = { header, policy, answer, where: `${where}, late` };
        const step = decideAnswer(acknowledgment, sent);
        if (step.kind !== 'done') return;
        const lateMs = Math.round(performance.now() - since);
        logger.warn(
          { id, controlId, code, lateMs, partner: where },
          'An acknowledgment came after its time: it counts for its own message alone',
        );
        keep(id, step.outcome);
        end(connection);
      };
    },
    take(id) {
      const outcome = outcomes.get(id);
      outcomes.delete(id);
      return outcome;
    },
    makeRoom() {
      const [oldest] = waiting.keys();
      if (oldest !== undefined) end(oldest);
    },
    close() {
      for (const connection of waiting.keys()) end(connection);
    },
  };
}
