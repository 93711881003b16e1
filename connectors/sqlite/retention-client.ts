import type {
  LedgerRetention,
  PruneRequest,
  PruneResult,
  StorageFigures,
} from '../../core/ports/retention.ts';
import type { Connection, Question } from './connection.ts';

/** Removing old messages, over a connection to the owner. */
export class SqliteRetention implements LedgerRetention {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async prune(request: PruneRequest): Promise<PruneResult> {
    return (await this.#ask(['prune', request])) as PruneResult;
  }

  async discardDead(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#ask(['discardDead', ids]);
  }

  async giveBack(bytes: number): Promise<number> {
    return (await this.#ask(['giveBack', bytes])) as number;
  }

  async storage(): Promise<StorageFigures> {
    return (await this.#ask(['storage'])) as StorageFigures;
  }

  #ask(question: Question): Promise<unknown> {
    return this.#connection.ask(question, 'ledger-unavailable');
  }
}
