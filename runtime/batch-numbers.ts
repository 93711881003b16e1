import { randomUUID } from 'node:crypto';
import type { Batch } from '../core/ports/ledger.ts';

/** Numbers the appends of one sender, so that the ledger counts each once, however often it is sent. */
export class BatchNumbers {
  /** A process that starts anew numbers anew. */
  readonly #sender: string;
  /** Numbers of which it is not known whether they are stored, in their order. */
  readonly #unheard = new Set<number>();
  #last = 0;

  /** `name`: whose appends they are, for people. */
  constructor(name: string) {
    this.#sender = `${name} ${randomUUID()}`;
  }

  next(): number {
    this.#last += 1;
    this.#unheard.add(this.#last);
    return this.#last;
  }

  /** It will not be sent again by whoever asked for it. */
  heard(number: number): void {
    this.#unheard.delete(number);
  }

  /** `firstKept`: from this number on somebody else may send some of them again. */
  toBatch(number: number, firstKept = number): Batch {
    const [firstUnheard = number] = this.#unheard;
    return { sender: this.#sender, number, heardBelow: Math.min(firstUnheard, firstKept) };
  }
}
