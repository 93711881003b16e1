import type { ErrorClass } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import type { LedgerEvent } from '../../core/ports/ledger.ts';

/** An attempt that failed. */
interface Failure {
  readonly attempt: number;
  /** ISO 8601 instant. */
  readonly at: string;
  readonly errorClass: ErrorClass;
  /** The code of its first finding. */
  readonly code: string;
}

/** By these the class of a failure is found again in the ledger. */
const classCodes = {
  transient: 'attempt-transient',
  ambiguous: 'attempt-ambiguous',
} as const satisfies Partial<Record<ErrorClass, string>>;

/** So many attempts are told one by one: the first and the last of them. */
const firstTold = 5;
const lastTold = 20;

/**
 * The attempts to deliver one message: counted by class since it came, or since somebody decided to try it again. What
 * the ledger tells of them survives this process.
 */
export class AttemptHistory {
  /** All attempts that were begun, as the ledger numbers them. */
  attempts: number;
  /** When the time that it is tried for began; absent: when the message was made. */
  readonly since: string | undefined;
  readonly #failures: Failure[];

  private constructor(attempts: number, since?: string, failures: readonly Failure[] = []) {
    this.attempts = attempts;
    this.since = since;
    this.#failures = [...failures];
  }

  /** Of a message that was not tried so often before. */
  static begin(attemptsBefore: number): AttemptHistory {
    return new AttemptHistory(attemptsBefore);
  }

  /** From the events of the message in its queue, in order of time. */
  static read(
    events: readonly LedgerEvent[],
    of: { readonly messageId: string; readonly queue: string },
  ): AttemptHistory {
    const own = events.filter(
      ({ messageId, queue }) => messageId === of.messageId && (queue ?? of.queue) === of.queue,
    );
    const attempts = own
      .filter(({ kind }) => kind === 'taken' || kind === 'failed')
      .reduce((most, { attempt = 0 }) => Math.max(most, attempt), 0);
    const resumed = own.findLastIndex(({ kind }) => kind === 'resumed');
    const failures = own.slice(resumed + 1).flatMap(toFailure);
    return new AttemptHistory(attempts, own[resumed]?.at, failures);
  }

  get failures(): number {
    return this.#failures.length;
  }

  countOf(errorClass: ErrorClass): number {
    return this.#failures.filter((failure) => failure.errorClass === errorClass).length;
  }

  /** The latest attempt failed. */
  add(at: string, errorClass: ErrorClass, issues: readonly Issue[]): void {
    const code = issues[0]?.code ?? 'unknown';
    this.#failures.push({ attempt: this.attempts, at, errorClass, code });
  }

  /** What the ledger is told beside the findings of a failure that is followed by another attempt. */
  toMark(errorClass: 'transient' | 'ambiguous', delayMs: number): Issue {
    return {
      code: classCodes[errorClass],
      severity: 'information',
      message: `Attempt ${this.attempts}: ${errorClass} failure ${this.countOf(errorClass)}; the next not before ${delayMs / 1000} s.`,
    };
  }

  /** Every attempt in a line, for whoever finds the message among the dead letters. */
  toIssues(): readonly Issue[] {
    const all = this.#failures;
    if (all.length <= 1) return [];
    const omitted = all.length - firstTold - lastTold;
    if (omitted <= 0) return all.map(toLine);
    const gap: Issue = {
      code: 'attempts-omitted',
      severity: 'information',
      message: `${omitted} attempts in between are in the ledger alone.`,
    };
    return [...all.slice(0, firstTold).map(toLine), gap, ...all.slice(-lastTold).map(toLine)];
  }
}

function toFailure({ kind, at, attempt = 0, issues = [] }: LedgerEvent): readonly Failure[] {
  if (kind !== 'failed') return [];
  const isAmbiguous = issues.some(({ code }) => code === classCodes.ambiguous);
  const errorClass = isAmbiguous ? 'ambiguous' : 'transient';
  return [{ attempt, at, errorClass, code: issues[0]?.code ?? 'unknown' }];
}

function toLine({ attempt, at, errorClass, code }: Failure): Issue {
  const message = `Attempt ${attempt} at ${at}: ${errorClass}, ${code}.`;
  return { code: 'attempt-failed', severity: 'information', message };
}
