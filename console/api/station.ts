import { Router } from 'express';
import { Registry, collectDefaultMetrics } from 'prom-client';
import type { ControlStatus, Problem } from './control.ts';
import { ProcessMetrics } from './process-metrics.ts';

/** `/healthz`, `/readyz` and `/metrics` of a role that runs without console; strangers may read them. */
export function buildStationRouter(options: {
  readonly status: () => ControlStatus;
  readonly problems: () => readonly Problem[];
}): Router {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const processes = new ProcessMetrics(registry);
  const router = Router();
  router.use((_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  router.get('/readyz', (_request, response) => {
    const reasons = options.problems();
    const { notes = [] } = options.status();
    if (reasons.length === 0) {
      response.json({ status: 'ready', ...(notes.length === 0 ? {} : { notes }) });
    } else response.status(503).json({ status: 'not-ready', reasons });
  });
  router.get('/metrics', (_request, response, next) => {
    processes.set(options.status().processes);
    registry.metrics().then((text) => response.type(registry.contentType).send(text), next);
  });
  router.use((_request, response) => {
    response.status(404).json({ error: { code: 'no-such-route', message: 'See docs/deploy.md.' } });
  });
  return router;
}
