interface Sequence {
  readonly messages: object[];
  error: Error | undefined;
}

/**
 * The sequences of a switch that renumbers them: none of their messages is sent before the last was routed,
 * so none is complete before that. One that cannot be routed is never sent, and fails all of its sequence.
 */
export class Sequences {
  readonly #complete: (message: object, error: Error | undefined) => void;
  readonly #open = new Map<unknown, Sequence>();

  constructor(complete: (message: object, error: Error | undefined) => void) {
    this.#complete = complete;
  }

  /** A message was routed, or failed with the error. False: it belongs to no sequence. */
  take(message: object, error: Error | undefined): boolean {
    const { parts } = message as {
      parts?: { readonly id?: unknown; readonly index?: unknown; readonly count?: unknown };
    };
    if (parts === undefined || !Object.hasOwn(parts, 'id') || !Object.hasOwn(parts, 'index')) {
      return false;
    }
    const sequence = this.#open.get(parts.id) ?? { messages: [], error: undefined };
    this.#open.set(parts.id, sequence);
    sequence.messages.push(message);
    sequence.error ??= error;
    if (sequence.messages.length !== parts.count) return true;
    this.#open.delete(parts.id);
    for (const each of sequence.messages) this.#complete(each, sequence.error);
    return true;
  }
}
