import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import { WebSocket, WebSocketServer } from 'ws';
import { openUserStore } from '../../connectors/file/user-store.ts';
import { connectOwner, type OwnerClient } from '../../connectors/sqlite/client.ts';
import { openOwner, type Owner } from '../../connectors/sqlite/owner.ts';
import { createConsole, type Console, type ConsoleTimes } from '../../console/api/app.ts';
import type { Control, ControlStatus, InterfaceStatus } from '../../console/api/control.ts';
import { nothingDeployed } from '../../runtime/deploy/deployed.ts';
import { openHistory } from '../../runtime/deploy/history.ts';
import { followDeployedCodes } from '../../runtime/held/deployed-codes.ts';
import { PuttingBack } from '../../runtime/admin/putting-back.ts';
import { HeldMessages } from '../../runtime/held/held-messages.ts';
import { ReplayRuns } from '../../runtime/replay/runs.ts';
import { AlarmWatch } from '../../runtime/alarm/watch.ts';
import { Administrator } from '../../runtime/admin/administrator.ts';
import { Retention } from '../../runtime/retention/retention.ts';
import { FlowControl } from '../../runtime/supervision/flow-control.ts';
import { keptInFile } from '../../runtime/admin/kept.ts';
import { PausedQueues } from '../../runtime/admin/paused-queues.ts';
import type { LiveMessage } from '../../console/api/views.ts';
import type { Envelope } from '../../core/envelope.ts';
import type { LedgerEvent } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { writeMappings } from '../support/small-mappings.ts';
import { makeTempFolder } from '../support/temp.ts';

export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** The password of the administrator that {@link RunningConsole.signIn} makes. */
export const password = 'correct horse battery';
export const username = 'ada';

/** A console in a server of its own, on the real ledger and broker of an empty data file. */
export interface RunningConsole {
  readonly console: Console;
  readonly client: OwnerClient;
  readonly owner: Owner;
  readonly url: string;
  readonly folder: string;
  readonly control: TestControl;
  /** Looks when it is told to. */
  readonly held: HeldMessages;
  /** Looks when it is told to; two messages in a queue are one too many. */
  readonly alarms: AlarmWatch;
  /** Moves the clock that the console reads, which goes on by a millisecond with each reading otherwise. */
  advance(ms: number): void;
  now(): number;
  /** How often the ledger was asked for the newest messages: once a look of the live page. */
  looks(): number;
  /** The interfaces, and whether they are stopped. */
  interfaces(): readonly InterfaceStatus[];
  /** The queues that the consumers were told to pause. */
  paused(): readonly string[];
  /** The keys that the consumers were told to look at again. */
  readonly released: readonly { readonly queue: string; readonly key: string }[];
  request(path: string, init?: RequestInit & { cookie?: string | undefined }): Promise<Response>;
  post(path: string, body: object, headers?: Record<string, string>): Promise<Response>;
  /** Makes the administrator by the setup link; resolves with the `Cookie` header of the session. */
  setUp(): Promise<string>;
  signIn(): Promise<string>;
  connect(path: string, headers?: Record<string, string>): WebSocket;
  /** Puts a received message into ledger and queue, as the intake does. */
  receive(envelope: Envelope, queue: string): Promise<void>;
  append(...events: readonly LedgerEvent[]): Promise<void>;
  close(): Promise<void>;
}

/** The engine's part, as far as the console needs one: what was replayed, and whether it is ready. */
interface TestControl extends Control {
  isReady: boolean;
  /** Queues that the flows ask for and nobody has made. */
  missing: readonly string[];
  readonly replayed: { readonly id: string; readonly by: string }[];
  readonly running: ControlStatus;
}

const queue = 'in.lab';
export const otherQueue = 'in.other';

/** Times that suit a test; everything else is what a user gets. */
const fast: Partial<ConsoleTimes> = { liveTickMs: 20, readyTimeoutMs: 300 };

