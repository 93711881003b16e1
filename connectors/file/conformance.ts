import { AsyncResource } from 'node:async_hooks';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { buildError, HilumError } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import type { ConformanceAnswer, ConformanceQuestion } from './conformance-thread.ts';
import { openFhirValidator } from './fhir-schema.ts';

interface ConformanceOptions {
  /** What is run in the thread. */
  readonly thread: URL;
  /** How many may wait; the next one is refused. */
  readonly maxWaiting?: number;
  /** From the question on, waiting included. */
  readonly waitMs?: number;
  /** What the check of one resource may take. */
  readonly checkMs?: number;
}

interface Task extends ConformanceQuestion {
  readonly settle: (answer: readonly Issue[] | Error) => void;
  /** How often the thread has ended over it. */
  deaths: number;
}

/** Definitions take 20, a Bundle of 3,000 entries some 100; a heap that is full ends the thread. */
const maxHeapMb = 256;
const maxDeaths = 2;

/**
 * Checks resources in a thread of their own, one after the other. The thread starts with the first one, keeps no process
 * alive while it has nothing to do, and is started again when it ends.
 */
export class ConformanceThread {
  readonly #options: Required<ConformanceOptions>;
  readonly #waiting: Task[] = [];
  readonly #start: () => void;
  #thread: Worker | undefined;
  #isReady = false;
  #current: Task | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** How often in a row it has ended before it was ready. */
  #failedStarts = 0;
  #startError: Error | undefined;

  constructor(options: ConformanceOptions) {
    this.#options = { maxWaiting: 200, waitMs: 60_000, checkMs: 20_000, ...options };
    // Outside of any message: the thread belongs to none.
    this.#start = AsyncResource.bind(() => this.#startThread());
  }

