import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { keptCode } from '../../support/hilum.ts';
import { within } from './wait.ts';

/** What goes to a child of the tests and comes back; numbers tell which answer is whose. */
interface Question {
  readonly number: number;
  readonly question: object;
}
interface Answer {
  readonly number: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** The parent's end of one of the tests' own processes. */
export class Child {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<
    number,
    { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }
  >();
  #last = 0;

  constructor(file: string) {
    this.#process = fork(path.join(import.meta.dirname, file), [], {
      serialization: 'advanced',
      execArgv: ['--disable-warning=ExperimentalWarning'],
      env: { PATH: process.env['PATH'], ...keptCode() },
    });
    this.#process.on('message', ({ number, value, error }: Answer) => {
      const waiting = this.#waiting.get(number);
      this.#waiting.delete(number);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(`${file}: ${error}`));
    });
    this.#process.once('exit', (code) => {
      const words = `${file} ended with ${code ?? 'a signal'}`;
      for (const { reject } of this.#waiting.values()) reject(new Error(words));
      this.#waiting.clear();
    });
  }

  async ask<T>(question: object, withinMs = 10_000): Promise<T> {
    this.#last += 1;
    const number = this.#last;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
    });
    if (!this.#process.connected) throw new Error('A process of the tests has ended.');
    this.#process.send({ number, question } satisfies Question);
    const words = `the answer of a process of the tests to ${JSON.stringify(question)}`;
    return (await within(words, answer, withinMs)) as T;
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await gone;
  }
}

/** The child's end: answers what the parent asks; ends with the parent. */
// The parent sends what the child's own type says: nothing else starts it.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function serveParent<Q extends object>(answer: (question: Q) => unknown): void {
  process.once('disconnect', () => process.exit());
  process.on('message', ({ number, question }: Question) => {
    Promise.resolve()
      .then(() => answer(question as Q))
      .then(
        (value) => tell({ number, value }),
        (error: unknown) => {
          tell({ number, error: error instanceof Error ? error.message : String(error) });
        },
      );
  });
}

function tell(answer: Answer): void {
  if (process.connected) process.send?.(answer, undefined, undefined, () => undefined);
}
