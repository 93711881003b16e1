import express, { Router } from 'express';
import { HilumError, toLine } from '../../core/errors.ts';
import type { Deploys } from './deploys.ts';
import { asConflict, bodyOf, handle, HttpError, userOf } from './http.ts';
import { readText } from './message-filter.ts';

const mostListed = 1_000;
const usuallyListed = 20;

/** Deploys from outside the editor, below `/api`, behind the login: docs/deploy.md. */
export function buildDeployRouter({ deploys }: { readonly deploys: Deploys }): Router {
  const router = Router();
  router.use(express.json({ limit: '16kb' }));
  router.get(
    '/deploys',
    handle(async (request, response) => {
      const asked = Number(readText(request.query, 'limit') ?? usuallyListed);
      const limit =
        Number.isInteger(asked) && asked > 0 ? Math.min(asked, mostListed) : usuallyListed;
      response.json(await asConflict(() => deploys.list(limit)));
    }),
  );
  router.get(
    '/deploys/diff',
    handle(async (request, response) => {
      const text = await asConflict(() => deploys.diff(readText(request.query, 'revision')));
      response.json({ text });
    }),
  );
  router.post(
    '/deploys',
    handle(async (request, response) => {
      const revision = readText(bodyOf(request), 'revision');
      const by = userOf(response);
      const asked = { by, ...(revision === undefined ? {} : { revision }) };
      response.status(201).json(await refuseAll(() => deploys.deploy(asked)));
    }),
  );
  return router;
}

/** Everything that is wrong with the flows, not only the first of it. */
async function refuseAll<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HilumError) || error.errorClass !== 'permanent') throw error;
    const words = error.issues.map(toLine).join('\n');
    throw new HttpError(409, error.issues[0]?.code ?? 'refused', words);
  }
}
