/** The work on what is held of one queue, in one look. */
export interface Lane {
  readonly queue: string;
  /** Its flow takes none of what went on: at the moment, as far as it is known. */
  readonly isSilent: boolean;
  readonly done: Promise<unknown>;
  /** Resolves when it is done or its flow does not answer; rejects as `done` does. */
  readonly untilSilent: Promise<unknown>;
}

/** One lane for each queue at most, all at the same time: one whose flow does not answer holds up no other. */
export class Lanes {
  readonly #now: () => string;
  readonly #running = new Map<string, OpenLane>();
  readonly #silent = new Map<string, string>();

  /** `now` as ISO 8601 instant. */
  constructor(now: () => string) {
    this.#now = now;
  }

  get running(): readonly Lane[] {
    return [...this.#running.values()];
  }

  /** Undefined where one of the queue is under way already. */
  start(queue: string, work: (lane: Lane) => Promise<void>): Lane | undefined {
    if (this.#running.has(queue)) return undefined;
    const silence = Promise.withResolvers<undefined>();
    const ended = Promise.withResolvers<undefined>();
    const lane: OpenLane = {
      ...{ queue, isSilent: false, done: ended.promise },
      silence: () => silence.resolve(undefined),
      untilSilent: Promise.race([ended.promise, silence.promise]),
    };
    // Whoever waits for them hears of it.
    lane.untilSilent.catch(() => undefined);
    this.#running.set(queue, lane);
    work(lane)
      .finally(() => this.#running.delete(queue))
      .then(() => ended.resolve(undefined), ended.reject);
    return lane;
  }

  /** Its flow takes none of what went on. */
  silence({ queue }: Lane): void {
    const lane = this.#running.get(queue);
    if (lane === undefined) return;
    lane.isSilent = true;
    if (!this.#silent.has(queue)) this.#silent.set(queue, this.#now());
    lane.silence();
  }

  /** What went on is through, or waits again. */
  answers({ queue }: Lane): void {
    this.#silent.delete(queue);
    const lane = this.#running.get(queue);
    if (lane !== undefined) lane.isSilent = false;
  }

  /** Since when its flow has not answered: an ISO 8601 instant. */
  silentSince(queue: string): string | undefined {
    return this.#silent.get(queue);
  }

  /** Of others nothing is held any more. */
  forgetSilent(queues: ReadonlySet<string>): void {
    for (const queue of this.#silent.keys()) if (!queues.has(queue)) this.#silent.delete(queue);
  }
}

type OpenLane = { -readonly [Key in keyof Lane]: Lane[Key] } & { readonly silence: () => void };
