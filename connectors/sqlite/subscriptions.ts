import type { Database } from './database.ts';
import { matchesTopic } from './topics.ts';

const rememberedTopics = 10_000;

/** Which queue, by its number, gets a copy of which topics. In memory; the file has them too. */
export class Subscriptions {
  readonly #database: Database;
  readonly #routes = new Map<string, readonly number[]>();
  #all: { readonly queue: number; readonly pattern: string }[] = [];

  constructor(database: Database) {
    this.#database = database;
    this.reload();
  }

  /** Inside the caller's transaction. */
  add(queue: number, patterns: readonly string[]): void {
    let added = 0;
    for (const pattern of patterns) {
      added += this.#database.run(
        'INSERT INTO subscription VALUES (?, ?) ON CONFLICT DO NOTHING',
        queue,
        pattern,
      );
    }
    if (added > 0) this.reload();
  }

  /** The queues of a topic, each once. */
  route(topic: string): readonly number[] {
    let queues = this.#routes.get(topic);
    if (queues === undefined) {
      const matching = this.#all.filter(({ pattern }) => matchesTopic(pattern, topic));
      queues = [...new Set(matching.map(({ queue }) => queue))];
      // A flow may make a topic of each message: it is only a short cut, and may start over.
      if (this.#routes.size >= rememberedTopics) this.#routes.clear();
      this.#routes.set(topic, queues);
    }
    return queues;
  }

  /** Reads them from the file: at the start, and after a transaction was undone. */
  reload(): void {
    this.#routes.clear();
    this.#all = this.#database
      .all('SELECT queue, pattern FROM subscription')
      .map((row) => ({ queue: Number(row['queue']), pattern: String(row['pattern']) }));
  }
}
