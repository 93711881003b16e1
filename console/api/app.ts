import type { Server } from 'node:http';
import { Router, type RequestHandler } from 'express';
import type { Broker } from '../../core/ports/broker.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Administration } from './administration.ts';
import type { AlarmReader } from './alarms.ts';
import { buildChangesRouter } from './changes.ts';
import type { Control } from './control.ts';
import type { Deploys } from './deploys.ts';
import { buildGuard } from './guard.ts';
import { buildHealthRouter } from './health.ts';
import { handleErrors } from './http.ts';
import { Live } from './live.ts';
import { buildLoginRouter } from './login.ts';
import type { InterfaceControl } from './interfaces.ts';
import { buildMetrics } from './metrics.ts';
import { buildPageRouter } from './page.ts';
import { sampleMs } from './rates.ts';
import { Reader } from './reader.ts';
import type { Replays } from './replays.ts';
import type { RetentionControl } from './retention.ts';
import { buildApiRouter, localUser, requireUser } from './routes.ts';
import { Sessions, findSessionId } from './sessions.ts';
import { SetupToken } from './setup.ts';
import { attachUpgrades } from './upgrade.ts';
import type { UnmappedCodes } from './unmapped.ts';
import type { UserStore } from './user-store.ts';
import type { UserView } from './views.ts';

/** What the console is made of: everything that it reads or asks is handed in. */
export interface ConsoleOptions {
  readonly broker: Pick<Broker, 'depths'>;
  readonly ledger: Pick<
    Ledger,
    'trace' | 'read' | 'changes' | 'find' | 'waiting' | 'parked' | 'ages' | 'counts'
  >;
  readonly users: UserStore;
  readonly control: Control;
  readonly administration: Administration;
  readonly interfaces: InterfaceControl;
  readonly replays: Replays;
  readonly alarms: AlarmReader;
  readonly retention: RetentionControl;
  readonly unmapped: UnmappedCodes;
  readonly deploys: Deploys;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Unique ids: what an answer of 500 names, so that it is found in the log. */
  readonly newId: () => string;
  /** The folder of the built page: index.html and assets/. */
  readonly webRoot: string;
  /** Hilum's version, for people. */
  readonly version: string;
  /** What differs from an hour idle, twelve hours in all, a look a second. */
  readonly times?: Partial<ConsoleTimes>;
}

/** How long things last, in milliseconds. */
export interface ConsoleTimes {
  /** A session that was not used for this long ends; a page that only watches does not use it. */
  readonly sessionIdleMs: number;
  /** Every session ends after this long. */
  readonly sessionMs: number;
  /** How often the live page is told what changed. */
  readonly liveTickMs: number;
  readonly liveHeartbeatMs: number;
  /** What `/readyz` waits for an answer. */
  readonly readyTimeoutMs: number;
}

/** An hour idle, a working shift in all; the live page once a second. */
const defaultTimes: ConsoleTimes = {
  sessionIdleMs: 60 * 60_000,
  sessionMs: 12 * 60 * 60_000,
  liveTickMs: 1000,
  liveHeartbeatMs: 15_000,
  readyTimeoutMs: 2000,
};

/**
 * The console in a server of the runtime's:
 * `app.use(console.router); app.use('/editor', RED.httpAdmin); console.attach(server)`.
 */
export interface Console {
  /**
   * Guard, page, API, login, health and metrics; mount it at `/`, before the editor. What is not its own it
   * passes on, guarded.
   */
  readonly router: Router;
  /**
   * The first handler of `router`, for what is mounted elsewhere: refuses mutations from foreign pages, sends
   * strangers from the editor to the login.
   */
  readonly guard: RequestHandler;
  /** `/api/…` without login, for a socket that only its owner can open (mode 0600); mount it at `/`. */
  readonly localRouter: Router;
  /** Guards the server's upgrades and serves `/api/live`. */
  attach(server: Server): void;
  /** Who this `Cookie` header belongs to; for the editor's adminAuth `tokens` with `tokenHeader: 'cookie'`. */
  authenticate(cookieHeader: string | undefined): Promise<UserView | null>;
  /** A new one-time link to make the first administrator; undefined as soon as a user exists. Only the newest is valid. */
  setupLink(baseUrl: string): Promise<string | undefined>;
  /** Ends timers, sockets and sessions. Idempotent. */
  close(): void;
}

/** Puts the console together. It opens nothing by itself: a timer samples the counters every ten seconds. */
export function createConsole(options: ConsoleOptions): Console {
  const { users, logger, clock } = options;
  const times = { ...defaultTimes, ...options.times };
  const sessions = new Sessions({
    clock,
    idleMs: times.sessionIdleMs,
    absoluteMs: times.sessionMs,
  });
  const token = new SetupToken();
  const reader = new Reader(options);
  const live = new Live({
    reader,
    clock,
    logger,
    tickMs: times.liveTickMs,
    heartbeatMs: times.liveHeartbeatMs,
  });
  const metrics = buildMetrics({ ...options, reader });
  const guard = buildGuard(authenticate);
  const detachers: (() => void)[] = [];

  const sample = (): void => {
    sessions.sweep();
    // A ledger that does not answer is told by /readyz and by the live page; here a sample is missing.
    reader.sample().catch((error: unknown) => logger.debug({ err: error }, 'rates not sampled'));
  };
  const sampling = setInterval(sample, sampleMs).unref();
  sample();

  return {
    router: buildRouter(),
    guard,
    localRouter: Router()
      .use('/api', buildChangesRouter(options, localUser))
      .use('/api', buildApiRouter({ ...options, reader }, localUser)),
    attach(server) {
      detachers.push(attachUpgrades(server, { sessions, live, authenticate }));
    },
    authenticate,
    async setupLink(baseUrl) {
      if (!(await users.isEmpty())) return undefined;
      // After the #, which browsers keep to themselves: no proxy and no log gets to see the token.
      return `${baseUrl.replace(/\/+$/, '')}/setup#${token.issue()}`;
    },
    close() {
      clearInterval(sampling);
      live.close();
      sessions.clear();
      for (const detach of detachers.splice(0)) detach();
    },
  };

  async function authenticate(cookieHeader: string | undefined): Promise<UserView | null> {
    const id = findSessionId(cookieHeader);
    const session = sessions.use(id);
    if (session === undefined) return null;
    const user = await users.find(session.username);
    if (user === undefined) {
      sessions.end(id);
      return null;
    }
    return { username: user.username, permissions: user.permissions };
  }

  function buildRouter(): Router {
    const router = Router();
    router.use(guard);
    router.use(buildHealthRouter({ ...options, timeoutMs: times.readyTimeoutMs }));
    router.get('/metrics', (_request, response, next) => {
      metrics
        .read()
        .then((text) => response.type(metrics.contentType).send(text))
        .catch(next);
    });
    router.use(buildLoginRouter({ ...options, sessions, token, authenticate }));
    router.use('/api', buildApiRouter({ ...options, reader }, requireUser(authenticate)));
    router.use(buildPageRouter({ webRoot: options.webRoot, authenticate }));
    router.use(handleErrors(options));
    return router;
  }
}
