import { Router } from 'express';
import { HilumError } from '../../core/errors.ts';
import type { Broker, QueueDepth } from '../../core/ports/broker.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Control, Problem } from './control.ts';
import { handle } from './http.ts';

export interface HealthOptions {
  readonly broker: Pick<Broker, 'depths'>;
  readonly ledger: Pick<Ledger, 'ages'>;
  readonly control: Pick<Control, 'problems' | 'queues' | 'status'>;
  readonly clock: () => number;
  /** An answer that takes longer counts as none. */
  readonly timeoutMs: number;
}

/**
 * `/healthz`: this process runs (restart it otherwise). `/readyz`: messages are taken and delivered, or 503
 * with every reason; ready with notes where something is not as usual. Both without login, for container platforms; they name parts, never messages.
 */
export function buildHealthRouter(options: HealthOptions): Router {
  const router = Router();
  const missing = new MissingQueues(options);
  let asking: Promise<readonly Problem[]> | undefined;
  router.use(['/healthz', '/readyz', '/metrics'], (_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  router.get(
    '/readyz',
    handle(async (_request, response) => {
      // Whoever asks while an answer is under way shares it: asking is free for strangers.
      asking ??= findProblems(options, missing).finally(() => (asking = undefined));
      const reasons = await asking;
      const { notes = [] } = options.control.status();
      if (reasons.length === 0) {
        response.json({ status: 'ready', ...(notes.length === 0 ? {} : { notes }) });
      } else response.status(503).json({ status: 'not-ready', reasons });
    }),
  );
  return router;
}

async function findProblems(
  { broker, ledger, control, timeoutMs }: HealthOptions,
  missing: MissingQueues,
): Promise<readonly Problem[]> {
  const [fromLedger, fromBroker] = await Promise.all([
    ask('ledger', ledger.ages(), timeoutMs),
    ask('broker', broker.depths(), timeoutMs),
  ]);
  const known = control.problems();
  const { isSpooling = false } = control.status();
  // Who knows why a part does not answer says more than that it does not.
  const silent = [fromLedger.problem, isSpooling ? undefined : fromBroker.problem].filter(
    (problem) => problem !== undefined && !known.some(({ part }) => part === problem.part),
  );
  const { answer } = fromBroker;
  const gone = answer === undefined || isSpooling ? [] : missing.find(answer);
  return [...known, ...silent.filter((problem) => problem !== undefined), ...gone];
}

/** Queues that the flows ask for and the broker does not have: whatever is sent to them is refused. */
class MissingQueues {
  readonly #options: Pick<HealthOptions, 'control' | 'clock'>;
  /** When each was first found missing. */
  #since: ReadonlyMap<string, string> = new Map();

  constructor(options: Pick<HealthOptions, 'control' | 'clock'>) {
    this.#options = options;
  }

  find(depths: readonly QueueDepth[]): readonly Problem[] {
    const { control, clock } = this.#options;
    const there = new Set(depths.map(({ queue }) => queue));
    const now = new Date(clock()).toISOString();
    this.#since = new Map(
      control
        .queues()
        .filter((queue) => !there.has(queue))
        .map((queue) => [queue, this.#since.get(queue) ?? now]),
    );
    return [...this.#since].map(([queue, since]) => ({
      part: 'broker',
      code: 'queue-missing',
      message: `The queue ${queue} is not there, or its queues for retries and dead letters are not: it was deleted. What was in it is gone, and nothing is acknowledged that would go there. Deploy the flows, or start Hilum again, which makes it anew.`,
      since,
    }));
  }
}

async function ask<T>(
  part: Problem['part'],
  answer: Promise<T>,
  timeoutMs: number,
): Promise<{ readonly answer?: T; readonly problem?: Problem }> {
  let timer: NodeJS.Timeout | undefined;
  const toProblem = (message: string) => ({ problem: { part, code: `${part}-silent`, message } });
  const late = new Promise<{ readonly problem: Problem }>((resolve) => {
    timer = setTimeout(() => resolve(toProblem(`No answer within ${timeoutMs} ms.`)), timeoutMs);
  });
  const answered = answer.then(
    (found) => ({ answer: found }),
    // Strangers read this: only messages that are made for people, never a driver's own.
    (error: unknown) =>
      toProblem(error instanceof HilumError ? error.message : 'It failed without a known reason.'),
  );
  try {
    return await Promise.race([answered, late]);
  } finally {
    clearTimeout(timer);
  }
}
