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
  readonly #doubtful = new Set<string>();
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
    this.#doubtful.add(queue);
  }

  /** To be called again and again. Rejects where ledger or broker cannot be reached; other queues had their turn. */
  async work(): Promise<void> {
    const { stores, logger, queues } = this.#options;
    if (stores.intake !== undefined) return;
    const loose = [...queues()].flatMap(([queue, { isOrdered }]) => (isOrdered ? [] : [queue]));
    await withEach(loose, async (queue) => {
      if (this.#seen.has(queue) && !this.#doubtful.delete(queue)) return;
      let messages = 0;
      try {
        await putBack(queue, { ...stores, onEach: () => (messages += 1) });
        this.#seen.add(queue);
      } catch (error) {
        this.#doubtful.add(queue);
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
  { broker, ledger, onEach }: Pick<Stores, 'broker' | 'ledger'> & { readonly onEach: () => void },
): Promise<void> {
  for (let after = 0; ;) {
    const page = await ledger.listParked(queue, { limit: pageMessages, after });
    const states = await ledger.states(page.map(({ id }) => id));
    for (const { id } of page) {
      if (states.get(id) === 'parked') continue;
      const envelope = await ledger.read(id);
      if (envelope === undefined) continue;
      await broker.publish(queue, envelope);
      onEach();
    }
    after = page.at(-1)?.place ?? after;
    if (page.length < pageMessages) return;
  }
}