export async function startConsole(logger: Logger = silent): Promise<RunningConsole> {
  const folder = makeTempFolder('console');
  const socket = join(folder, 'owner.sock');
  const owner = await openOwner({ file: join(folder, 'hilum.db'), socket, logger: silent });
  const client = await connectOwner({ socket, logger: silent });
  await client.broker.declare({ name: queue, interface: 'lab' });
  await client.broker.declare({ name: otherQueue, interface: 'other' });
  const webRoot = join(folder, 'web');
  mkdirSync(webRoot);
  writeFileSync(join(webRoot, 'index.html'), '<!doctype html><title>Hilum</title>');

  let offsetMs = 0;
  let looks = 0;
  let ids = 0;
  let paused: readonly string[] = [];
  const released: { readonly queue: string; readonly key: string }[] = [];
  const startedAt = Date.now();
  let readings = 0;
  const clock = (): number => startedAt + offsetMs + (readings += 1);
  const interfaces = new FlowControl({
    logger,
    clock,
    flows: () => [{ id: 'lab', type: 'tab', label: 'Lab results' }],
    onChange: () => Promise.resolve(),
  });
  await interfaces.open(keptInFile(join(folder, 'stopped-interfaces.json')));
  const control = buildControl();
  const stores = { ...client, close: () => Promise.resolve() };
  const replays = await ReplayRuns.open({
    stores,
    logger,
    clock: Date.now,
    definitions: () => ({
      listeners: [],
      senders: [],
      queues: [queue, otherQueue].map((name) => ({ name, interface: 'lab' })),
    }),
    directory: join(folder, 'replays'),
  });
  const alarms = await AlarmWatch.open({
    broker: client.broker,
    ledger: client.ledger,
    logger,
    clock,
    newId: () => crypto.randomUUID(),
    watched: () => ({
      definitions: {
        listeners: [],
        queues: [queue, otherQueue].map((name) => ({ name, interface: 'lab' })),
      },
      limitsOf: () => ({ backlog: 2 }),
      names: { interfaces: new Map([['lab', 'Lab results']]), queues: new Map() },
    }),
    address: undefined,
    file: join(folder, 'alarms.json'),
    everyMs: 60_000,
  });
  const mappings = join(folder, 'mappings');
  writeMappings(mappings);
  const flows = [{ id: 'map', type: 'hl7 map', z: 'lab', layers: 'acme' }];
  const deployed = { ...nothingDeployed, flows, mappings: { directory: mappings, hash: '' } };
  const orders = () => new Map([queue, otherQueue].map((name) => [name, { isOrdered: true }]));
  const puttingBack = new PuttingBack({ stores, logger, queues: orders });
  const held = new HeldMessages({
    ...{ stores, logger, clock, puttingBack, paused: () => paused, labelOf: () => 'Lab results' },
    kept: keptInFile(join(folder, 'held-decisions.json')),
    deployed: followDeployedCodes(() => deployed, {}),
    settled: () => Promise.resolve(),
    queues: orders,
    onRelease: (name, key) => void released.push({ queue: name, key }),
  });
  const history = openHistory({
    flowsDirectory: folder,
    mappingsDirectory: folder,
    profilesDirectory: folder,
    logger,
  });
  const hilum = createConsole({
    deploys: {
      deploy: async ({ revision = 'HEAD' }) => ({
        groups: [],
        revision: (await history.read(revision)).revision,
      }),
      list: (limit) => history.list(limit),
      diff: (revision) => history.diff(revision),
    },
    broker: client.broker,
    ledger: {
      trace: (id) => client.ledger.trace(id),
      read: (id) => client.ledger.read(id),
      changes: (id) => client.ledger.changes(id),
      ages: () => client.ledger.ages(),
      counts: () => client.ledger.counts(),
      waiting: (name, page) => client.ledger.waiting(name, page),
      parked: (question) => client.ledger.parked(question),
      find: (filter, page) => {
        looks += 1;
        return client.ledger.find(filter, page);
      },
    },
    users: openUserStore(join(folder, 'users.json')),
    control,
    replays,
    alarms,
    retention: new Retention({
      retention: client.retention,
      settings: { policy: { days: 30, deadDays: 100 }, everyMs: 3_600_000 },
      logger,
      clock,
      policies: () => new Map(),
      labelOf: () => undefined,
    }),
    unmapped: held,
    interfaces,
    administration: new Administrator({
      stores,
      logger,
      clock,
      puttingBack,
      paused: await PausedQueues.open(keptInFile(join(folder, 'paused-queues.json'))),
      queues: () => [queue, otherQueue, 'sub.events'],
      keepsOrder: () => true,
      onRelease: (name, key) => void released.push({ queue: name, key }),
      onPaused: (queues) => void (paused = queues),
    }),
    logger,
    clock,
    newId: () => `request-${(ids += 1)}`,
    webRoot,
    version: '0.0.0-test',
    times: fast,
  });
  const app = express();
  app.use(hilum.router);
  app.get('/editor/', (_request, response) => void response.send('the editor'));
  app.post('/editor/flows', (_request, response) => void response.status(204).end());
  const server = http.createServer(app);
  attachEditor(server);
  hilum.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sockets = new Set<WebSocket>();

  const request: RunningConsole['request'] = (path, { cookie, headers, ...init } = {}) =>
    fetch(url + path, {
      redirect: 'manual',
      ...init,
      headers: {
        ...(headers as Record<string, string> | undefined),
        ...(cookie === undefined ? {} : { cookie }),
      },
    });
  const post: RunningConsole['post'] = (path, body, headers = {}) =>
    request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });

  return {
    console: hilum,
    alarms,
    held,
    client,
    owner,
    url,
    folder,
    control,
    now: clock,
    advance: (ms) => void (offsetMs += ms),
    looks: () => looks,
    paused: () => paused,
    interfaces: () => interfaces.statuses(),
    released,
    request,
    post,
    async setUp() {
      const token = (await hilum.setupLink(url))?.split('#')[1];
      return readCookie(await post('/setup', { token, username, password }));
    },
    async signIn() {
      return readCookie(await post('/login', { username, password }));
    },
    connect(path, headers = {}) {
      const socket = new WebSocket(url.replace('http', 'ws') + path, { headers });
      sockets.add(socket);
      return socket;
    },
    async receive(envelope, name) {
      await client.broker.publish(name, envelope);
      await client.ledger.append([
        { type: 'message', envelope },
        {
          type: 'event',
          event: { messageId: envelope.id, kind: 'received', at: envelope.receivedAt },
        },
        {
          type: 'event',
          event: { messageId: envelope.id, kind: 'queued', at: envelope.receivedAt, queue: name },
        },
      ]);
    },
    append: (...events) =>
      client.ledger.append(events.map((event) => ({ type: 'event' as const, event }))),
    async close() {
      for (const socket of sockets) socket.terminate();
      hilum.close();
      await replays.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await client.close();
      await owner.close();
    },
  };
}

