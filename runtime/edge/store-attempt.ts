import type { Envelope } from '../../core/envelope.ts';
import { findFailure } from '../../core/errors.ts';
import { isFormer } from '../../core/former-receipt.ts';
import type { DuplicatePolicy } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { UniqueIntake } from '../../core/ports/intake.ts';
import type { FormerReceipt, Ledger, LedgerEntry } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { judge, type FirstClaim, type Repetition } from './duplicates.ts';

/** A message to be kept. */
export interface Keepable {
  readonly envelope: Envelope;
  readonly queue: string;
  readonly policy: DuplicatePolicy;
  /** The message itself and that it was received, with what was found about it. */
  readonly buildBirth: (found: {
    readonly digest: string | undefined;
    readonly isUnchecked: boolean;
    readonly issues: readonly Issue[];
  }) => readonly LedgerEntry[];
  /** That it is in its queue. */
  readonly queued: LedgerEntry;
}

/** What came of one attempt to store a message. */
export type Tried =
  | Repetition
  /** It is durable in its queue; `missing` is what the ledger is still to be told. */
  | { readonly kind: 'stored'; readonly missing: readonly LedgerEntry[] }
  /** `isAway`: nothing could be asked, which may be over in a moment. */
  | { readonly kind: 'failed'; readonly reason: unknown; readonly isAway: boolean };

/** How a message is stored. Never rejects. */
export interface StoreAttempt {
  /** Before it is its turn: a message that came before need not be stored. */
  ask(): Promise<Repetition | undefined>;
  /** Stores it. Everything is asked of the stores before this returns its promise, the first time. */
  run(): Promise<Tried>;
}

/** In one transaction of a store that is broker and ledger: looked for, put into its queue and recorded. */
export function storeAtOnce(
  { envelope, queue, policy, ...message }: Keepable,
  claim: FirstClaim,
  intake: UniqueIntake,
): StoreAttempt {
  const { before } = claim;
  const entriesWith = (issues: readonly Issue[]): readonly LedgerEntry[] => [
    ...message.buildBirth({ digest: before?.digest, isUnchecked: false, issues }),
    message.queued,
  ];
  const entries = entriesWith(claim.isReused ? [reused] : []);
  const reusedEntries = policy.sameIdOtherContent === 'reject' ? undefined : entriesWith([reused]);
  return {
    ask: () => Promise.resolve(undefined),
    run: async () => {
      try {
        const former = await intake.take({ queue, envelope, before, entries, reusedEntries });
        const repetition = former && judge(former, policy);
        return repetition ?? { kind: 'stored', missing: [] };
      } catch (reason) {
        return { kind: 'failed', reason, isAway: isTransient(reason) };
      }
    },
  };
}

/** In two stores that know nothing of each other. Where the ledger cannot be asked the message passes, unchecked. */
export function storeApart(
  { envelope, queue, policy, ...message }: Keepable,
  claim: FirstClaim,
  {
    broker,
    ledger,
    logger,
  }: { readonly broker: Broker; readonly ledger: Ledger; readonly logger: Logger },
): StoreAttempt {
  let former: FormerReceipt | undefined;
  let isUnchecked = false;
  let isAgain = false;
  const ask = async (): Promise<Repetition | undefined> => {
    if (claim.before === undefined) return undefined;
    try {
      const [found] = await ledger.findReceived([claim.before]);
      former = found !== undefined && isFormer(found, envelope.id) ? found : undefined;
      isUnchecked = false;
      return former && judge(former, policy);
    } catch {
      if (!isUnchecked) {
        const text = 'The ledger could not be asked whether a message came before; it passes.';
        logger.warn({ id: envelope.id }, text);
      }
      isUnchecked = true;
      return undefined;
    }
  };
  const store = async (): Promise<Tried> => {
    const issues = former !== undefined || claim.isReused ? [reused] : [];
    const birth = message.buildBirth({ digest: claim.before?.digest, isUnchecked, issues });
    const [queued, recorded] = await Promise.allSettled([
      broker.publish(queue, envelope),
      ledger.append(birth),
    ]);
    if (queued.status === 'rejected') {
      const isAway =
        recorded.status === 'rejected' &&
        isTransient(queued.reason) &&
        isTransient(recorded.reason);
      return { kind: 'failed', reason: queued.reason, isAway };
    }
    if (recorded.status === 'fulfilled') return { kind: 'stored', missing: [message.queued] };
    // It is in the queue: it will be processed, and that is what the acknowledgment says.
    logger.error(
      { id: envelope.id, err: recorded.reason as unknown },
      'The ledger did not take a message.',
    );
    return { kind: 'stored', missing: [...birth, message.queued] };
  };
  const storeAgain = async (): Promise<Tried> => (isUnchecked ? await ask() : undefined) ?? store();
  return {
    ask,
    run: () => {
      const running = isAgain ? storeAgain() : store();
      isAgain = true;
      return running;
    },
  };
}

function isTransient(reason: unknown): boolean {
  return findFailure(reason)?.errorClass === 'transient';
}

const reused: Issue = {
  code: 'control-id-reused',
  severity: 'warning',
  location: 'MSH-10',
  message:
    'Expected a control id of its own for each message, found one that came before with other content.',
};
