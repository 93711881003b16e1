import { toFailure, type Database } from './database.ts';

/** So long nothing may fail before the file counts as written again: on a full disk small things still fit at times. */
const calmMs = 2_000;
const probeMs = 500;

/**
 * Whether transactions can be written to the data file. Told of each; where one fails for the file's sake (a full disk,
 * one that is read-only, an I/O error) it tries by itself from then on, so that it hears of the end without traffic.
 */
export class StorageWatch {
  readonly #database: Database;
  readonly #tell: (reason: string | undefined) => void;
  /** The words that were told. */
  #reason: string | undefined;
  #failedMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `tell`: why nothing can be written, undefined when it can again. */
  constructor(database: Database, tell: (reason: string | undefined) => void) {
    this.#database = database;
    this.#tell = tell;
  }

  /** A transaction was undone. What is wrong with its own data says nothing about the file. */
  failed(error: unknown): void {
    const { errorClass, message } = toFailure(error, 'ledger-unavailable');
    if (errorClass !== 'transient') return;
    this.#failedMs = performance.now();
    this.#timer ??= setInterval(() => this.#probe(), probeMs).unref();
    if (message === this.#reason) return;
    this.#reason = message;
    this.#tell(message);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #probe(): void {
    try {
      this.#database.probe();
    } catch (error) {
      this.failed(error);
      return;
    }
    if (performance.now() - this.#failedMs < calmMs) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#reason = undefined;
    this.#tell(undefined);
  }
}
