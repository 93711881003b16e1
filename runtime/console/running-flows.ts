import { json, Router, type RequestHandler } from 'express';
import { handle } from '../../console/api/http.ts';
import { findGroupOf } from '../deploy/groups.ts';
import type { ContextQuestion } from '../process/messages.ts';
import type { Contexts, RunningFlows } from './contexts.ts';

interface Options {
  readonly flows: RunningFlows;
  readonly contexts: Contexts;
  readonly authenticate: (
    cookieHeader: string,
  ) => Promise<{ readonly permissions: readonly string[] } | null>;
}

/** Node-RED's own routes that concern what runs: the buttons of inject and debug nodes, and the context sidebar. */
export function buildRunningFlows({ flows: running, contexts, authenticate }: Options): Router {
  const router = Router();
  const needs = (right: string): RequestHandler =>
    handleNext(async (request, response) => {
      const user = await authenticate(request.headers.cookie ?? '');
      const may = user !== null && [right, '*'].some((each) => user.permissions.includes(each));
      if (!may) response.sendStatus(401);
      return may;
    });
  const body = json({ limit: '5mb' });

  router.post(
    '/inject/:id',
    needs('inject.write'),
    body,
    handle((request, response) => {
      const { id = '' } = request.params;
      const group = findGroupOf(running.flows(), id);
      const given = request.body as { readonly __user_inject_props__?: unknown } | undefined;
      if (group !== undefined) {
        const message = given?.__user_inject_props__ === undefined ? {} : { message: given };
        running.tellWorkerOf(group, { type: 'inject', nodeId: id, ...message });
      }
      response.sendStatus(group === undefined ? 404 : 200);
    }),
  );

  const setDebug = (ids: readonly string[], state: string): number => {
    if (state !== 'enable' && state !== 'disable') return 404;
    const active = state === 'enable';
    for (const nodeId of ids) running.tellWorkers({ type: 'debug', nodeId, active });
    return active ? 200 : 201;
  };
  router.post(
    '/debug/:state',
    needs('debug.write'),
    body,
    handle((request, response) => {
      const { nodes } = (request.body ?? {}) as { readonly nodes?: readonly unknown[] };
      const isList = Array.isArray(nodes);
      response.sendStatus(
        isList ? setDebug(nodes.map(String), request.params['state'] ?? '') : 400,
      );
    }),
  );
  router.post(
    '/debug/:id/:state',
    needs('debug.write'),
    handle((request, response) => {
      const { id = '', state = '' } = request.params;
      const isThere = findGroupOf(running.flows(), id) !== undefined;
      response.sendStatus(isThere ? setDebug([id], state) : 404);
    }),
  );

  const context = /^\/context\/(global|flow|node)(?:\/(.*))?$/;
  router.get(
    context,
    needs('context.read'),
    handle(async (request, response) => {
      const { store, keysOnly } = request.query;
      response.json(
        await contexts.get({
          ...toContext(request.params),
          ...(typeof store === 'string' && store !== '' ? { store } : {}),
          ...(keysOnly === undefined ? {} : { keysOnly: true }),
        }),
      );
    }),
  );
  router.delete(
    context,
    needs('context.write'),
    handle(async (request, response) => {
      const { store } = request.query;
      const which = toContext(request.params);
      await contexts.delete({ ...which, ...(typeof store === 'string' ? { store } : {}) });
      response.status(204).end();
    }),
  );
  return router;
}

/** A scope; of a node or a flow its id, up to the first slash; and the key. */
function toContext({
  0: scope,
  1: rest = '',
}: Readonly<Record<number, string>>): Pick<ContextQuestion, 'scope' | 'id' | 'key'> {
  if (scope === 'global') return { scope, ...(rest === '' ? {} : { key: rest }) };
  const [id = '', ...key] = rest.split('/');
  return {
    scope: scope === 'node' ? 'node' : 'flow',
    id,
    ...(key.join('/') === '' ? {} : { key: key.join('/') }),
  };
}

/** Goes on where it resolves with true. */
function handleNext(
  handler: (...args: Parameters<RequestHandler>) => Promise<boolean>,
): RequestHandler {
  return (request, response, next) => {
    handler(request, response, next).then((goesOn) => {
      if (goesOn) next();
    }, next);
  };
}
