import { contentTypes } from '../../core/envelope.ts';
import { readAcknowledgment } from '../../core/hl7v2/acknowledgment.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { toOutcome } from './acknowledgment-outcome.ts';
import type { MllpConnection } from './connection.ts';
import { isForAnother } from './exchange.ts';

/** The message whose answer did not come in time. */
interface Overdue {
  /** Of its envelope. */
  readonly id: string;
  readonly controlId: string;
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
  readonly logger: Logger;
}): LateAnswers {
  const { graceMs, where, logger } = options;
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
    await(connection, { id, controlId }) {
      const since = performance.now();
      const grace = setTimeout(() => end(connection), graceMs);
      grace.unref();
      waiting.set(connection, grace);
      connection.onClose = () => end(connection);
      connection.onMessage = (body) => {
        const acknowledgment = readAcknowledgment(body);
        const { code } = acknowledgment;
        // Without a control id nobody can tell what it answers.
        const isIts =
          code !== undefined && controlId !== '' && !isForAnother(acknowledgment, controlId);
        if (!isIts) return;
        const lateMs = Math.round(performance.now() - since);
        logger.warn(
          { id, controlId, code, lateMs, partner: where },
          'An acknowledgment came after its time: it counts for its own message alone',
        );
        const answer = { contentType: contentTypes.hl7v2, body };
        keep(id, toOutcome(acknowledgment, { answer, where: `${where}, late` }));
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
