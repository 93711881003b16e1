import { createHash } from 'node:crypto';
import type { Envelope } from '../../core/envelope.ts';
import type { DuplicatePolicy } from '../../core/interface.ts';
import type { FormerReceipt, Ledger, MessageState } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import { toInstant } from '../ids.ts';

/** What is known of a message's control id and content when it is to be stored. */
export type Claim = FirstClaim | Repetition;

/** It is to be stored. */
export interface FirstClaim {
  readonly kind: 'first';
  /** The ledger could not be asked: it may have come before. */
  readonly isUnchecked: boolean;
  /** Its control id was used before, for other content. */
  readonly isReused: boolean;
  /** Asks the ledger, where it could not be asked; undefined: it is the first indeed. */
  checkAgain(): Promise<Repetition | 'unchecked' | undefined>;
  /** To be called in every case. Given the id that counts as the first, once that is durable in its queue. */
  settle(firstId: string | undefined): void;
  /** Its copies are found in the ledger from now on, or are to be stored. */
  forget(): void;
}

/**
 * It is not to be stored: the same content came before and is durable (`duplicate`), or its control id was used
 * for other content and such messages are refused (`reused`).
 */
export type Repetition =
  { readonly kind: 'duplicate'; readonly firstId: string } | { readonly kind: 'reused' };

/** A message that is being stored. */
interface Storing {
  readonly digest: string;
  /** What its copies are duplicates of; undefined where it was not stored. */
  readonly firstId: Promise<string | undefined>;
}

/** In these a message is not known to be, or to have been, in its queue: it may be lost. */
const notDurable: ReadonlySet<MessageState> = new Set(['received', 'refused', 'duplicate']);

/** Which messages came before: those that one edge is storing now, and those in the ledger. */
export class Duplicates {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #storing = new Map<string, readonly Storing[]>();

  constructor(options: {
    readonly ledger: Ledger;
    readonly clock: Clock;
    readonly logger: Logger;
  }) {
    this.#ledger = options.ledger;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  /**
   * Claims control id and content. Of copies that come at the same moment the one that is called first has them,
   * and the others wait for what becomes of it.
   */
  async claim(envelope: Envelope, policy: DuplicatePolicy): Promise<Claim> {
    if (policy.windowMs === 0) return unwatched;
    const key = `${envelope.interface}\n${envelope.controlId ?? ''}`;
    const digest = createHash('sha256').update(envelope.body).digest('base64');
    // Whoever finds nobody claims in the same tick.
    for (let same = this.#find(key, digest); same; same = this.#find(key, digest)) {
      const firstId = await same.firstId;
      if (firstId !== undefined) return { kind: 'duplicate', firstId };
      this.#forget(key, same);
    }
    const others = this.#storing.get(key) ?? [];
    const { promise: firstId, resolve: settle } = Promise.withResolvers<string | undefined>();
    const mine: Storing = { digest, firstId };
    this.#storing.set(key, [...others, mine]);
    const forget = (): void => {
      settle(undefined);
      this.#forget(key, mine);
    };
    const lookUp = (): Promise<Found> => this.#lookUp(envelope, digest, policy);
    const former = await lookUp();
    if (former === 'unchecked') {
      const text = 'The ledger could not be asked whether a message came before; it passes.';
      this.#logger.warn({ id: envelope.id }, text);
    }
    const repetition = judge(former, policy) ?? (await judgeOthers(others, policy));
    if (repetition !== undefined) {
      settle(repetition.kind === 'duplicate' ? repetition.firstId : undefined);
      forget();
      return repetition;
    }
    return {
      kind: 'first',
      isUnchecked: former === 'unchecked',
      isReused: (former !== undefined && former !== 'unchecked') || others.length > 0,
      checkAgain: async () => {
        if (former !== 'unchecked') return undefined;
        const again = await lookUp();
        return again === 'unchecked' ? again : judge(again, policy);
      },
      settle,
      forget,
    };
  }

  #find(key: string, digest: string): Storing | undefined {
    return this.#storing.get(key)?.find((each) => each.digest === digest);
  }

  #forget(key: string, storing: Storing): void {
    const left = this.#storing.get(key)?.filter((each) => each !== storing) ?? [];
    if (left.length === 0) this.#storing.delete(key);
    else this.#storing.set(key, left);
  }

  async #lookUp(envelope: Envelope, digest: string, { windowMs }: DuplicatePolicy): Promise<Found> {
    const since = toInstant(Math.max(0, this.#clock() - windowMs));
    const { interface: owner, controlId = '' } = envelope;
    try {
      const [former] = await this.#ledger.findReceived([
        { interface: owner, controlId, digest, since },
      ]);
      // Its own, stored by an attempt that was not heard of.
      if (former === undefined || former.id === envelope.id) return undefined;
      return notDurable.has(former.state) ? undefined : former;
    } catch {
      return 'unchecked';
    }
  }
}

type Found = FormerReceipt | 'unchecked' | undefined;

function judge(former: Found, policy: DuplicatePolicy): Repetition | undefined {
  if (former === undefined || former === 'unchecked') return undefined;
  if (former.hasSameContent) return { kind: 'duplicate', firstId: former.id };
  return policy.sameIdOtherContent === 'reject' ? { kind: 'reused' } : undefined;
}

/** Those of other content that are being stored count when they are. */
async function judgeOthers(
  others: readonly Storing[],
  { sameIdOtherContent }: DuplicatePolicy,
): Promise<Repetition | undefined> {
  if (sameIdOtherContent === 'accept') return undefined;
  const ids = await Promise.all(others.map(({ firstId }) => firstId));
  return ids.some((id) => id !== undefined) ? { kind: 'reused' } : undefined;
}

const unwatched: FirstClaim = {
  kind: 'first',
  isUnchecked: false,
  isReused: false,
  checkAgain: () => Promise.resolve(undefined),
  settle: () => undefined,
  forget: () => undefined,
};
