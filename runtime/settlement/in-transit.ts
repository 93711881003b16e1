import type { Passed } from '../changes/trail.ts';

/** A message that was sent to a node, with its payload where that is followed. */
export interface Delivered {
  readonly passed: Passed | undefined;
}

/** Messages that were delivered to a node and are not received yet, by object identity. */
export class InTransit {
  readonly #messages = new WeakMap<object, { count: number; passed: Passed | undefined }>();

  deliver(message: object, passed: Passed | undefined): void {
    const known = this.#messages.get(message);
    if (known === undefined) {
      this.#messages.set(message, { count: 1, passed });
      return;
    }
    known.count += 1;
    known.passed = passed;
  }

  /** Undefined for a message that nobody has delivered. */
  receive(message: object): Delivered | undefined {
    const known = this.#messages.get(message);
    if (known === undefined || known.count === 0) return undefined;
    known.count -= 1;
    return known;
  }
}
