import type { MessageState } from '../../core/ports/ledger.ts';
import type { Database } from './database.ts';
import { laterOf } from './instants.ts';
import type { Arrived, Known } from './known.ts';
import { messageStates } from './ledger-codes.ts';
import { eventsOf, type PackedEvent } from './ledger-rows.ts';
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
  readonly #changed = new Set<Known>();
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
  arrive(known: Known, arrived: Arrived): void {
    const { header, digest } = arrived;
    known.received = true;
    known.arrived = arrived;
    known.interface = header.interface;
    known.lastEventAt = laterOf(known.lastEventAt, header.receivedAt);
    this.change(known);
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

  /** It is written by the next `writeBack`. */
  change(known: Known): void {
    this.#changed.add(known);
  }

  /** How many the file is behind with. */
  get changed(): number {
    return this.#changed.size;
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

  /** Writes what has changed since the last call, inside the caller's transaction; where that fails: `reload`. */
  writeBack(): void {
    for (const known of this.#changed) {
      const time = known.arrived?.header.receivedAt ?? known.lastEventAt;
      if (known.number === undefined) this.#rows.insert(known, this.#numbers.next(time));
      else if (known.arrived === undefined) this.#rows.update(known);
      else this.#rows.complete(known, this.#numbers.next(time));
      this.#rows.writeAround(known);
    }
  }

  /** What was written back is committed. */
  written(): void {
    // Of what is done nothing more is expected.
    for (const known of this.#changed) if (!known.open) this.#known.delete(known.id);
    this.#changed.clear();
    this.#receipts.clear();
    const excess = this.#known.size - rememberedMessages;
    if (excess <= 0) return;
    for (const id of this.#known.keys().take(excess).toArray()) this.#known.delete(id);
  }
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
  };
}
