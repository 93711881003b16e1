import express, { Router } from 'express';
import { isLikeCode } from '../../core/mapping/run.ts';
import { change } from './admin-routes.ts';
import { handle, isLocal } from './http.ts';
import { invalid, readPage } from './message-filter.ts';
import type { UnmappedCodes, UnmappedView } from './unmapped.ts';

/** The codes for which messages are held, below `/api`, behind the login: docs/mapping.md. */
export function buildUnmappedRouter({ unmapped }: { readonly unmapped: UnmappedCodes }): Router {
  const router = Router();
  router.get(
    '/mapping/unmapped',
    handle(async ({ query }, response) => {
      const { limit } = query['limit'] === undefined ? {} : readPage(query);
      const found = await unmapped.list(limit);
      response.json(isLocal(response) ? found : found.map(withoutText));
    }),
  );
  router.post(
    '/mapping/unmapped/:id/:decision',
    express.json({ limit: '10kb' }),
    change(async ({ params }, mandate) => {
      const { id = '', decision } = params;
      if (decision !== 'again' && decision !== 'skip') throw invalid('decision', 'again or skip');
      return { id, messages: await unmapped.decide(id, decision, mandate) };
    }),
  );
  return router;
}

/** What stands in the place of a code and does not look like one may be about a patient. */
function withoutText(item: UnmappedView): UnmappedView {
  if (isLikeCode(item.code ?? '')) return item;
  const { code: _code, system: _system, display: _display, add: _add, ...rest } = item;
  return rest;
}