/** Before the clock of any console that a test starts. */
const agoMs = 60_000;

/** An HL7 message as the intake would hold it; every id differs. */
export function buildEnvelope(changes: Partial<Envelope> = {}): Envelope {
  const id = changes.id ?? crypto.randomUUID();
  return {
    id,
    interface: 'lab',
    contentType: 'application/hl7-v2',
    messageType: 'ORU^R01^ORU_R01',
    controlId: `C-${id.slice(0, 8)}`,
    key: 'patient-of-this-test',
    correlationId: id,
    receivedAt: new Date(Date.now() - agoMs).toISOString(),
    attempt: 1,
    body: new TextEncoder().encode('MSH|^~\\&|A|B'),
    ...changes,
  };
}

/** The messages of a websocket, one after the other; `closed` resolves with the code that ended it. */
export function readLive(socket: WebSocket): {
  next(): Promise<LiveMessage>;
  readonly closed: Promise<number>;
} {
  const arrived: LiveMessage[] = [];
  const waiting: ((message: LiveMessage) => void)[] = [];
  socket.on('error', () => undefined);
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as LiveMessage;
    const taker = waiting.shift();
    if (taker === undefined) arrived.push(message);
    else taker(message);
  });
  return {
    next: () => {
      const message = arrived.shift();
      if (message !== undefined) return Promise.resolve(message);
      return new Promise((resolve) => waiting.push(resolve));
    },
    closed: new Promise((resolve) => socket.once('close', (code) => resolve(code))),
  };
}

/** The `Cookie` header that a browser would send after this answer. */
export function readCookie(response: Response): string {
  const cookie = response.headers.get('set-cookie')?.split(';')[0];
  if (cookie === undefined) throw new Error(`Expected a cookie, found status ${response.status}.`);
  return cookie;
}

/** The editor's websocket as Node-RED serves it: whoever comes is connected, and told what cookie it had. */
function attachEditor(server: http.Server): void {
  const editor = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (request.url !== '/editor/comms') return;
    editor.handleUpgrade(request, socket, head, (connected) => {
      connected.send(JSON.stringify({ cookie: request.headers.cookie ?? null }));
    });
  });
}

function buildControl(): TestControl {
  const replayed: { readonly id: string; readonly by: string }[] = [];
  const running: ControlStatus = {
    broker: 'embedded',
    processes: [{ role: 'edge', state: 'running' }],
    interfaces: [{ id: 'lab', label: 'Lab results' }],
    listeners: [
      {
        id: 'lab',
        interface: 'lab',
        label: 'From the lab',
        queue,
        host: '127.0.0.1',
        port: 2575,
        isTls: false,
        state: 'listening',
      },
    ],
    senders: [],
  };
  return {
    isReady: true,
    missing: [],
    replayed,
    running,
    replay(id, by) {
      replayed.push({ id, by });
      return Promise.resolve({ id: 'the-new-one' });
    },
    status: () => running,
    problems() {
      const message = 'The process edge is starting.';
      return this.isReady ? [] : [{ part: 'engine', code: 'process-not-running', message }];
    },
    queues() {
      return [queue, ...this.missing];
    },
  };
}
