/**
 * JavaScript that is made of mapping rules. Into its text go numbers, names and ids that the schema allows and texts as JSON;
 * whatever else it uses is bound to a name. Nothing that a message says ever becomes code.
 */
export class Code {
  /** The segment whose fields are at hand as `F`. */
  readonly segment: string | undefined;
  /** Also notes where everything comes from, and which rules ran. */
  readonly isTraced: boolean;
  readonly #names = new Map<unknown, string>();
  readonly #once = new Map<string, string>();
  #locals = 0;
  /** Whether anything is read of the value at hand. */
  usesValue = false;

  constructor(segment: string | undefined, { isTraced = false } = {}) {
    this.segment = segment;
    this.isTraced = isTraced;
  }

  /** The name by which the code knows a value: `toText$3`. */
  bind(value: unknown): string {
    const known = this.#names.get(value);
    if (known !== undefined) return known;
    const stem = typeof value === 'function' ? value.name.replace(/\W/g, '') : 'k';
    const name = `${stem}$${this.#names.size}`;
    this.#names.set(value, name);
    return name;
  }

  /** A name for a variable that is used nowhere else. */
  local(): string {
    this.#locals += 1;
    return `l${this.#locals}`;
  }

  /** An expression that is worked out at its first use, in all of the code: what is read of the message stays the same. */
  once(expression: string): string {
    const name = this.#once.get(expression) ?? this.local();
    this.#once.set(expression, name);
    return `(${name} ??= ${expression})`;
  }

  /** Declares what {@link once} has named so far. */
  get declarations(): string {
    return this.#once.size === 0 ? '' : `let ${[...this.#once.values()].join(', ')};`;
  }

  /** What the text says, a function such as `(frame) => 1`. */
  build(text: string): unknown {
    const source = `"use strict"; return ${text};`;
    // The one place where text becomes code; why that is safe is said above.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    const make = new Function(...this.#names.values(), source) as (...values: unknown[]) => unknown;
    return make(...this.#names.keys());
  }
}
