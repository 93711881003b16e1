import { hash } from 'node:crypto';
import type pg from 'pg';
import type { Envelope } from '../../core/envelope.ts';
import { buildError } from '../../core/errors.ts';
import { assertBodySize } from '../../core/ledger/body-size.ts';
import { isSoundEntry, toUnsound, withDigest } from '../../core/ledger/entry.ts';
import { JoinedLookups } from '../../core/ledger/joined-lookups.ts';
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
import { AppendQueue } from './append-queue.ts';
import { writeAppends, type WriteSession } from './append.ts';
import {
  findAges,
  findChanges,
  findEnvelope,
  findStates,
  findTrace,
  listCounts,
} from './queries.ts';
import { findHeld, readHeld } from './held.ts';
import { Interfaces } from './interfaces.ts';
import { findParked, listParked, readParked } from './parked.ts';
import { findReceived } from './received.ts';
import { findMessages, findWaiting } from './search.ts';
import { search } from './session.ts';
import type { Sessions } from './sessions.ts';

/** The ledger's port over connections to PostgreSQL: one that writes, some that read. */
export class PostgresLedger implements Ledger {
  readonly #readers: Sessions<{ readonly client: pg.Client }>;
  readonly #appends: AppendQueue;
  readonly #appending = new Set<Promise<void>>();
  /** What is asked of each message by itself: the more there is of it, the more goes as one question. */
  readonly #lookups: JoinedLookups;

  constructor(options: {
    readonly writer: Sessions<WriteSession>;
    readonly readers: Sessions<{ readonly client: pg.Client }>;
  }) {
    const interfaces = new Interfaces();
    this.#readers = options.readers;
    this.#lookups = new JoinedLookups(
      {
        states: (ids) => this.#read((client) => findStates(client, ids)),
        findReceived: (queries) => this.#read((client) => findReceived(client, queries)),
      },
      { inTurn: true },
    );
    this.#appends = new AppendQueue((group) =>
      options.writer.use((session) => writeAppends(session, group, interfaces)),
    );
  }

  async append(entries: readonly LedgerEntry[], batch?: Batch): Promise<void> {
    if (entries.length === 0) return;
    let bytes = 0;
    for (const entry of entries) {
      if (!isSoundEntry(entry)) {
        throw buildError('permanent', 'ledger-entry-invalid', toUnsound(entry));
      }
      if (entry.type !== 'message') continue;
      assertBodySize(entry.envelope);
      bytes += entry.envelope.body.length;
    }
    const told = entries.map((entry) => withDigest(entry, digestOf));
    const appending = this.#appends.add({ entries: told, batch, bytes });
    this.#appending.add(appending);
    try {
      await appending;
    } finally {
      this.#appending.delete(appending);
    }
  }

  trace(id: string): Promise<Trace | undefined> {
    return this.#read((client) => findTrace(client, id));
  }

  read(id: string): Promise<Envelope | undefined> {
    return this.#read((client) => findEnvelope(client, id));
  }

  changes(id: string): Promise<PackedChanges | undefined> {
    return this.#read((client) => findChanges(client, id));
  }

  states(ids: readonly string[]): Promise<ReadonlyMap<string, MessageState>> {
    return this.#lookups.states(ids);
  }

  findReceived(queries: readonly ReceivedQuery[]): Promise<readonly (FormerReceipt | undefined)[]> {
    return this.#lookups.findReceived(queries);
  }

  find(filter: LedgerFilter, page: OrderedPage): Promise<readonly MessageSummary[]> {
    return this.#read((client) => search(client, () => findMessages(client, filter, page)));
  }

  waiting(queue: string, page: Page): Promise<readonly WaitingMessage[]> {
    return this.#read((client) => findWaiting(client, queue, page));
  }

  ages(): Promise<readonly QueueAge[]> {
    return this.#read(findAges);
  }

  parked(question: ParkedQuestion): Promise<ParkedPage> {
    return this.#read((client) => findParked(client, question));
  }

  listParked(
    queue: string | undefined,
    page: { readonly limit: number; readonly after?: number },
  ): Promise<readonly ParkedMessage[]> {
    return this.#read((client) => listParked(client, queue, page));
  }

  readParked(queue: string, key: string | undefined, limit: number): Promise<readonly Envelope[]> {
    return this.#read((client) => readParked(client, { queue, key, limit }));
  }

  held(): Promise<readonly HeldGroup[]> {
    return this.#read(findHeld);
  }

  readHeld(
    group: Pick<HeldGroup, 'queue' | 'codes'>,
    page: { readonly limit: number; readonly after?: number },
  ): Promise<readonly HeldMessage[]> {
    return this.#read((client) => readHeld(client, group, page));
  }

  counts(): Promise<readonly LedgerCount[]> {
    return this.#read(listCounts);
  }

  /** Waits for what is being appended; the connections are their owner's. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#appending);
  }

  #read<T>(question: (client: pg.Client) => Promise<T>): Promise<T> {
    return this.#readers.use(({ client }) => question(client));
  }
}

const digestOf = (body: Uint8Array): string => hash('sha256', body, 'base64');
