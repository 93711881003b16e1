import { Router, type RequestHandler } from 'express';
import type { Logger } from '../../core/ports/logger.ts';
import { buildAdminRouter } from './admin-routes.ts';
import type { Administration } from './administration.ts';
import type { AlarmReader } from './alarms.ts';
import type { Control } from './control.ts';
import { buildDeployRouter } from './deploy-routes.ts';
import type { Deploys } from './deploys.ts';
import { HttpError, handle, handleErrors, userOf } from './http.ts';
import { readFilter, readPage } from './message-filter.ts';
import { buildInterfaceRouter } from './interface-routes.ts';
import type { InterfaceControl } from './interfaces.ts';
import type { Reader } from './reader.ts';
import { buildReplayRouter } from './replay-routes.ts';
import type { Replays } from './replays.ts';
import { buildRetentionRouter } from './retention-routes.ts';
import type { RetentionControl } from './retention.ts';
import { buildUnmappedRouter } from './unmapped-routes.ts';
import type { UnmappedCodes } from './unmapped.ts';
import type { UserView } from './views.ts';

export interface ApiOptions {
  readonly reader: Reader;
  readonly control: Control;
  readonly administration: Administration;
  readonly interfaces: InterfaceControl;
  readonly replays: Replays;
  readonly alarms: AlarmReader;
  readonly retention: RetentionControl;
  readonly unmapped: UnmappedCodes;
  readonly deploys: Deploys;
  readonly logger: Logger;
  readonly newId: () => string;
}

/** Goes in front of every route of the API: puts the user into `response.locals.user` or answers 401. */
export function requireUser(
  authenticate: (cookieHeader: string | undefined) => Promise<UserView | null>,
): RequestHandler {
  return (request, response, next) => {
    authenticate(request.headers.cookie)
      .then((user) => {
        if (user === null) {
          throw new HttpError(401, 'signed-out', 'Expected a session, found none; sign in.');
        }
        response.locals['user'] = user.username;
        next();
      })
      .catch(next);
  };
}

/** On the local socket whoever can open it may do everything: its mode says who that is. */
export const localUser: RequestHandler = (_request, response, next) => {
  response.locals['user'] = 'cli';
  response.locals['isLocal'] = true;
  next();
};

/** The routes below `/api`, for the page and the command line; `admit` decides who may. */
export function buildApiRouter(options: ApiOptions, admit: RequestHandler): Router {
  const { reader, control, alarms } = options;
  const router = Router();
  router.use((_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  router.use(admit);

  router.get(
    '/status',
    handle((_request, response) => {
      response.json(reader.status());
    }),
  );
  router.get(
    '/queues',
    handle(async (_request, response) => {
      response.json(await reader.queues());
    }),
  );
  router.get(
    '/alarms',
    handle((_request, response) => {
      response.json(alarms.view());
    }),
  );
  router.post(
    '/alarms/test',
    handle(async (_request, response) => {
      response.json(await alarms.test());
    }),
  );
  router.get(
    '/messages',
    handle(async (request, response) => {
      const { query } = request;
      response.json(await reader.messages(readFilter(query), readPage(query)));
    }),
  );
  router.get(
    '/messages/:id',
    handle(async (request, response) => {
      const trace = await reader.trace(request.params['id'] ?? '');
      if (trace === undefined) throw unknownMessage();
      response.json(trace);
    }),
  );
  router.post(
    '/messages/:id/replay',
    handle(async (request, response) => {
      const asked = request.params['id'] ?? '';
      const by = userOf(response);
      const trace = await reader.trace(asked);
      const replayed = trace && (await control.replay(trace.id, by));
      if (trace === undefined || replayed === undefined) throw unknownMessage();
      options.logger.info({ messageId: trace.id, newId: replayed.id, by }, 'message replayed');
      response.status(201).json({ id: replayed.id });
    }),
  );
  router.use(buildReplayRouter(options));
  router.use(buildRetentionRouter(options));
  router.use(buildDeployRouter(options));
  router.use(buildInterfaceRouter(options));
  router.use(buildUnmappedRouter(options));
  router.use(buildAdminRouter(options));
  router.use(() => {
    throw new HttpError(404, 'no-such-route', 'Expected a path of the API; see docs/console.md.');
  });
  router.use(handleErrors(options));
  return router;
}

function unknownMessage(): HttpError {
  return new HttpError(
    404,
    'message-unknown',
    'Expected the id or control id of a message in the ledger, found none of that name; look it up in the list of messages.',
  );
}
