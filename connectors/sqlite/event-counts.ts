import type { Database } from './database.ts';

interface Counter {
  readonly interface: string;
  readonly queue: string;
  readonly kind: number;
  count: number;
}

/** How many events of a kind there were, by interface and queue (`''`: none). */
export class EventCounts {
  readonly #database: Database;
  readonly #all = new Map<string, Map<string, Map<number, Counter>>>();
  readonly #changed = new Set<Counter>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** By interface, queue and kind. */
  get all(): ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<number, Readonly<Counter>>>> {
    return this.#all;
  }

  add(interfaceId: string, queue: string, kind: number): void {
    const counter = this.#of(interfaceId, queue, kind);
    counter.count += 1;
    this.#changed.add(counter);
  }

  reload(): void {
    this.#all.clear();
    this.#changed.clear();
    for (const row of this.#database.all('SELECT * FROM event_count')) {
      const [name, queue] = [String(row['interface']), String(row['queue'])];
      this.#of(name, queue, Number(row['kind'])).count = Number(row['count']);
    }
  }

  /** Inside the caller's transaction. */
  writeBack(): void {
    for (const { interface: name, queue, kind, count } of this.#changed) {
      this.#database.run(
        `INSERT INTO event_count VALUES (?, ?, ?, ?)
         ON CONFLICT (interface, queue, kind) DO UPDATE SET count = excluded.count`,
        name,
        queue,
        kind,
        count,
      );
    }
  }

  written(): void {
    this.#changed.clear();
  }

  #of(interfaceId: string, queue: string, kind: number): Counter {
    const queues = this.#all.get(interfaceId) ?? new Map<string, Map<number, Counter>>();
    this.#all.set(interfaceId, queues);
    const kinds = queues.get(queue) ?? new Map<number, Counter>();
    queues.set(queue, kinds);
    let counter = kinds.get(kind);
    if (counter === undefined) {
      counter = { interface: interfaceId, queue, kind, count: 0 };
      kinds.set(kind, counter);
    }
    return counter;
  }
}
