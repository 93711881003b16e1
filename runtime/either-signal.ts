/**
 * A signal that aborts when either of two does: `first` for good, or the one that is asked about, which many have in
 * common. Making one costs as much as delivering a message does; the last one is kept.
 */
export class EitherSignal {
  readonly #first: AbortSignal;
  #last: { readonly second: AbortSignal; readonly either: AbortSignal } | undefined;

  constructor(first: AbortSignal) {
    this.#first = first;
  }

  or(second: AbortSignal): AbortSignal {
    if (this.#last?.second !== second) {
      this.#last = { second, either: AbortSignal.any([this.#first, second]) };
    }
    return this.#last.either;
  }
}
