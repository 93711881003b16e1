/**
 * JavaScript that is made of mapping rules. Into its text go numbers, names that the schema allows and texts as JSON;
 * whatever else it uses is bound to a name. Nothing that a message says ever becomes code.
 */
export class Code {
  /** The segment whose fields are at hand as `F`. */
  readonly segment: string | undefined;
  /** Also notes where everything comes from, and which rules ran. */
  readonly isTraced: boolean;
  readonly #names = new Map<unknown, string>();
  #locals = 0;

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

  /** The function with this text: `(frame) => 1`. */
  build<T>(text: string): T {
    const source = `"use strict"; return ${text};`;
    // The one place where text becomes code; why that is safe is said above.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    return new Function(...this.#names.values(), source)(...this.#names.keys()) as T;
  }
}
