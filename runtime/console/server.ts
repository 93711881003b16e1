import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import express from 'express';
import { openUserStore } from '../../connectors/file/user-store.ts';
import { createConsole } from '../../console/api/app.ts';
import type { Administration } from '../../console/api/administration.ts';
import type { InterfaceControl } from '../../console/api/interfaces.ts';
import type { AlarmReader } from '../../console/api/alarms.ts';
import type { Control } from '../../console/api/control.ts';
import type { Deploys } from '../../console/api/deploys.ts';
import type { Replays } from '../../console/api/replays.ts';
import type { RetentionControl } from '../../console/api/retention.ts';
import type { UnmappedCodes } from '../../console/api/unmapped.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Stores } from '../broker.ts';
import type { Stored } from '../deploy/stored.ts';
import type { Submission } from '../deploy/storage.ts';
import { newId } from '../ids.ts';
import { packageDirectory, type Settings } from '../settings.ts';
import { createEditor, type Editor } from './editor.ts';
import type { RunningFlows } from './contexts.ts';

interface Options {
  readonly settings: Settings;
  readonly stores: Stores;
  readonly control: Control;
  readonly administration: Administration;
  readonly interfaces: InterfaceControl;
  readonly replays: Replays;
  readonly alarms: AlarmReader;
  readonly retention: RetentionControl;
  readonly unmapped: UnmappedCodes;
  readonly logger: Logger;
  readonly version: string;
  readonly credentialSecret: string;
  readonly stored: () => Pick<Stored, 'flows' | 'credentials'>;
  readonly deploy: (submission: Submission) => Promise<void>;
  /** What the editor is not needed for. */
  readonly deploys: (editor: Editor) => Deploys;
  readonly flows: RunningFlows;
}

/** Console and editor on one port, and the same API on a socket that only this user may open. */
export interface ConsoleServer {
  readonly editor: Editor;
  readonly url: string;
  /** A new link to make the first administrator; undefined once there is one. */
  setupLink(): Promise<string | undefined>;
  stop(): Promise<void>;
}

/** Rejects when the address or the socket cannot be had. */
export async function startConsole(options: Options): Promise<ConsoleServer> {
  const { settings, stores } = options;
  const app = express();
  app.disable('x-powered-by');
  const server = createServer(app);
  const editor = createEditor({
    ...options,
    server,
    newId: () => newId(Date.now()),
    authenticate: (cookieHeader) => console.authenticate(cookieHeader),
  });
  const console = createConsole({
    ...options,
    broker: stores.broker,
    ledger: stores.ledger,
    users: openUserStore(path.join(settings.dataDirectory, 'users.json')),
    deploys: options.deploys(editor),
    clock: Date.now,
    newId: () => newId(Date.now()),
    webRoot: path.join(packageDirectory, 'dist', 'console'),
  });
  console.attach(server);
  app.use(console.guard);
  app.use('/editor', editor.router);
  app.use(console.router);
  await editor.start();
  await listen(server, { host: settings.bind, port: settings.port }).catch((error: unknown) => {
    throw new Error(
      `The console cannot listen on ${settings.bind}:${settings.port}: ${toReason(error)}; free the port or set HILUM_PORT.`,
      { cause: error },
    );
  });

  const local = createServer(express().use(console.localRouter));
  await rm(settings.controlSocket, { force: true });
  await listen(local, { path: settings.controlSocket });
  await chmod(settings.controlSocket, 0o600);

  const url = `http://${hostForPeople(settings.bind)}:${settings.port}`;
  return {
    editor,
    url,
    setupLink: () => console.setupLink(url),
    stop: async () => {
      console.close();
      await editor.stop();
      await Promise.all([close(server), close(local)]);
    },
  };
}

function toReason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EADDRINUSE' ? 'another program uses it' : String(code ?? error);
}

function hostForPeople(bind: string): string {
  if (bind === '0.0.0.0' || bind === '::') return '127.0.0.1';
  return bind.includes(':') ? `[${bind}]` : bind;
}

function listen(server: Server, where: object): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
