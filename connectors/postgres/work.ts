import { laterOf } from '../../core/ledger/instants.ts';
import { packEvent } from '../../core/ledger/packed-event.ts';
import { followEvent, type Surroundings } from '../../core/ledger/standing.ts';
import { closingKinds } from '../../core/ledger/codes.ts';
import { findMessageId, type LedgerEntry } from '../../core/ports/ledger.ts';
import { kindNumber } from './codes.ts';
import { beginTouched, type Touched } from './touched.ts';

/** How many events of a kind a transaction brings. */
export interface EventCount {
  readonly interface: string;
  /** `''`: none. */
  readonly queue: string;
  readonly kind: number;
  count: number;
}

/** The messages of a transaction, and what follows from its entries. */
export class Work {
  readonly #touched: Map<string, Touched>;
  readonly #changed = new Set<Touched>();
  readonly #nextNumber: () => number;
  readonly #counts = new Map<string, EventCount>();
  readonly #waiting = new Map<string, number>();
  readonly #around: Surroundings<Touched> = {
    isClosed: ({ closedBefore, events }, queue) =>
      closedBefore.some((where) => where === undefined || where === queue) ||
      events.some(([, code, , where]) => closing.has(code) && (where == null || where === queue)),
    keyOf: ({ arrived, key }) => arrived?.header.key ?? key,
    count: (queue, by) => this.#waiting.set(queue, (this.#waiting.get(queue) ?? 0) + by),
  };

  /** Begins with what the tables say of the messages. */
  constructor(touched: Map<string, Touched>, nextNumber: () => number) {
    this.#touched = touched;
    this.#nextNumber = nextNumber;
  }

  /** In the order of their ids: no two transactions wait for each other. */
  get touched(): readonly Touched[] {
    return [...this.#changed].sort((left, right) => (left.id < right.id ? -1 : 1));
  }

  get counts(): readonly EventCount[] {
    return [...this.#counts.values()];
  }

  /** By queue, how many more wait there, or less. */
  get waiting(): readonly (readonly [queue: string, count: number])[] {
    return [...this.#waiting].filter(([, count]) => count !== 0);
  }

  take(entry: LedgerEntry): void {
    const message = this.#find(findMessageId(entry));
    if (entry.type === 'event') {
      const { event } = entry;
      const number = this.#nextNumber();
      this.#count(message.interface, event.queue ?? '', kindNumber(event.kind));
      followEvent(message, { event, number }, this.#around);
      message.events.push(packEvent(number, event));
    } else if (entry.type === 'changes') {
      message.changes = entry.changes.text;
    } else {
      // Once it is there, writing it again changes nothing.
      if (message.received) return;
      const { body, ...header } = entry.envelope;
      const receivedMs = Date.parse(header.receivedAt);
      message.received = true;
      message.receivedMs = Number.isNaN(receivedMs) ? 0 : receivedMs;
      message.arrival = this.#nextNumber();
      message.arrived = { header, body, digest: entry.digest };
      message.interface = header.interface;
      message.lastEventAt = laterOf(message.lastEventAt, header.receivedAt);
    }
    this.#changed.add(message);
  }

  #find(id: string): Touched {
    let found = this.#touched.get(id);
    if (found === undefined) {
      found = beginTouched(id, this.#nextNumber());
      this.#touched.set(id, found);
    }
    return found;
  }

  #count(owner: string, queue: string, kind: number): void {
    const name = `${owner}\0${queue}\0${kind}`;
    const found = this.#counts.get(name);
    if (found === undefined) this.#counts.set(name, { interface: owner, queue, kind, count: 1 });
    else found.count += 1;
  }
}

const closing: ReadonlySet<number> = new Set([...closingKinds].map(kindNumber));
