import type { FormerReceipt, Ledger, MessageState, ReceivedQuery } from '../ports/ledger.ts';
import { JoinedQuestions } from './joined-questions.ts';

/** What whoever takes a message asks a ledger of it. */
type Lookups = Pick<Ledger, 'states' | 'findReceived'>;

/** Where what is asked of single messages at the same time goes as one question: see {@link JoinedQuestions}. */
export class JoinedLookups implements Lookups {
  readonly #lookups: Lookups;
  readonly #states: JoinedQuestions<string, MessageState | undefined>;
  readonly #receipts: JoinedQuestions<ReceivedQuery, FormerReceipt | undefined>;

  constructor(lookups: Lookups, options: { readonly inTurn?: boolean } = {}) {
    this.#lookups = lookups;
    this.#states = new JoinedQuestions(async (ids) => {
      const states = await lookups.states(ids);
      return ids.map((id) => states.get(id));
    }, options);
    this.#receipts = new JoinedQuestions((queries) => lookups.findReceived(queries), options);
  }

  async states(ids: readonly string[]): Promise<ReadonlyMap<string, MessageState>> {
    const [first] = ids;
    if (first === undefined) return new Map();
    if (ids.length > 1) return this.#lookups.states(ids);
    const state = await this.#states.ask(first);
    return new Map(state === undefined ? [] : [[first, state]]);
  }

  async findReceived(
    queries: readonly ReceivedQuery[],
  ): Promise<readonly (FormerReceipt | undefined)[]> {
    const [first] = queries;
    if (first === undefined) return [];
    if (queries.length > 1) return this.#lookups.findReceived(queries);
    return [await this.#receipts.ask(first)];
  }
}
