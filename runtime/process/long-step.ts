import os from 'node:os';
import { sayLongStep } from './last-words.ts';
import type { Running } from './loop-guard.ts';
import { findLowNiceness, mayLowerNiceness, setNiceness } from './niceness.ts';

/**
 * What a worker's main thread does for long without turning: until it turns, everything else on the machine that wants a
 * processor comes first, and the supervisor knows whose step it is. For the thread that watches the main one.
 */
export class LongStep {
  readonly #mayEnd = mayLowerNiceness();
  #isUnderway = false;
  /** Niceness, as it was and as it is now. */
  #niceness: { readonly usual: number; readonly low: number } | undefined;

  /** False where it has begun before. */
  begin(): boolean {
    if (this.#isUnderway) return false;
    this.#isUnderway = true;
    // What could not be taken back would hold for all that comes after.
    if (this.#mayEnd) {
      this.#niceness = { usual: os.getPriority(), low: findLowNiceness() };
      setNiceness(process.pid, this.#niceness.low);
    }
    return true;
  }

  /** It is known whose it is. */
  isOf(running: Running): void {
    if (this.#isUnderway) sayLongStep(running);
  }

  end(): void {
    if (!this.#isUnderway) return;
    this.#isUnderway = false;
    sayLongStep(undefined);
    const niceness = this.#niceness;
    this.#niceness = undefined;
    // Where it is another by now, the supervisor has set it.
    if (niceness?.low === os.getPriority()) {
      setNiceness(process.pid, niceness.usual);
    }
  }
}
