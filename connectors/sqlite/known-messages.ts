import type { MessageState } from '../../core/ports/ledger.ts';
import type { Database } from './database.ts';
import { laterOf } from '../../core/ledger/instants.ts';
import type { Content } from './contents.ts';
import type { Arrived, Known } from './known.ts';
import { finalityOf, messageStates } from '../../core/ledger/codes.ts';
import type { PackedEvent } from '../../core/ledger/packed-event.ts';
import { eventsOf } from './ledger-rows.ts';
import { MessageNumbers } from './message-numbers.ts';
import { MessageRows } from './message-rows.ts';

/** Messages that nothing has ended are asked for again: so many are remembered. */
const rememberedMessages = 2_000;

/**
 * The messages as they stand: read from their rows once, and then changed in memory. Their rows are written back now
 * and then, most of them once, when everything has happened to the message.
 */
export class KnownMessages {
  readonly #database: Database;
  readonly #rows: MessageRows;
  readonly #numbers: MessageNumbers;
  readonly #known = new Map<string, Known>();
  #changed = new Set<Known>();
  /** Those of them that the last write-back has left, since more is about to happen to them. */
  #carried = new Set<Known>();
  readonly #receipts = new Map<string, Known[]>();

  constructor(database: Database) {
    this.#database = database;
    this.#numbers = new MessageNumbers(database);
    this.#rows = new MessageRows(database);
  }

  /** The interfaces' numbers by their ids: those of the file. */
  get interfaces(): ReadonlyMap<string, number> {
    return this.#rows.interfaces;
  }

  /** Forgets what is not in the file. */
  reload(): void {
    this.#known.clear();
    this.#changed.clear();
    this.#carried.clear();
    this.#receipts.clear();
    this.#numbers.reload();
    this.#rows.reload();
  }

  /** The message as it stands; a new one where the ledger has not heard of it. */
  find(id: string): Known {
    const remembered = this.#known.get(id);
    if (remembered !== undefined) return remembered;
    const known = this.#rows.read(id) ?? begin(id);
    this.#known.set(id, known);
    return known;
  }

  /** Where a message stands; undefined where nothing of it is known. */
  stateOf(id: string): MessageState | undefined {
    const known = this.#known.get(id);
    if (known !== undefined) return messageStates[known.state];
    const row = this.#database.get('SELECT state FROM message WHERE id = ?', id);
    return row === undefined ? undefined : messageStates[Number(row['state'])];
  }

  /** A message with its bytes, the first time that its id is written. */
  arrive(known: Known, arrived: Arrived, journalRow: number): void {
    const { header, digest } = arrived;
    known.received = true;
    known.arrived = arrived;
    known.interface = header.interface;
    known.lastEventAt = laterOf(known.lastEventAt, header.receivedAt);
    this.change(known, journalRow);
    if (digest === undefined || header.controlId === undefined) return;
    const key = keyOf(header.interface, header.controlId);
    const others = this.#receipts.get(key);
    if (others === undefined) this.#receipts.set(key, [known]);
    else others.push(known);
  }

  /** Those of an interface and a control id that can come again and that the file has not, in order of arrival. */
  receipts(interfaceId: string, controlId: string): readonly Known[] {
    return this.#receipts.get(keyOf(interfaceId, controlId)) ?? [];
  }

  /** It is written by the next `writeBack`, or by the one after that. */
  change(known: Known, journalRow: number): void {
    if (this.#changed.has(known)) return;
    known.journalRow = journalRow;
    this.#changed.add(known);
  }

  /** How many have changed since the last write-back. */
  get changed(): number {
    return this.#changed.size - this.#carried.size;
  }

  /** The bytes of those that the last write-back has left. */
  *carriedContents(): Iterable<Content> {
    for (const { arrived } of this.#carried) if (arrived !== undefined) yield arrived.content;
  }

  /** Whether the file has an event of a message. */
  hasEvent({ number }: Known, event: number): boolean {
    if (number === undefined) return false;
    const sql = 'SELECT events FROM event WHERE message = ? ORDER BY number DESC LIMIT 1';
    const row = this.#database.get(sql, number);
    const [last = 0] = (row && eventsOf(row).at(-1)) ?? [];
    return event <= last;
  }

  /** All events of a message, those first that the file has. */
  *events({ number, events }: Known): Iterable<PackedEvent> {
    if (number !== undefined) {
      const sql = 'SELECT events FROM event WHERE message = ? ORDER BY number';
      for (const row of this.#database.all(sql, number)) yield* eventsOf(row);
    }
    yield* events;
  }

  /** They are no more in the file. */
  forget(ids: Iterable<string>): void {
    for (const id of ids) this.#known.delete(id);
  }

  /**
   * Writes what has changed, inside the caller's transaction; where that fails: `reload`. What began in the journal's
   * row `youngFrom` or later and has not ended is left for the next call. Returns the first row of the journal that
   * is needed for it, `Infinity` for none.
   */
  writeBack(youngFrom: number): number {
    let needed = Infinity;
    this.#carried = new Set();
    for (const known of this.#changed) {
      if (known.journalRow >= youngFrom && isUnderWay(known)) {
        this.#carried.add(known);
        needed = Math.min(needed, known.journalRow);
        continue;
      }
      const time = known.arrived?.header.receivedAt ?? known.lastEventAt;
      if (known.number === undefined) this.#rows.insert(known, this.#numbers.next(time));
      else if (known.arrived === undefined) this.#rows.update(known);
      else this.#rows.complete(known, this.#numbers.next(time));
      this.#rows.writeAround(known);
    }
    return needed;
  }

  /** What was written back is committed. */
  written(): void {
    // Of what is done nothing more is expected.
    for (const known of this.#changed) if (!known.open) this.#known.delete(known.id);
    this.#changed = new Set(this.#carried);
    this.#forgetReceipts();
    let excess = this.#known.size - this.#carried.size - rememberedMessages;
    if (excess <= 0) return;
    for (const [id, known] of this.#known) {
      if (this.#carried.has(known)) continue;
      this.#known.delete(id);
      if ((excess -= 1) === 0) break;
    }
  }

  /** Those that the file has. */
  #forgetReceipts(): void {
    for (const [key, all] of this.#receipts) {
      const left = all.filter((known) => this.#carried.has(known));
      if (left.length === 0) this.#receipts.delete(key);
      else this.#receipts.set(key, left);
    }
  }
}

/** More is about to happen to it. */
function isUnderWay({ open, state }: Known): boolean {
  return open && finalityOf(messageStates[state] ?? 'received') === 0;
}

const keyOf = (interfaceId: string, controlId: string): string => `${interfaceId}\0${controlId}`;

function begin(id: string): Known {
  return {
    number: undefined,
    id,
    interface: '',
    state: 0,
    stateAt: '',
    stateRank: 0,
    lastEventAt: '',
    received: false,
    open: true,
    arrived: undefined,
    events: [],
    changes: undefined,
    waits: new Map(),
    writtenWaits: new Set(),
    parkings: new Map(),
    hasNewParkings: false,
    journalRow: 0,
  };
}
