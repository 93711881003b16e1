import { hash } from 'node:crypto';
import type { Envelope } from '../../core/envelope.ts';
import type { DuplicatePolicy } from '../../core/interface.ts';
import type { FormerReceipt, ReceivedQuery } from '../../core/ports/ledger.ts';
import type { Clock } from '../clock.ts';
import { toInstant } from '../ids.ts';

/** What is known of a message's control id and content when it is to be stored. */
export type Claim = FirstClaim | Repetition;

/** It is to be stored, unless the ledger knows of one that came before. */
export interface FirstClaim {
  readonly kind: 'first';
  /** What the ledger is to be asked; undefined where nothing counts as having come before. */
  readonly before: ReceivedQuery | undefined;
  /** Its control id is in use at this moment, for other content. */
  readonly isReused: boolean;
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

/** Which messages one edge is storing at this moment: the ledger does not know of them yet. */
export class Duplicates {
  readonly #clock: Clock;
  readonly #storing = new Map<string, readonly Storing[]>();

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  /**
   * Claims control id and content. Of copies that come at the same moment the one that is called first has them,
   * and the others wait for what becomes of it.
   */
  async claim(envelope: Envelope, policy: DuplicatePolicy): Promise<Claim> {
    if (policy.windowMs === 0) return unwatched;
    const { interface: owner, controlId = '' } = envelope;
    const key = `${owner}\n${controlId}`;
    const digest = hash('sha256', envelope.body, 'base64');
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
    if (others.length > 0 && (await isRefused(others, policy))) {
      forget();
      return { kind: 'reused' };
    }
    const since = toInstant(Math.max(0, this.#clock() - policy.windowMs));
    return {
      kind: 'first',
      before: { interface: owner, controlId, digest, since },
      isReused: others.length > 0,
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
}

/** What one that came before makes of the message; undefined: it is to be stored beside that. */
export function judge(former: FormerReceipt, policy: DuplicatePolicy): Repetition | undefined {
  if (former.hasSameContent) return { kind: 'duplicate', firstId: former.id };
  return policy.sameIdOtherContent === 'reject' ? { kind: 'reused' } : undefined;
}

/** Those of other content that are being stored count when they are. */
async function isRefused(
  others: readonly Storing[],
  { sameIdOtherContent }: DuplicatePolicy,
): Promise<boolean> {
  if (sameIdOtherContent === 'accept') return false;
  const ids = await Promise.all(others.map(({ firstId }) => firstId));
  return ids.some((id) => id !== undefined);
}

const unwatched: FirstClaim = {
  kind: 'first',
  before: undefined,
  isReused: false,
  settle: () => undefined,
  forget: () => undefined,
};
