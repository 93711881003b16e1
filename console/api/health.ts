import { Router } from 'express';
import { HilumError } from '../../core/errors.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Control } from './control.ts';
import { handle } from './http.ts';

export interface HealthOptions {
  readonly broker: Pick<Broker, 'depths'>;
  readonly ledger: Pick<Ledger, 'ages'>;
  readonly control: Control;
  /** An answer that takes longer counts as none. */
  readonly timeoutMs: number;
}

/** One reason why the engine is not ready. */
interface Reason {
  readonly part: 'ledger' | 'broker' | 'engine';
  readonly message: string;
}

/**
 * `/healthz`: this process runs (restart it otherwise). `/readyz`: messages are taken and delivered, or 503
 * with every reason; ready with notes where something is not as usual. Both without login, for container platforms; they name parts, never messages.
 */
export function buildHealthRouter(options: HealthOptions): Router {
  const router = Router();
  let asking: Promise<readonly Reason[]> | undefined;
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
      asking ??= findReasons(options).finally(() => (asking = undefined));
      const reasons = await asking;
      const { notes = [] } = options.control.status();
      if (reasons.length === 0) {
        response.json({ status: 'ready', ...(notes.length === 0 ? {} : { notes }) });
      } else response.status(503).json({ status: 'not-ready', reasons });
    }),
  );
  return router;
}

async function findReasons(options: HealthOptions): Promise<readonly Reason[]> {
  const { broker, ledger, control, timeoutMs } = options;
  const reasons = await Promise.all([
    ask('ledger', ledger.ages(), timeoutMs),
    ask('broker', broker.depths(), timeoutMs),
  ]);
  const engine: Reason[] = control.ready() ? [] : [{ part: 'engine', message: explain(control) }];
  return [...reasons.filter((reason) => reason !== undefined), ...engine];
}

async function ask(
  part: Reason['part'],
  answer: Promise<unknown>,
  timeoutMs: number,
): Promise<Reason | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Reason>((resolve) => {
    timer = setTimeout(
      () => resolve({ part, message: `No answer within ${timeoutMs} ms.` }),
      timeoutMs,
    );
  });
  const answered = answer.then(
    () => undefined,
    // Strangers read this: only messages that are made for people, never a driver's own.
    (error: unknown): Reason => ({
      part,
      message: error instanceof HilumError ? error.message : 'It failed without a known reason.',
    }),
  );
  try {
    return await Promise.race([answered, late]);
  } finally {
    clearTimeout(timer);
  }
}

function explain(control: Control): string {
  const { processes, listeners, senders } = control.status();
  const waiting = [
    ...processes
      .filter(({ state }) => state !== 'running')
      .map(({ role, state }) => `${role} is ${state}`),
    ...listeners
      .filter(({ state }) => state !== 'listening')
      .map(({ label, state, reason }) => `listener "${label}" is ${reason ?? state}`),
    ...senders
      .filter(({ state }) => state === 'starting')
      .map(({ label, state }) => `sender "${label}" is ${state}`),
  ];
  return waiting.length === 0 ? 'The engine is starting.' : `${waiting.join('; ')}.`;
}
