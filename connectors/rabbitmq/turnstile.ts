/** The window of one consumer, shared by its lanes: who enters holds one place until it leaves. */
export class Turnstile {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(window: number) {
    this.#free = Math.max(1, window);
  }

  /** Whether there was a place. Where there was none, `whenFree` is called once there is one, at the next tick. */
  enter(whenFree: () => void): boolean {
    if (this.#free > 0) {
      this.#free -= 1;
      return true;
    }
    this.#waiting.add(whenFree);
    return false;
  }

  leave(places = 1): void {
    this.#free += places;
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    // Who asked first is first; those who get none ask again.
    setImmediate(() => {
      for (const whenFree of waiting) whenFree();
    });
  }
}
