import type { ConsumeMessage } from 'amqplib';
import type { Envelope } from '../../core/envelope.ts';
import type { HilumError } from '../../core/errors.ts';
import { buildError, findFailure } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import type { Delivery, Outgoing, RetryOptions } from '../../core/ports/broker.ts';
import type { LedgerEntry } from '../../core/ports/ledger.ts';

/** What a settlement publishes, each with confirm; the original is acknowledged after it. */
export interface SettlementPublisher {
  readonly toEnvelope: (message: ConsumeMessage) => Envelope;
  readonly retry: (
    envelope: Envelope,
    retry: RetryOptions & { readonly delayMs: number },
  ) => Promise<void>;
  readonly dead: (envelope: Envelope, issues: readonly Issue[]) => Promise<void>;
  readonly outgoing: (outgoing: Outgoing) => Promise<void>;
  /** Tells the ledger. */
  readonly record: (entries: readonly LedgerEntry[]) => Promise<void>;
}

/** What is made durable before a settlement. */
interface Settling {
  readonly outgoing?: readonly Outgoing[] | undefined;
  readonly entries?: readonly LedgerEntry[] | undefined;
}

/** A message in a consumer's hands, as the lane sees it that it came from. */
export interface Held {
  readonly queue: string;
  readonly message: ConsumeMessage;
  readonly redelivered: boolean;
  readonly voided: AbortSignal;
  /** Throws `broker-unavailable` where the channel is gone that it came on. */
  readonly assertCurrent: () => void;
  readonly acknowledge: () => void;
  /** It is handed out again in its place, at once; or a moment later, since it could not be settled. */
  readonly giveBack: (when: 'now' | 'soon') => void;
}

/** The delivery of a message that is held: settled once, and what it publishes before that. */
export function buildDelivery(held: Held, publisher: SettlementPublisher): Delivery {
  const { queue, message } = held;
  const envelope = publisher.toEnvelope(message);
  let settling = false;
  const settle = async (
    { outgoing = [], entries = [] }: Settling,
    { before, end = held.acknowledge }: { before?: () => Promise<void>; end?: () => void } = {},
  ): Promise<void> => {
    if (settling) throw buildAlreadySettled(queue, envelope.id);
    settling = true;
    held.assertCurrent();
    try {
      // All are waited for: what is still under way when this rejects would be settled past.
      const published = await Promise.allSettled(outgoing.map((each) => publisher.outgoing(each)));
      throwWorst(published);
      if (entries.length > 0) await publisher.record(entries);
    } catch (error) {
      if (findFailure(error)?.errorClass === 'permanent') settling = false;
      else held.giveBack('soon');
      throw error;
    }
    try {
      await before?.();
    } catch (error) {
      held.giveBack('soon');
      throw error;
    }
    held.assertCurrent();
    end();
  };
  const retry = (delayMs: number, options: RetryOptions = {}): Promise<void> =>
    // As it was: in its place, where its order is.
    delayMs <= 0 && options.countAttempt === false
      ? settle(options, { end: () => held.giveBack('now') })
      : settle(options, { before: () => publisher.retry(envelope, { ...options, delayMs }) });
  return {
    queue,
    envelope,
    redelivered: held.redelivered,
    voided: held.voided,
    accept: (outgoing, entries) => settle({ outgoing, entries }),
    retry,
    deadLetter: (issues, outgoing, entries) =>
      settle({ outgoing, entries }, { before: () => publisher.dead(envelope, issues) }),
  };
}

/** A transient failure before a permanent one: it is not known what is stored. */
function throwWorst(results: readonly PromiseSettledResult<void>[]): void {
  const reasons: unknown[] = results.flatMap((each) =>
    each.status === 'rejected' ? [each.reason as unknown] : [],
  );
  if (reasons.length === 0) return;
  throw reasons.find((each) => findFailure(each)?.errorClass !== 'permanent') ?? reasons[0];
}

function buildAlreadySettled(queue: string, id: string): HilumError {
  const what = `The delivery of ${id} from ${queue} has been settled; a delivery is settled once`;
  return buildError('permanent', 'already-settled', what);
}
