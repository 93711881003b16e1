import express, { Router, type Request } from 'express';
import { asConflict, bodyOf, handle, HttpError, userOf } from './http.ts';
import { invalid, readFilter } from './message-filter.ts';
import type { Replays, ReplayStep, ReplayView } from './replays.ts';

const defaultRate = 50;
const maxRate = 1_000;

/** Replays of many messages, below `/api`, behind the login: docs/operate.md. */
export function buildReplayRouter({ replays }: { readonly replays: Replays }): Router {
  const router = Router();
  router.use('/replays', express.json({ limit: '10kb' }));

  router.get(
    '/replays',
    handle((_request, response) => {
      response.json(replays.list());
    }),
  );
  router.post(
    '/replays',
    handle(async (request, response) => {
      const { dryRun, step, rate, ...fields } = bodyOf(request);
      const asked = { filter: readFilter(fields), step: readStep(step) };
      if (dryRun === true) {
        response.json({ total: await asConflict(() => replays.count(asked)) });
        return;
      }
      const by = userOf(response);
      const wanted = { ...asked, rate: readRate(rate), by };
      response.status(201).json(await asConflict(() => replays.start(wanted)));
    }),
  );
  router.get(
    '/replays/:id',
    handle((request, response) => {
      response.json(known(replays.find(idOf(request))));
    }),
  );
  router.delete(
    '/replays/:id',
    handle(async (request, response) => {
      response.json(known(await replays.stop(idOf(request))));
    }),
  );
  router.post(
    '/replays/:id/resume',
    handle(async (request, response) => {
      response.json(known(await replays.resume(idOf(request))));
    }),
  );
  return router;
}

function known(run: ReplayView | undefined): ReplayView {
  if (run !== undefined) return run;
  throw new HttpError(404, 'replay-unknown', 'Expected the id of a replay, found none of that id.');
}

function readStep(step: unknown): ReplayStep {
  if (step === undefined) return 'start';
  if (step !== 'start' && step !== 'failed') throw invalid('step', 'start or failed');
  return step;
}

function readRate(rate: unknown): number {
  if (rate === undefined) return defaultRate;
  const value = Number(rate);
  if (!(value >= 0.1 && value <= maxRate)) throw invalid('rate', `from 0.1 to ${maxRate}`);
  return value;
}

function idOf(request: Request): string {
  return request.params['id'] ?? '';
}
