import type { Envelope } from '../../core/envelope.ts';
import { findFailure } from '../../core/errors.ts';
import { isFormer } from '../../core/former-receipt.ts';
import type { DuplicatePolicy } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { UniqueIntake } from '../../core/ports/intake.ts';
import type { FormerReceipt, Ledger, LedgerEntry } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { LedgerSpool } from '../spool/ledger-spool.ts';
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
  /** `isAway`: nothing could be asked, which may be over in a moment. `birth`: what the ledger may be told all the same. */
  | {
      readonly kind: 'failed';
      readonly reason: unknown;
      readonly isAway: boolean;
      readonly birth?: readonly LedgerEntry[];
    };

/** Makes a message durable in its queue, or on this machine until its broker is back. */
export interface Inlet {
  put(queue: string, envelope: Envelope): Promise<'queued' | 'spooled'>;
}

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
  const { before, isReused } = claim;
  const found = { digest: before?.digest, isUnchecked: false, issues: isReused ? reusedId : [] };
  const entries = [...message.buildBirth(found), message.queued];
  // Where it is known already it is not told again.
  const known = isReused ? [] : reusedId;
  const reused = policy.sameIdOtherContent === 'reject' ? undefined : known;
  return {
    ask: () => Promise.resolve(undefined),
    run: async () => {
      try {
        const former = await intake.take({ queue, envelope, before, entries, reused });
        const repetition = former && judge(former, policy);
        return repetition ?? { kind: 'stored', missing: [] };
      } catch (reason) {
        return { kind: 'failed', reason, isAway: isTransient(reason) };
      }
    },
  };
}

/**
 * In two stores that know nothing of each other: the queue first, so that the ledger never says of a message that it is
 * queued when it is not. Where the ledger cannot be asked the message passes, unchecked.
 */
export function storeApart(
  { envelope, queue, policy, ...message }: Keepable,
  claim: FirstClaim,
  {
    broker,
    ledger,
    ledgerSpool,
    logger,
    inlet = queueOf(broker),
  }: {
    readonly broker: Broker;
    readonly ledger: Ledger;
    readonly ledgerSpool: LedgerSpool;
    readonly logger: Logger;
    readonly inlet?: Inlet;
  },
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
    const issues = former !== undefined || claim.isReused ? reusedId : [];
    const birth = message.buildBirth({ digest: claim.before?.digest, isUnchecked, issues });
    const [put] = await Promise.allSettled([inlet.put(queue, envelope)]);
    if (put.status === 'rejected') {
      return { kind: 'failed', reason: put.reason, isAway: isTransient(put.reason), birth };
    }
    const entries = [
      ...birth,
      put.value === 'spooled' ? asSpooled(message.queued) : message.queued,
    ];
    try {
      await ledgerSpool.record(entries);
      return { kind: 'stored', missing: [] };
    } catch (err) {
      // It is in the queue: it will be processed, and that is what the acknowledgment says.
      logger.error({ id: envelope.id, err }, 'The ledger did not take a message.');
      return { kind: 'stored', missing: entries };
    }
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

function queueOf(broker: Broker): Inlet {
  return {
    put: async (queue, envelope) => {
      await broker.publish(queue, envelope);
      return 'queued';
    },
  };
}

function asSpooled(entry: LedgerEntry): LedgerEntry {
  if (entry.type !== 'event') return entry;
  const { summary = '' } = entry.event;
  const words = `spooled here until RabbitMQ is back; ${summary}`;
  return { type: 'event', event: { ...entry.event, summary: words } };
}

function isTransient(reason: unknown): boolean {
  return findFailure(reason)?.errorClass === 'transient';
}

const reusedId: readonly Issue[] = [
  {
    code: 'control-id-reused',
    severity: 'warning',
    location: 'MSH-10',
    message:
      'Expected a control id of its own for each message, found one that came before with other content.',
  },
];
