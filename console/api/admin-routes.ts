import express, { Router, type Request, type Response } from 'express';
import type { Administration, Mandate, ReleaseDecision, Selection } from './administration.ts';
import { asConflict, bodyOf, handle, userOf, type Fields } from './http.ts';
import { invalid, readFilter, readPage, readText } from './message-filter.ts';
import type { Reader } from './reader.ts';

const maxIds = 1_000;

/** What an operator may change, below `/api`, behind the login: docs/operate.md. */
export function buildAdminRouter(options: {
  readonly reader: Reader;
  readonly administration: Administration;
}): Router {
  const { reader, administration } = options;
  const router = Router();
  router.use(express.json({ limit: '256kb' }));

  router.get(
    '/queues/:queue/messages',
    handle(async (request, response) => {
      response.json(await reader.waiting(queueOf(request), readPage(request.query)));
    }),
  );
  router.get(
    '/parked',
    handle(async (request, response) => {
      response.json(await reader.parked(readText(request.query, 'queue')));
    }),
  );
  router.get(
    '/paused',
    handle((_request, response) => {
      response.json(administration.paused());
    }),
  );
  router.post(
    '/queues/:queue/pause',
    change(async (request, mandate) => {
      await administration.pause(queueOf(request), mandate);
      return administration.paused();
    }),
  );
  router.post(
    '/queues/:queue/resume',
    change(async (request, mandate) => {
      await administration.resume(queueOf(request), mandate);
      return administration.paused();
    }),
  );
  router.post(
    '/queues/:queue/purge',
    change((request, mandate) => administration.purge(queueOf(request), mandate)),
  );
  router.post(
    '/queues/:queue/move',
    change((request, mandate) => {
      const body = bodyOf(request);
      const to = readText(body, 'to');
      if (to === undefined) throw invalid('to', 'the name of a queue');
      const ids = readIds(body);
      const from = { queue: queueOf(request), ...(ids === undefined ? {} : { ids }) };
      return administration.move(from, to, mandate);
    }),
  );
  router.post(
    '/queues/:queue/release',
    change(async (request, mandate) => {
      const body = bodyOf(request);
      const id = readText(body, 'id');
      if (id === undefined) throw invalid('id', 'the id of a message');
      const stopped = { queue: queueOf(request), id };
      await administration.release(stopped, readDecision(body), mandate);
      return { id };
    }),
  );
  router.post(
    '/messages/withdraw',
    change((request, mandate) => administration.withdraw(readSelection(request), mandate)),
  );
  return router;
}

/** A route that changes something: who asks and why are handed on; what cannot be is 409, with its code. */
export function change(work: (request: Request, mandate: Mandate) => Promise<unknown>) {
  return handle(async (request: Request, response: Response) => {
    response.json(await asConflict(() => work(request, readMandate(request, response))));
  });
}

/** Who asks, and the reason in the body. */
function readMandate(request: Request, response: Response): Mandate {
  const reason = readText(bodyOf(request), 'reason');
  const by = userOf(response);
  return reason === undefined ? { by } : { by, reason: toOneLine(reason) };
}

function readSelection(request: Request): Selection {
  const body = bodyOf(request);
  const ids = readIds(body);
  const { ids: _ids, reason: _reason, ...fields } = body;
  return ids === undefined ? { filter: readFilter(fields) } : { ids };
}

function readIds({ ids }: Fields): readonly string[] | undefined {
  if (ids === undefined) return undefined;
  if (!Array.isArray(ids) || ids.length > maxIds || !ids.every((id) => typeof id === 'string')) {
    throw invalid('ids', `at most ${maxIds} message ids`);
  }
  return ids;
}

function readDecision({ decision }: Fields): ReleaseDecision {
  if (decision !== 'again' && decision !== 'skip') throw invalid('decision', 'again or skip');
  return decision;
}

function queueOf(request: Request): string {
  return request.params['queue'] ?? '';
}

const toOneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim().slice(0, 200);
