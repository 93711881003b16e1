import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { FlowNode } from '../../core/interface.ts';
import type { FlowRuntime } from '../../core/ports/flow-runtime.ts';
import { encryptCredentials, type Credentials } from '../credentials.ts';
import { openWorkerStorage } from '../deploy/storage.ts';
import { loadNodeRed, type LogEvent, type NodeRed } from '../node-red.ts';
import { packageDirectory } from '../settings.ts';

/** What editor and workers have in common: which nodes there are, and what is not offered. */
export const sharedSettings = {
  nodesDir: [path.join(packageDirectory, 'dist', 'nodes')],
  functionExternalModules: false,
  telemetry: { enabled: false, updateNotification: false },
  runtimeState: { enabled: false, ui: false },
  diagnostics: { enabled: false, ui: false },
  externalModules: {
    palette: { allowInstall: false, allowUpload: false },
    modules: { allowInstall: false },
  },
  // Messages in a delay or join node are held in memory only until settled; a bound would drop them.
  nodeMessageBufferMaxLength: 0,
  // Nodes that run programs, touch files or open sockets of their own: that is the edge's work alone.
  // And the switch, which does not say when it has routed a message: Hilum brings one that does.
  nodesExcludes: [
    '10-switch.js',
    '90-exec.js',
    '10-file.js',
    '23-watch.js',
    '21-httpin.js',
    '22-websocket.js',
    '31-tcpin.js',
    '32-udp.js',
    '10-mqtt.js',
  ],
} as const;

/** Node-RED's nodes that load much (of MiB: 18, 5, 2, 1), which no worker needs whose flows have none of them. */
const heavyNodes: Readonly<Record<string, string>> = {
  'http request': '21-httprequest.js',
  html: '70-HTML.js',
  json: '70-JSON.js',
  xml: '70-XML.js',
};

function findUnused(flows: readonly FlowNode[]): readonly string[] {
  const used = new Set(flows.map(({ type }) => type));
  return Object.entries(heavyNodes).flatMap(([type, file]) => (used.has(type) ? [] : [file]));
}

interface Options {
  /** Node-RED's own folder of this process. */
  readonly userDirectory: string;
  readonly flows: readonly FlowNode[];
  /** Of these nodes. */
  readonly credentials: Credentials;
  readonly flowRuntime: (red: NodeRed) => FlowRuntime;
  readonly onLog: (event: LogEvent) => void;
  /** Starting takes longer than this: a node type is missing or a node hangs. */
  readonly startTimeoutMs: number;
}

/**
 * Starts a headless Node-RED on the flows. Rejects when they do not start, with the missing
 * node types where that is why: Node-RED itself would wait for them silently.
 */
export async function startHeadless(options: Options): Promise<NodeRed> {
  const red = loadNodeRed();
  const unused = findUnused(options.flows);
  // Nothing of them is stored here; Node-RED complains about credentials that are not encrypted.
  const credentialSecret = randomUUID();
  const holder: { hilum?: FlowRuntime } = {};
  red.init(undefined, {
    ...sharedSettings,
    nodesExcludes: [...sharedSettings.nodesExcludes, ...unused],
    userDir: options.userDirectory,
    disableEditor: true,
    httpAdminRoot: false,
    httpNodeRoot: false,
    credentialSecret,
    contextStorage: { default: { module: 'memory' } },
    storageModule: openWorkerStorage({
      flows: options.flows,
      credentials: encryptCredentials(options.credentials, credentialSecret),
    }),
    logging: {
      hilum: { level: 'info', metrics: false, audit: false, handler: () => options.onLog },
    },
    get hilum(): FlowRuntime | undefined {
      return holder.hilum;
    },
  });
  holder.hilum = options.flowRuntime(red);
  const started = waitForFlows(red, options.startTimeoutMs);
  // Whoever awaits it below hears of a failure; until then it must not count as unhandled.
  started.catch(() => undefined);
  await red.start();
  await started;
  return red;
}

function waitForFlows(red: NodeRed, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let missing: readonly string[] = [];
    const onEvent = (event: {
      id?: string;
      payload?: { type?: string; types?: string[] };
    }): void => {
      if (event.id === 'runtime-state' && event.payload?.types !== undefined) {
        missing = event.payload.types;
        finish(new Error(`Node types are missing: ${missing.join(', ')}.`));
      }
    };
    const finish = (error?: Error): void => {
      clearTimeout(timer);
      red.events.off('flows:started', onStarted);
      red.events.off('runtime-event', onEvent);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onStarted = (): void => {
      finish();
    };
    const timer = setTimeout(() => {
      finish(new Error(`The flows did not start within ${timeoutMs / 1000} s.`));
    }, timeoutMs);
    red.events.on('flows:started', onStarted);
    red.events.on('runtime-event', onEvent);
  });
}
