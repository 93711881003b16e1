import express, { Router } from 'express';
import { bodyOf, handle, userOf } from './http.ts';
import type { RetentionControl } from './retention.ts';

/** Below `/api`, behind the login: docs/operate.md. */
export function buildRetentionRouter({
  retention,
}: {
  readonly retention: RetentionControl;
}): Router {
  const router = Router();
  router.get(
    '/retention',
    handle(async (_request, response) => {
      response.json(await retention.view());
    }),
  );
  router.post(
    '/retention/run',
    express.json({ limit: '10kb' }),
    handle(async (request, response) => {
      const isDryRun = bodyOf(request)['dryRun'] === true;
      response.json(isDryRun ? await retention.dryRun() : await retention.run(userOf(response)));
    }),
  );
  return router;
}
