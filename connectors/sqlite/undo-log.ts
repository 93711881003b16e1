/** How to take back what the transaction under way has changed in memory, should it fail. */
export class UndoLog {
  #steps: (() => void)[] = [];

  add(step: () => void): void {
    this.#steps.push(step);
  }

  /** The transaction is undone: its changes are taken back, the last first. */
  undo(): void {
    const steps = this.#steps;
    this.#steps = [];
    for (const step of steps.reverse()) step();
  }

  /** The transaction is committed. */
  forget(): void {
    if (this.#steps.length > 0) this.#steps = [];
  }
}
