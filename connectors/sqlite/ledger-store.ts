import { closingKinds, eventKinds, messageStates } from '../../core/ledger/codes.ts';
import { packEvent } from '../../core/ledger/packed-event.ts';
import { followEvent, type Surroundings } from '../../core/ledger/standing.ts';
import type { PackedChanges } from '../../core/payload-changes.ts';
import type { Batch, LedgerEntry, LedgerEvent, MessageState } from '../../core/ports/ledger.ts';
import type { Content, Contents } from './contents.ts';
import type { Database } from './database.ts';
import { EventCounts } from './event-counts.ts';
import { LedgerBatches } from './ledger-batches.ts';
import type { Header, Journal, Journaled } from './journal.ts';
import { KnownMessages } from './known-messages.ts';
import type { Arrived, Known } from './known.ts';

/**
 * Takes messages and events, and knows what follows from them: states, who waits where, who is set aside, counters.
 * Its methods run inside the caller's transaction. The tables are written now and then, by {@link writeBack}.
 */
export class LedgerStore {
  readonly #database: Database;
  readonly #journal: Journal;
  readonly #contents: Contents;
  readonly #messages: KnownMessages;
  readonly #counts: EventCounts;
  readonly #batches: LedgerBatches;
  readonly #waiting = new Map<string, number>();
  readonly #around: Surroundings<Known> = {
    isClosed: (known, queue) => this.#isClosed(known, queue),
    keyOf: (known) => this.#keyOf(known),
    count: (queue, by) => this.#waiting.set(queue, (this.#waiting.get(queue) ?? 0) + by),
  };
  #lastEvent = 0;
  #bytes = 0;
  /** Something of the transaction under way is in memory. */
  #changed = false;
  #hasStaleReceipts = false;

  constructor({
    database,
    journal,
    contents,
  }: {
    readonly database: Database;
    readonly journal: Journal;
    readonly contents: Contents;
  }) {
    this.#database = database;
    this.#journal = journal;
    this.#contents = contents;
    this.#messages = new KnownMessages(database);
    this.#counts = new EventCounts(database);
    this.#batches = new LedgerBatches(database);
  }

  /** How many wait in each queue that any message ever waited in since the start. */
  get waiting(): ReadonlyMap<string, number> {
    return this.#waiting;
  }

  /** Events by interface, queue (`''`: none) and kind. */
  get counts(): EventCounts['all'] {
    return this.#counts.all;
  }

  /** The interfaces' numbers by their ids: those of the file. */
  get interfaces(): ReadonlyMap<string, number> {
    return this.#messages.interfaces;
  }

  /** Where a message stands; undefined where nothing of it is known. */
  stateOf(id: string): MessageState | undefined {
    return this.#messages.stateOf(id);
  }

  /** Those that came under a control id and that the file has not, in order of arrival. */
  receipts(interfaceId: string, controlId: string): readonly Known[] {
    return this.#messages.receipts(interfaceId, controlId);
  }

  /** What was refused since is found in the file as if it had been taken. */
  get hasStaleReceipts(): boolean {
    return this.#hasStaleReceipts;
  }

  /** Of entries that were checked (`checkEntry`). A batch that is there already is not written again. */
  append(entries: readonly LedgerEntry[], batch?: Batch): void {
    this.#changed = true;
    if (batch !== undefined && !this.#batches.isNew(batch)) return;
    for (const entry of entries) {
      if (entry.type === 'event') {
        const number = this.#lastEvent + 1;
        this.#journal.add(['event', entry.event, number]);
        this.#counts.add(...this.#countOf(entry.event));
        this.#addEvent(entry.event, number, this.#journal.row);
        continue;
      }
      if (entry.type === 'changes') {
        this.#journal.add(['changes', entry.changes]);
        this.#addChanges(entry.changes, this.#journal.row);
        continue;
      }
      const { body, ...header } = entry.envelope;
      const known = this.#messages.find(header.id);
      // Once it is there, writing it again changes nothing.
      if (known.received) continue;
      const { digest } = entry;
      const content = this.#contents.store(header.id, body);
      this.#journal.add(['message', header, content.number, digest ?? null]);
      this.#addMessage(known, { header, content, digest }, this.#journal.row);
    }
  }

  /** Writes what is not in the journal, inside the transaction under way. */
  flush(): void {
    this.#batches.flush();
  }

  /** They are no more in the file, which has everything. */
  forget(ids: readonly string[]): void {
    this.#messages.forget(ids);
  }

  /** About how much of what nodes changed came since the last write-back. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many messages have changed since the last write-back. */
  get changed(): number {
    return this.#messages.changed;
  }

  /** The bytes of those that the last write-back has left. */
  carriedContents(): Iterable<Content> {
    return this.#messages.carriedContents();
  }

  /** Brings the tables up to date, inside the caller's transaction: see {@link KnownMessages.writeBack}. */
  writeBack(youngFrom: number): number {
    this.#changed = true;
    const needed = this.#messages.writeBack(youngFrom);
    this.#database.run('UPDATE last_event SET number = ?', this.#lastEvent);
    this.#counts.writeBack();
    return needed;
  }

  /** What was written back is committed. */
  written(): void {
    this.#changed = false;
    this.#hasStaleReceipts = false;
    this.#bytes = 0;
    this.#messages.written();
    this.#counts.written();
  }

  /** The transaction is committed. */
  committed(): void {
    this.#changed = false;
  }

  /** The transaction is undone: what it left in memory is forgotten. */
  rolledBack(): void {
    if (this.#changed) this.load(this.#journal.read());
  }

  /** Makes the memory from the file and its journal. */
  load(journal: Iterable<Journaled>): void {
    this.#changed = false;
    this.#hasStaleReceipts = false;
    this.#bytes = 0;
    const database = this.#database;
    this.#messages.reload();
    this.#counts.reload();
    this.#batches.reload();
    this.#waiting.clear();
    for (const row of database.all('SELECT queue, count(*) AS count FROM waiting GROUP BY queue')) {
      this.#waiting.set(String(row['queue']), Number(row['count']));
    }
    const counted = Number(database.get('SELECT number FROM last_event')?.['number'] ?? 0);
    this.#lastEvent = counted;
    for (const { row, entry } of journal) {
      if (entry[0] === 'message') {
        this.#restoreMessage(entry[1], { number: entry[2], digest: entry[3] ?? undefined }, row);
      } else if (entry[0] === 'event') {
        const [, event, number] = entry;
        if (number > counted) this.#counts.add(...this.#countOf(event));
        if (this.#messages.hasEvent(this.#messages.find(event.messageId), number)) continue;
        this.#addEvent(event, number, row);
      } else if (entry[0] === 'changes') {
        this.#addChanges(entry[1], row);
      }
    }
  }

  #restoreMessage(
    header: Header,
    { number, digest }: { readonly number: number; readonly digest: string | undefined },
    journalRow: number,
  ): void {
    const known = this.#messages.find(header.id);
    if (known.received) return;
    const content: Content = this.#contents.restore(number, header.id);
    this.#addMessage(known, { header, content, digest }, journalRow);
  }

  #addMessage(known: Known, arrived: Arrived, journalRow: number): void {
    this.#contents.claim(arrived.content);
    this.#messages.arrive(known, arrived, journalRow);
  }

  #countOf({ messageId, queue, kind }: LedgerEvent): Parameters<EventCounts['add']> {
    return [this.#messages.find(messageId).interface, queue ?? '', eventKinds.indexOf(kind)];
  }

  #addChanges({ messageId, text }: PackedChanges, journalRow: number): void {
    const known = this.#messages.find(messageId);
    known.changes = text;
    this.#bytes += text.length;
    this.#messages.change(known, journalRow);
  }

  #addEvent(event: LedgerEvent, number: number, journalRow: number): void {
    const known = this.#messages.find(event.messageId);
    this.#lastEvent = Math.max(this.#lastEvent, number);
    this.#messages.change(known, journalRow);
    const before = known.state;
    followEvent(known, { event, number }, this.#around);
    if (known.number !== undefined && known.state !== before && known.state === refused) {
      this.#hasStaleReceipts = true;
    }
    // Last: whether an earlier one has ended its waiting is asked above.
    known.events.push(packEvent(number, event));
  }

  #keyOf({ arrived, number }: Known): string | undefined {
    if (arrived !== undefined || number === undefined) return arrived?.header.key;
    const row = this.#database.get('SELECT key FROM message WHERE number = ?', number);
    return typeof row?.['key'] === 'string' ? row['key'] : undefined;
  }

  #isClosed(known: Known, queue: string): boolean {
    for (const [, code, , where] of this.#messages.events(known)) {
      const kind = eventKinds[code];
      if (kind !== undefined && closingKinds.has(kind) && (where == null || where === queue)) {
        return true;
      }
    }
    return false;
  }
}

const refused = messageStates.indexOf('refused');
