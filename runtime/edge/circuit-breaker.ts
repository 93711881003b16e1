import type { Outcome } from '../../core/outcome.ts';

/** Whether a destination can be sent to, for people. */
export interface BreakerState {
  /** `failing`: open, one message at a time probes; `paused`: somebody holds it. */
  readonly state: 'sending' | 'failing' | 'paused';
  /** The code and words of the failure that opened it. */
  readonly reason?: string;
}

/** What lets a message be tried; to be given back with what came of it, or `undefined` where nothing did. */
export interface Pass {
  report(outcome: Outcome | undefined): void;
}

interface Options {
  /** So many outages in a row open it; 0: never. */
  readonly failures: number;
  /** How long it stays open before the n-th probe, 1-based. */
  readonly probeDelayMs: (probe: number) => number;
  readonly onChange: (state: BreakerState) => void;
}

/**
 * Keeps messages from a partner that cannot take any: after several outages in a row nothing is tried but one message
 * after a while, the probe. An outage is what says something about the partner as a whole ({@link Outcome}); any other
 * answer, a refusal too, shows that it is there. A partner that asks to be left alone is left alone by all messages.
 */
export class CircuitBreaker {
  readonly #options: Options;
  /** Outages in a row. */
  #outages = 0;
  /** Absent: closed. `due`: the next who comes is the probe. */
  #open: 'waiting' | 'due' | 'probing' | undefined;
  #probes = 0;
  #reason = '';
  #isHeld = false;
  #timer: NodeJS.Timeout | undefined;
  #change = Promise.withResolvers<undefined>();

  constructor(options: Options) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  get state(): BreakerState {
    if (this.#isHeld) return { state: 'paused' };
    return this.#open === undefined
      ? { state: 'sending' }
      : { state: 'failing', reason: this.#reason };
  }

  /** Resolves when the message may be tried, undefined when the signal aborts before. */
  async enter(signal: AbortSignal): Promise<Pass | undefined> {
    while (!signal.aborted) {
      if (!this.#isHeld && this.#open === undefined) return this.#pass(false);
      if (!this.#isHeld && this.#open === 'due') {
        this.#open = 'probing';
        return this.#pass(true);
      }
      await this.#changed(signal);
    }
    return undefined;
  }

  /** Nothing is tried until it is let go. */
  hold(): void {
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.#tell();
  }

  letGo(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#tell();
  }

  /** Its timer; whoever waits is to be ended by its own signal. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #pass(isProbe: boolean): Pass {
    let isOver = false;
    return {
      report: (outcome) => {
        if (isOver) return;
        isOver = true;
        if (outcome === undefined) this.#abandon(isProbe);
        else this.#take(outcome, isProbe);
      },
    };
  }

  /** Nothing was learned: somebody else may probe. */
  #abandon(isProbe: boolean): void {
    if (!isProbe || this.#open !== 'probing') return;
    this.#open = 'due';
    this.#wake();
  }

  #take(outcome: Outcome, isProbe: boolean): void {
    const { failures } = this.#options;
    if (outcome.kind === 'delivered' || outcome.isOutage !== true) {
      this.#outages = 0;
      if (this.#open !== undefined) this.#close();
      return;
    }
    this.#outages += 1;
    const retryAfterMs = outcome.retryAfterMs ?? 0;
    if (this.#open !== undefined) {
      // What was under way when it opened tells nothing new.
      if (isProbe) this.#wait(retryAfterMs);
    } else if (failures > 0 && (this.#outages >= failures || retryAfterMs > 0)) {
      const [issue] = outcome.issues;
      this.#reason = issue === undefined ? outcome.kind : `${issue.code}: ${issue.message}`;
      this.#probes = 0;
      this.#wait(retryAfterMs);
      this.#tell();
    }
  }

  #wait(atLeastMs: number): void {
    this.#open = 'waiting';
    this.#probes += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#open = 'due';
        this.#wake();
      },
      Math.max(atLeastMs, this.#options.probeDelayMs(this.#probes)),
    );
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#open = undefined;
    this.#tell();
  }

  #tell(): void {
    this.#wake();
    this.#options.onChange(this.state);
  }

  #wake(): void {
    this.#change.resolve(undefined);
    this.#change = Promise.withResolvers();
  }

  #changed(signal: AbortSignal): Promise<void> {
    const { promise } = this.#change;
    return new Promise((resolve) => {
      const finish = (): void => {
        signal.removeEventListener('abort', finish);
        resolve();
      };
      signal.addEventListener('abort', finish);
      void promise.then(finish);
    });
  }
}
