import type { HeldCode } from './held-code.ts';
import type { Issue } from './issue.ts';

/** Whether trying again can help: decides between retry and dead letter. */
export type ErrorClass = 'transient' | 'ambiguous' | 'permanent';

/**
 * A failure with a class and its findings. Thrown where a value cannot travel (a Node-RED node's `done`,
 * a port's promise); whoever catches it decides by `errorClass` and shows `issues`.
 */
export class HilumError extends Error {
  readonly errorClass: ErrorClass;
  readonly issues: readonly Issue[];
  /** Whoever writes an error out writes its own properties: no code of a message is to be among them. */
  readonly #held: readonly HeldCode[];

  constructor(
    errorClass: ErrorClass,
    issues: readonly Issue[],
    { held = [], ...options }: ErrorOptions & { readonly held?: readonly HeldCode[] } = {},
  ) {
    super(issues.map(toLine).join('; '), options);
    this.name = 'HilumError';
    this.errorClass = errorClass;
    this.issues = issues;
    this.#held = held;
  }

  /** The message is not given up: it waits until these codes are mapped. */
  get held(): readonly HeldCode[] {
    return this.#held;
  }
}

/** One finding as a line for people: `PID-3: Required field is missing (required-field-missing)`. */
export function toLine(issue: Issue): string {
  const where = issue.location === undefined ? '' : `${issue.location}: `;
  return `${where}${issue.message} (${issue.code})`;
}

/** An error of one finding. */
export function buildError(
  errorClass: ErrorClass,
  code: string,
  message: string,
  cause?: unknown,
): HilumError {
  return new HilumError(errorClass, [{ code, severity: 'error', message }], { cause });
}

/**
 * The failure inside anything thrown, found by shape: a node built into a file of its own has its own
 * copy of the class, so `instanceof` would miss it.
 */
export function findFailure(thrown: unknown): Failure | undefined {
  if (!(thrown instanceof Error) || thrown.name !== 'HilumError') return undefined;
  const { errorClass, issues, held } = thrown as Partial<HilumError>;
  if (errorClass === undefined || issues === undefined) return undefined;
  return { errorClass, issues, ...(held === undefined || held.length === 0 ? {} : { held }) };
}

/** What a failure says to whoever decides about it. */
export interface Failure extends Pick<HilumError, 'errorClass' | 'issues'> {
  /** Absent: it waits for no code. */
  readonly held?: readonly HeldCode[];
}
