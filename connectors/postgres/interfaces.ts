import type pg from 'pg';
import type { Append } from './appended.ts';

/** The numbers that stand for the names of interfaces in the tables, as far as this process has met them: none changes. */
export class Interfaces {
  readonly #numbers = new Map<string, number>();
  readonly #names = new Map<number, string>();

  /** Gives numbers to those of these appends that have none, apart from any transaction: they are never taken back. */
  async know(client: pg.Client, appends: readonly Append[]): Promise<void> {
    const names = new Set(['']);
    for (const { entries } of appends) {
      for (const entry of entries) {
        if (entry.type === 'message') names.add(entry.envelope.interface);
      }
    }
    const missing = [...names].filter((name) => !this.#numbers.has(name)).sort();
    if (missing.length === 0) return;
    await client.query(
      'INSERT INTO interface (name) SELECT unnest($1::text[]) ON CONFLICT (name) DO NOTHING',
      [missing],
    );
    await this.#read(client, 'name = ANY($1)', missing);
  }

  /** Looks up those of these numbers that another process has given. */
  async look(client: pg.Client, numbers: Iterable<number>): Promise<void> {
    const missing = [...new Set(numbers)].filter((number) => !this.#names.has(number));
    if (missing.length > 0) await this.#read(client, 'number = ANY($1)', missing);
  }

  numberOf(name: string): number {
    const number = this.#numbers.get(name);
    if (number === undefined) throw new Error('An interface was expected to have a number.');
    return number;
  }

  nameOf(number: number): string {
    const name = this.#names.get(number);
    if (name === undefined) throw new Error(`Interface ${number} was expected to be there.`);
    return name;
  }

  async #read(client: pg.Client, where: string, values: readonly unknown[]): Promise<void> {
    const { rows } = await client.query<{ readonly number: number; readonly name: string }>(
      `SELECT number, name FROM interface WHERE ${where}`,
      [values],
    );
    for (const { number, name } of rows) {
      this.#numbers.set(name, number);
      this.#names.set(number, name);
    }
  }
}
