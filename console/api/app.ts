import type { Server } from 'node:http';
import type { RequestHandler, Router } from 'express';
import type { Broker } from '../../core/ports/broker.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Control } from './control.ts';
import type { UserStore } from './user-store.ts';
import type { UserView } from './views.ts';

/** What the console is made of: everything that it reads or asks is handed in. */
export interface ConsoleOptions {
  readonly broker: Pick<Broker, 'depths'>;
  readonly ledger: Pick<Ledger, 'trace' | 'recent' | 'ages' | 'counts'>;
  readonly users: UserStore;
  readonly control: Control;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Unique ids: what an answer of 500 names, so that it is found in the log. */
  readonly newId: () => string;
  /** The folder of the built page: index.html and assets/. */
  readonly webRoot: string;
  /** Hilum's version, for people. */
  readonly version: string;
}

/**
 * The console in a server of the runtime's:
 * `app.use(console.guard, console.router); app.use('/editor', RED.httpAdmin); console.attach(server)`.
 */
export interface Console {
  /** Page, API, login, health and metrics; mount it at `/`. What is not its own it passes on. */
  readonly router: Router;
  /** Goes before router and editor: refuses foreign mutations, sends strangers from the editor to the login. */
  readonly guard: RequestHandler;
  /** The API without login, for a socket that only its owner can open (mode 0600); mount it at `/`. */
  readonly localRouter: Router;
  /** Guards the server's upgrades and serves `/api/live`; call it before the editor attaches its own. */
  attach(server: Server): void;
  /** Who this `Cookie` header belongs to; for the editor's adminAuth `tokens` with `tokenHeader: 'cookie'`. */
  authenticate(cookieHeader: string | undefined): Promise<UserView | null>;
  /** A new one-time link to make the first administrator; undefined as soon as a user exists. Only the newest is valid. */
  setupLink(baseUrl: string): Promise<string | undefined>;
  /** Ends timers, sockets and sessions. Idempotent. */
  close(): void;
}
