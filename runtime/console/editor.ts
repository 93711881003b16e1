import type { Server } from 'node:http';
import path from 'node:path';
import { Router } from 'express';
import { followMappings } from '../../connectors/file/mapping-files.ts';
import { findFailure, HilumError } from '../../core/errors.ts';
import type { FlowNode } from '../../core/interface.ts';
import { isValid, type Issue } from '../../core/issue.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Shown } from '../engine.ts';
import type { ContextAnswer } from '../process/messages.ts';
import type { Stored } from '../deploy/stored.ts';
import { openEditorStorage, type Saver, type Submission } from '../deploy/storage.ts';
import { sharedSettings } from '../flow/headless.ts';
import { loadNodeRed, type LogEvent, type NodeRed } from '../node-red.ts';
import { logLevel } from '../node-red.ts';
import { Contexts, type RunningFlows } from './contexts.ts';
import { NodeStatuses } from './node-statuses.ts';
import { buildRunningFlows } from './running-flows.ts';
import { editorDirectory, packageDirectory, type Settings } from '../settings.ts';

/** As Node-RED knows whoever has logged in. */
interface User {
  readonly username: string;
  readonly permissions: string;
}

interface Options {
  readonly settings: Settings;
  readonly server: Server;
  readonly credentialSecret: string;
  readonly logger: Logger;
  readonly authenticate: (
    cookieHeader: string,
  ) => Promise<{ readonly username: string; readonly permissions: readonly string[] } | null>;
  /** What is deployed now. */
  readonly stored: () => Pick<Stored, 'flows' | 'credentials'>;
  /** Makes them durable and has them run; rejects with HilumError, its issues by node, where that cannot be. */
  readonly deploy: (submission: Submission) => Promise<void>;
  readonly flows: RunningFlows;
  readonly newId: () => string;
}

/** The Node-RED editor: it stores the flows and shows what the workers say; it never runs them. */
export interface Editor {
  /** To be mounted at `/editor`, behind the console's guard. */
  readonly router: Router;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Something a worker's Node-RED said. */
  show(kind: Shown, event: object): void;
  /** Deploys as if the flows came from an open editor: open ones are told that the flows are others now. */
  submit(submission: Required<Pick<Submission, 'flows' | 'by' | 'earlier'>>): Promise<void>;
}

const icon = path.join(packageDirectory, 'dist', 'console', 'favicon.svg');

export function createEditor(options: Options): Editor {
  const { settings, logger } = options;
  const red = loadNodeRed();
  const statuses = new NodeStatuses((event) => red.events.emit('node-status', event));
  const storage = openEditorStorage({
    dataDirectory: settings.dataDirectory,
    stored: options.stored,
    deploy: async (submission) => {
      try {
        const unknown = findUnknownTypes(red, submission.flows);
        if (!isValid(unknown)) throw new HilumError('permanent', unknown);
        await options.deploy(submission);
        statuses.accept();
      } catch (error) {
        statuses.refuse(findFailure(error)?.issues ?? []);
        throw error;
      }
    },
  });
  red.init(options.server, {
    ...sharedSettings,
    userDir: editorDirectory(settings),
    httpAdminRoot: '/editor',
    // For the nodes' dialogs: as they are edited now, deployed or not.
    hilumMappings: followMappings(settings.mappingsDirectory),
    httpNodeRoot: false,
    credentialSecret: options.credentialSecret,
    storageModule: storage,
    contextStorage: { default: { module: 'memory' } },
    adminAuth: {
      type: 'credentials',
      users: () => Promise.resolve(null),
      authenticate: () => Promise.resolve(null),
      tokenHeader: 'cookie',
      tokens: (cookieHeader: string) => options.authenticate(cookieHeader),
    },
    editorTheme: {
      page: { title: 'Hilum', favicon: icon },
      header: { title: 'Hilum', image: icon, url: '/' },
      tours: false,
      projects: { enabled: false },
      logout: { redirect: '/logout' },
      palette: {
        // No catalogue of other people's nodes is asked for: the editor reaches no other host.
        catalogues: [],
        categories: ['Hilum', 'common', 'function', 'sequence', 'parser', 'storage'],
      },
      codeEditor: { lib: 'monaco' },
    },
    logging: {
      hilum: { level: 'warn', metrics: false, audit: false, handler: () => toLogger(logger) },
    },
  });
  keepInjectable(red);
  const contexts = new Contexts({ ...options.flows, newId: options.newId });
  return {
    router: buildRouter(red, contexts, options),
    start: () => red.start(),
    stop: () => red.stop(),
    show: (kind, event) => {
      if (kind === 'node-status') statuses.show(event);
      else if (kind === 'context') contexts.answer(event as ContextAnswer);
      else red.events.emit(kind, event);
    },
    submit: async ({ flows, by, earlier }) => {
      const user: Saver & User = { username: by, permissions: '*', earlier };
      await red.runtime.flows.setFlows({ flows: { flows }, deploymentType: 'full', user });
    },
  };
}

/** What the editor keeps in a flow without a node type of its own. */
const structural = /^(?:tab|subflow|subflow:.*|group|junction)$/;

/** Flows with an unknown type would not start at all: Node-RED waits for the type. */
function findUnknownTypes(red: NodeRed, flows: readonly FlowNode[]): readonly Issue[] {
  return flows
    .filter(({ type, d }) => d !== true && !structural.test(type) && !red.nodes.getType(type))
    .map(({ id, type }) => ({
      code: 'node-type-unknown',
      severity: 'error',
      location: id,
      message: `No node of type "${type}" is installed or allowed; remove it or disable it.`,
    }));
}

/** What acts where the flows run; everything else is Node-RED's own. */
function buildRouter(red: NodeRed, contexts: Contexts, options: Options): Router {
  const router = Router();
  router.use(buildRunningFlows({ ...options, contexts }));
  router.post('/flows', (_request, response, next) => {
    // The editor shows the text of a refused deploy as it comes: words, not JSON.
    const asJson = response.json.bind(response);
    response.json = (body: { message?: string } | undefined) =>
      response.statusCode === 400 && body?.message !== undefined
        ? response.type('text/plain').send(body.message)
        : asJson(body);
    next();
  });
  router.use(red.httpAdmin);
  return router;
}

/** The flows do not run here, and the editor would disable its inject buttons for that: they run elsewhere. */
function keepInjectable(red: NodeRed): void {
  red.events.on(
    'runtime-event',
    (event: { id: string; payload?: { state?: string; error?: string; deploy?: boolean } }) => {
      const { payload } = event;
      if (event.id !== 'runtime-state' || payload?.state !== 'stop' || payload.error) return;
      setImmediate(() => {
        red.events.emit('runtime-event', {
          id: 'runtime-state',
          payload: { state: 'start', deploy: payload.deploy },
          retain: true,
        });
      });
    },
  );
}

function toLogger(logger: Logger): (event: LogEvent) => void {
  return (event) => {
    const text = event.msg instanceof Error ? event.msg.message : String(event.msg);
    if (event.level <= logLevel.error) logger.error({ node: event.id }, `Editor: ${text}`);
    else logger.warn({ node: event.id }, `Editor: ${text}`);
  };
}
