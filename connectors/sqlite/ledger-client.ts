import { hash } from 'node:crypto';
import type { Envelope } from '../../core/envelope.ts';
import type { PackedChanges } from '../../core/payload-changes.ts';
import type {
  Batch,
  FormerReceipt,
  HeldGroup,
  HeldMessage,
  Ledger,
  LedgerCount,
  LedgerEntry,
  LedgerFilter,
  MessageState,
  MessageSummary,
  OrderedPage,
  Page,
  ParkedMessage,
  ParkedPage,
  ParkedQuestion,
  QueueAge,
  ReceivedQuery,
  Trace,
  WaitingMessage,
} from '../../core/ports/ledger.ts';
import { assertBodySize } from '../../core/ledger/body-size.ts';
import { withDigest } from '../../core/ledger/entry.ts';
import { JoinedLookups } from '../../core/ledger/joined-lookups.ts';
import type { Connection, Question } from './connection.ts';
import { readHeldGroups } from './held-parts.ts';
import type { FindPage, FindRequest, HeldPart } from './protocol.ts';

/** The ledger's port over a connection to the owner. */
export class SqliteLedger implements Ledger {
  readonly #connection: Connection;
  readonly #appending = new Set<Promise<unknown>>();
  // What is asked of each message by itself.
  readonly #lookups = new JoinedLookups({
    states: async (ids) => (await this.#ask(['states', ids])) as ReadonlyMap<string, MessageState>,
    findReceived: async (queries) =>
      (await this.#ask(['findReceived', queries])) as readonly (FormerReceipt | undefined)[],
  });

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async append(entries: readonly LedgerEntry[], batch?: Batch): Promise<void> {
    if (entries.length === 0) return;
    let bytes = 0;
    for (const entry of entries) {
      if (entry.type !== 'message') continue;
      assertBodySize(entry.envelope);
      bytes += entry.envelope.body.length;
    }
    const told = entries.map((entry) => withDigest(entry, digestOf));
    const answer = this.#ask(
      batch === undefined ? ['append', told] : ['append', told, batch],
      bytes,
    );
    this.#appending.add(answer);
    try {
      await answer;
    } finally {
      this.#appending.delete(answer);
    }
  }

  async trace(id: string): Promise<Trace | undefined> {
    return (await this.#ask(['trace', id])) as Trace | undefined;
  }

  async read(id: string): Promise<Envelope | undefined> {
    return (await this.#ask(['read', id])) as Envelope | undefined;
  }

  async changes(id: string): Promise<PackedChanges | undefined> {
    return (await this.#ask(['changes', id])) as PackedChanges | undefined;
  }

  states(ids: readonly string[]): Promise<ReadonlyMap<string, MessageState>> {
    return this.#lookups.states(ids);
  }

  findReceived(queries: readonly ReceivedQuery[]): Promise<readonly (FormerReceipt | undefined)[]> {
    return this.#lookups.findReceived(queries);
  }

  async find(
    filter: LedgerFilter,
    { limit, order = 'newest', after }: OrderedPage,
  ): Promise<readonly MessageSummary[]> {
    const found: MessageSummary[] = [];
    let from: FindRequest['after'] = after;
    do {
      const rest = limit - found.length;
      const request: FindRequest = { filter, order, limit: rest, after: from };
      const page = (await this.#ask(['find', request])) as FindPage;
      found.push(...page.found);
      from = page.next;
    } while (from !== undefined && found.length < limit);
    return found;
  }

  async waiting(queue: string, page: Page): Promise<readonly WaitingMessage[]> {
    return (await this.#ask(['waiting', { queue, ...page }])) as readonly WaitingMessage[];
  }

  async ages(): Promise<readonly QueueAge[]> {
    return (await this.#ask(['ages'])) as readonly QueueAge[];
  }

  async parked(question: ParkedQuestion): Promise<ParkedPage> {
    return (await this.#ask(['parked', question])) as ParkedPage;
  }

  async listParked(
    queue: string | undefined,
    page: { readonly limit: number; readonly after?: number },
  ): Promise<readonly ParkedMessage[]> {
    return (await this.#ask(['listParked', { queue, ...page }])) as readonly ParkedMessage[];
  }

  async readParked(
    queue: string,
    key: string | undefined,
    limit: number,
  ): Promise<readonly Envelope[]> {
    return (await this.#ask(['readParked', { queue, key, limit }])) as readonly Envelope[];
  }

  held(): Promise<readonly HeldGroup[]> {
    return readHeldGroups(async (after) => (await this.#ask(['held', after])) as HeldPart);
  }

  async readHeld(
    group: Pick<HeldGroup, 'queue' | 'codes'>,
    page: { readonly limit: number; readonly after?: number },
  ): Promise<readonly HeldMessage[]> {
    const { queue, codes } = group;
    return (await this.#ask(['readHeld', { queue, codes, ...page }])) as readonly HeldMessage[];
  }

  async counts(): Promise<readonly LedgerCount[]> {
    return (await this.#ask(['counts'])) as readonly LedgerCount[];
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#appending);
  }

  #ask(question: Question, bytes = 0): Promise<unknown> {
    return this.#connection.ask(question, 'ledger-unavailable', bytes);
  }
}

/** Computed here and not by the owner, which does everybody's work. */
const digestOf = (body: Uint8Array): string => hash('sha256', body, 'base64');
