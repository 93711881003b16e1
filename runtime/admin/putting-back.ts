import type { Logger } from '../../core/ports/logger.ts';
import type { Stores } from '../broker.ts';
import { withEach } from '../held/with-each.ts';

interface Options {
  readonly stores: Pick<Stores, 'broker' | 'ledger' | 'intake'>;
  readonly logger: Logger;
  /** The queues of the flows that are deployed, and whether whoever consumes them keeps an order. */
  readonly queues: () => ReadonlyMap<string, { readonly isOrdered: boolean }>;
}

const pageMessages = 500;

/**
 * Puts into queues without order what somebody, or a table, has decided to try again and was kept out of them: the ledger
 * has the decision first, and a crash, or a broker that goes away, may come between the two. Where they are of one piece
 * there is never anything to do.
 */
export class PuttingBack {
  readonly #options: Options;
  /** Nothing is known to be kept out of them, since this process has begun. */
  readonly #seen = new Set<string>();
  /** From behind which place on some may be kept out of it. */
  readonly #doubtful = new Map<string, number>();
  #count = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** How many were put back since this process has begun. */
  get count(): number {
    return this.#count;
  }

  /** What was decided about some of its messages may not have come to the broker. */
  doubt(queue: string): void {
    this.#doubtful.set(queue, 0);
  }

  /** To be called again and again. Rejects where ledger or broker cannot be reached; other queues had their turn. */
  async work(): Promise<void> {
    const { stores, logger, queues } = this.#options;
    if (stores.intake !== undefined) return;
    const loose = [...queues()].flatMap(([queue, { isOrdered }]) => (isOrdered ? [] : [queue]));
    await withEach(loose, async (queue) => {
      const from = this.#doubtful.get(queue) ?? (this.#seen.has(queue) ? undefined : 0);
      if (from === undefined) return;
      this.#doubtful.delete(queue);
      let messages = 0;
      let reached = from;
      const onEach = (place: number): void => {
        messages += 1;
        reached = place;
      };
      try {
        await putBack(queue, { ...stores, from, onEach });
        this.#seen.add(queue);
      } catch (error) {
        // What the broker has is not put back again each time that it goes away, unless somebody doubts it anew.
        this.#doubtful.set(queue, this.#doubtful.get(queue) ?? reached);
        throw error;
      } finally {
        this.#count += messages;
        if (messages > 0) logger.info({ queue, messages }, 'Held messages are put back.');
      }
    });
  }
}

/**
 * What the ledger has as set aside, and not as waiting for a decision, one message after the other in their order: bodies
 * may be large. What is in the queue already is there twice then, and is done once: whoever takes it asks the ledger.
 */
async function putBack(
  queue: string,
  {
    broker,
    ledger,
    from,
    onEach,
  }: Pick<Stores, 'broker' | 'ledger'> & {
    /** Behind this place. */
    readonly from: number;
    readonly onEach: (place: number) => void;
  },
): Promise<void> {
  for (let after = from; ;) {
    const page = await ledger.listParked(queue, { limit: pageMessages, after });
    const states = await ledger.states(page.map(({ id }) => id));
    for (const { id, place } of page) {
      if (states.get(id) === 'parked') continue;
      const envelope = await ledger.read(id);
      if (envelope === undefined) continue;
      await broker.publish(queue, envelope);
      onEach(place);
    }
    after = page.at(-1)?.place ?? after;
    if (page.length < pageMessages) return;
  }
}
