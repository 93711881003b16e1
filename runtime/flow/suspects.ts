import type { Delivery } from '../../core/ports/broker.ts';
import type { Issue } from '../../core/issue.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Recorder } from '../recorder.ts';

/** So many starts without an end and no other message beside it: this one ends the worker. */
const maxStarts = 4;

/**
 * A message that was in a worker when that ended may be the reason. Such suspects run one after the other,
 * each start durable in the ledger before it: so whoever ends the worker again is known, and given up
 * after a few times, alone; its neighbours go through.
 */
export class Suspects {
  readonly #ledger: Ledger;
  readonly #recorder: Recorder;
  #previous: Promise<unknown> = Promise.resolve();

  constructor(ledger: Ledger, recorder: Recorder) {
    this.#ledger = ledger;
    this.#recorder = recorder;
  }

  /** Runs `run` when all suspects before it are through; resolves with the reasons where it is to be given up. */
  isolate<T>(delivery: Delivery, run: () => Promise<T>): Promise<T | readonly Issue[]> {
    const turn = this.#previous.then(async () => {
      const starts = await this.#countStarts(delivery);
      if (starts >= maxStarts) return [workerEnded(starts)];
      const { envelope, queue } = delivery;
      await this.#recorder.write([this.#recorder.event(envelope, { kind: 'taken', queue })]);
      return run();
    });
    this.#previous = turn.catch(() => undefined);
    return turn;
  }

  /** Starts since the last that ended in any way. */
  async #countStarts({ envelope }: Delivery): Promise<number> {
    const trace = await this.#ledger.trace(envelope.id).catch(() => undefined);
    let starts = 0;
    for (const { messageId, kind } of trace?.events ?? []) {
      if (messageId !== envelope.id) continue;
      if (kind === 'taken') starts += 1;
      else if (kind === 'failed') starts = 0;
    }
    return starts;
  }
}

function workerEnded(starts: number): Issue {
  return {
    code: 'worker-ended',
    severity: 'error',
    message: `The worker ended each of the ${starts} times that it ran this message: look for an endless loop or an unawaited error in the flow, correct it, and replay the message.`,
  };
}