  /**
   * What is wrong with a resource, which is JSON, by its definitions and these profiles. Rejects with HilumError: transient
   * `fhir-validation-busy`, `fhir-validation-timeout`, which is ambiguous where its own check takes too long, permanent
   * `fhir-validation-failed` where the thread ends over it again, or with what keeps the definitions from being read.
   */
  check(resource: string, profiles: readonly string[]): Promise<readonly Issue[]> {
    const { maxWaiting, waitMs } = this.#options;
    if (this.#waiting.length >= maxWaiting) {
      const text = `Expected fewer than ${maxWaiting} resources to wait for their validation; try again later.`;
      return Promise.reject(buildError('transient', 'fhir-validation-busy', text));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#giveUp(task, buildLate(waitMs)), waitMs);
      timer.unref();
      const task: Task = {
        ...{ resource, profiles, deaths: 0 },
        settle: (answer) => {
          clearTimeout(timer);
          if (answer instanceof Error) reject(answer);
          else resolve(answer);
        },
      };
      this.#waiting.push(task);
      this.#next();
    });
  }

  /** Ends the thread; what waits is refused. */
  async close(): Promise<void> {
    const thread = this.#thread;
    this.#forget();
    const error = buildError('transient', 'fhir-validation-timeout', 'The validation was closed.');
    for (const task of this.#takeAll()) task.settle(error);
    await thread?.terminate();
  }

  #next(): void {
    if (this.#current !== undefined) return;
    if (this.#waiting.length === 0) {
      this.#thread?.unref();
      return;
    }
    if (this.#thread === undefined) this.#start();
    this.#thread?.ref();
    if (!this.#isReady) return;
    const task = this.#waiting.shift();
    if (task === undefined) return;
    this.#current = task;
    const { checkMs } = this.#options;
    this.#timer = setTimeout(() => this.#giveUp(task, buildSlow(checkMs)), checkMs);
    this.#timer.unref();
    const { resource, profiles } = task;
    this.#thread?.postMessage({ resource, profiles } satisfies ConformanceQuestion);
  }

  #startThread(): void {
    const thread = new Worker(this.#options.thread, {
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
    });
    this.#thread = thread;
    thread.on('message', (answer: ConformanceAnswer) => {
      if (thread === this.#thread) this.#hear(answer);
    });
    thread.on('error', (error: Error) => {
      // Once it is ready, what it dies of may quote a resource.
      if (thread === this.#thread && !this.#isReady) this.#startError = error;
    });
    thread.on('exit', () => {
      if (thread === this.#thread) this.#restart();
    });
  }

  #hear(answer: ConformanceAnswer): void {
    if (answer.kind === 'failed') {
      // The next question may find the files mended.
      void this.#thread?.terminate();
      this.#forget();
      for (const task of this.#takeAll()) task.settle(new HilumError('permanent', answer.issues));
      return;
    }
    if (answer.kind === 'ready') {
      this.#isReady = true;
      this.#failedStarts = 0;
      this.#startError = undefined;
    } else {
      this.#takeCurrent()?.settle(answer.issues);
    }
    this.#next();
  }

  /** It has ended by itself: what it was at is tried once more. */
  #restart(): void {
    if (!this.#isReady) this.#failedStarts += 1;
    this.#forget();
    const task = this.#takeCurrent();
    if (task !== undefined) {
      task.deaths += 1;
      if (task.deaths < maxDeaths) this.#waiting.unshift(task);
      else task.settle(buildError('permanent', 'fhir-validation-failed', failed));
    }
    if (this.#failedStarts >= maxDeaths) {
      this.#failedStarts = 0;
      const text = `The thread that validates was expected to start, and ended: ${this.#startError?.message ?? 'it says nothing'}.`;
      const error = buildError('transient', 'fhir-validation-busy', text, this.#startError);
      for (const waiting of this.#takeAll()) waiting.settle(error);
    }
    this.#next();
  }

  #giveUp(task: Task, error: Error): void {
    task.settle(error);
    const at = this.#waiting.indexOf(task);
    if (at >= 0) this.#waiting.splice(at, 1);
    if (task !== this.#current) return;
    // Nobody can stop it otherwise.
    const thread = this.#thread;
    this.#takeCurrent();
    this.#forget();
    void thread?.terminate();
    this.#next();
  }

  #forget(): void {
    this.#thread = undefined;
    this.#isReady = false;
  }

  #takeCurrent(): Task | undefined {
    clearTimeout(this.#timer);
    const task = this.#current;
    this.#current = undefined;
    return task;
  }

  #takeAll(): readonly Task[] {
    const current = this.#takeCurrent();
    const waiting = this.#waiting.splice(0);
    return current === undefined ? waiting : [current, ...waiting];
  }
}

function buildLate(waitMs: number): Error {
  const text = `Expected an answer of the validation within ${waitMs} ms, waiting included; try again later.`;
  return buildError('transient', 'fhir-validation-timeout', text);
}

/** It may be so each time, and must not be tried for ever. */
function buildSlow(checkMs: number): Error {
  const text = `Expected the validation of this resource to take less than ${checkMs} ms; it is too large, or the machine too busy.`;
  return buildError('ambiguous', 'fhir-validation-timeout', text);
}

const failed =
  'The thread that validates ended twice over this resource: it is too large, or hits a fault of the validation.';

let opened: ConformanceThread | undefined;

/** The thread of this process; it starts with the first resource. */
export function openConformance(): ConformanceThread {
  opened ??= new ConformanceThread({ thread: findThread(import.meta.dirname) });
  return opened;
}

/**
 * All that is wrong with a resource: by FHIR's schema at once, and by definitions and profiles in the thread; what both find at
 * one place is said as the schema says it. Rejects as {@link ConformanceThread.check} does.
 */
export async function validateFully(
  resource: unknown,
  profiles: readonly string[],
): Promise<readonly Issue[]> {
  const bySchema = openFhirValidator()(resource);
  const places = new Set(bySchema.map(({ location }) => location));
  const found = await openConformance().check(JSON.stringify(resource), profiles);
  return [...bySchema, ...found.filter(({ location }) => !places.has(location))];
}

/** The source beside this one; for the built nodes, which are no TypeScript, what was built of it. */
function findThread(from: string): URL {
  const source = join(from, 'conformance-thread.ts');
  return pathToFileURL(existsSync(source) ? source : findBuilt(from));
}

function findBuilt(from: string): string {
  const candidate = join(from, 'dist', 'fhir', 'conformance-thread.js');
  const parent = dirname(from);
  return existsSync(candidate) || parent === from ? candidate : findBuilt(parent);
}
