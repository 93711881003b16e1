import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FlowNode } from '../../core/interface.ts';
import { Trail } from '../../runtime/changes/trail.ts';
import { loadNodeRed, type LogEvent, type RuntimeNode } from '../../runtime/node-red.ts';
import { SettlementTracker } from '../../runtime/settlement/tracker.ts';
import type { FlowResult } from '../../runtime/settlement/transaction.ts';
import { sharedSettings } from '../../runtime/flow/headless.ts';
import type { Shape } from './settlement-builder.ts';
import { buildShapes } from './settlement-shapes.ts';

/*
 * Runs every flow shape on a real Node-RED and prints, a JSON line each, how its messages were settled and
 * when. A program of its own: Node-RED is one to a process, and function nodes run in contexts of theirs.
 */

/** A flow that is not settled by then is timed out. */
const flowTimeoutMs = 3_000;

export interface ShapeResult {
  readonly name: string;
  readonly kinds: readonly string[];
  readonly earliestMs: number;
  /** What the outputs had taken when the last of its messages was settled. */
  readonly received: number;
  /** And when everything was over. */
  readonly receivedInAll: number;
}

/** Which nodes the tracker found doubtful, by id or type. */
export interface Doubts {
  readonly name: string;
  /** Sent late in a flow that the deploy takes. */
  readonly lateBefore: readonly string[];
  readonly late: readonly string[];
  readonly neverDone: readonly string[];
}

type Handler = (
  this: RuntimeNode & { send(message: object): void; error(error: Error, message?: object): void },
  message: { payload?: unknown },
  send: (message: object) => void,
  done: (error?: Error) => void,
) => void;

const partner = createServer((request, response) => {
  setTimeout(() => {
    response.statusCode = request.url === '/500' ? 500 : 200;
    response.end('ok');
  }, 100);
});
await new Promise<void>((resolve) => partner.listen(0, '127.0.0.1', resolve));
const { port } = partner.address() as AddressInfo;
const everyShape = buildShapes(port);
const shapes = everyShape.filter(({ refused }) => refused === undefined);
const refusedShapes = everyShape.filter(({ refused }) => refused !== undefined);
const flows = everyShape.flatMap(({ flow }) => flow);

const red = loadNodeRed();
const holder: { tracker?: SettlementTracker } = {};
const nothing = (): Promise<object> => Promise.resolve({});
const ignore = (): Promise<void> => Promise.resolve();
red.init(undefined, {
  ...sharedSettings,
  userDir: mkdtempSync(path.join(tmpdir(), 'hilum-settlement-')),
  disableEditor: true,
  httpAdminRoot: false,
  httpNodeRoot: false,
  credentialSecret: 'only for this run',
  storageModule: {
    init: ignore,
    getFlows: () => Promise.resolve(flows),
    saveFlows: ignore,
    getCredentials: nothing,
    saveCredentials: ignore,
    getSettings: nothing,
    saveSettings: ignore,
    getSessions: nothing,
    saveSessions: ignore,
    getLibraryEntry: () => Promise.resolve([]),
    saveLibraryEntry: ignore,
  },
  logging: {
    hilum: {
      level: 'error',
      handler: () => (event: LogEvent) => {
        holder.tracker?.onLog(event);
      },
    },
  },
});
const late = new Set<string>();
const neverDone: string[] = [];
const tracker = new SettlementTracker(red, {
  onLateSend: ({ id }) => late.add(id),
  onNeverDone: ({ type }) => neverDone.push(type),
});
holder.tracker = tracker;

const received = new Map<string, number>();
registerTestNodes();
const started = new Promise((resolve) => red.events.once('flows:started', resolve));
await red.start();
await started;
const results = await runAll();
const inAll = new Map(received);
for (const [{ tab }, result] of results) {
  const receivedInAll = inAll.get(tab) ?? 0;
  process.stdout.write(`${JSON.stringify({ ...result, receivedInAll })}\n`);
}
// Nothing of the others was late, and all of these are.
const lateBefore = [...late];
await Promise.all(refusedShapes.map(run));
await waitForLateSends();
const doubts: Doubts = {
  name: 'doubts',
  lateBefore,
  late: [...late].sort(),
  neverDone,
};
process.stdout.write(`${JSON.stringify(doubts)}\n`);
process.stdout.write(`${JSON.stringify(await runWhileStopping())}\n`);
process.exit(0);

/**
 * A few at a time, so that this process is not too busy for its timers to show what is early. Those that
 * time out come last: meanwhile whatever was sent after its settlement arrives.
 */
async function runAll() {
  const quick = shapes.filter(({ expected }) => expected !== 'timed-out');
  const slow = shapes.filter(({ expected }) => expected === 'timed-out');
  const found: [Shape, Omit<ShapeResult, 'receivedInAll'>][] = [];
  const runSome = async (some: readonly Shape[]): Promise<void> => {
    found.push(
      ...(await Promise.all(
        some.map(async (shape): Promise<(typeof found)[number]> => [shape, await run(shape)]),
      )),
    );
  };
  const atATime = 16;
  for (let begin = 0; begin < quick.length; begin += atATime) {
    await runSome(quick.slice(begin, begin + atATime));
  }
  await runSome(slow);
  return found;
}

/** Each of the flows that a deploy refuses for what it sends later sends it, within a second. */
async function waitForLateSends(): Promise<void> {
  const expected = refusedShapes.filter(({ refused }) => refused?.endsWith('sends-later')).length;
  const begun = Date.now();
  while (late.size < expected && Date.now() - begun < 5_000) await new Promise(setImmediate);
}

/** A message that comes when the flows are being stopped must not look as if it had been processed. */
async function runWhileStopping(): Promise<ShapeResult> {
  const [shape] = shapes;
  if (shape === undefined) throw new Error('unreachable: there are shapes');
  const before = received.get(shape.tab) ?? 0;
  const kinds: string[] = [];
  red.events.once('flows:stopping', () => {
    void run({ ...shape, name: 'while stopping' }).then((result) => kinds.push(...result.kinds));
  });
  await red.stop();
  const during = (received.get(shape.tab) ?? 0) - before;
  return { name: 'while stopping', kinds, earliestMs: 0, received: during, receivedInAll: during };
}

async function run({
  name,
  source,
  tab,
  payload = 'B',
  messages = 1,
  more = () => ({}),
}: Shape): Promise<Omit<ShapeResult, 'receivedInAll'>> {
  const node = red.nodes.getNode(source) as (RuntimeNode & { send(message: object): void }) | null;
  if (node === null) throw new Error(`${name}: no source node ${source}`);
  const begun = Date.now();
  const settled = await Promise.all(
    Array.from({ length: messages }, (_, index) => {
      const message = { _msgid: `${source}-${Math.random()}`, payload, ...more(index) };
      return new Promise<{ kind: FlowResult['kind']; afterMs: number }>((resolve) => {
        tracker.run(
          message,
          flowTimeoutMs,
          (transaction) => {
            // As in a worker: it must not disturb what is settled.
            transaction.trail = new Trail(16 * 1024);
            node.send(message);
          },
          ({ kind }) => {
            resolve({ kind, afterMs: Date.now() - begun });
          },
        );
      });
    }),
  );
  return {
    name,
    kinds: [...new Set(settled.map(({ kind }) => kind))],
    earliestMs: Math.min(...settled.map(({ afterMs }) => afterMs)),
    received: received.get(tab) ?? 0,
  };
}

function registerTestNodes(): void {
  const register = (type: string, handler?: (config: FlowNode) => Handler): void => {
    const nodes = red.nodes as unknown as {
      registerType(set: string, type: string, constructor: (config: FlowNode) => void): void;
      createNode(node: object, config: FlowNode): void;
    };
    nodes.registerType(`test/${type}`, type, function (this: object, config: FlowNode) {
      nodes.createNode(this, config);
      if (handler !== undefined) {
        (this as { on(event: string, handler: Handler): void }).on('input', handler(config));
      }
    });
  };
  register('test source');
  register('test out', (config) => (message, _send, done) => {
    setTimeout(
      () => {
        if (!('beside' in message)) {
          received.set(config.z ?? '', (received.get(config.z ?? '') ?? 0) + 1);
        }
        if (config['fail'] === true) done(new Error('refused'));
        else done();
      },
      Number(config['delayMs'] ?? 0),
    );
  });
  // Node-RED counts the declared parameters to know whether "done" will be called.
  register('test silent', () => (message, send, _done) => {
    send(message);
  });
  register('test rejects', () => (message, send, done) => {
    const transaction = tracker.find(message);
    (transaction === undefined ? [] : (transaction.rejection ??= [])).push({
      code: 'test',
      severity: 'error',
      message: 'rejected',
    });
    send(message);
    done();
  });
  register('test unknown', () => (message: object) => {
    Object.freeze(message);
  });
  register('test throws', () => (_message, _send, _done) => {
    throw new Error('thrown');
  });
  // Made outside of any message, as a client's socket is: what it calls has no message's context.
  const waiting: (() => void)[] = [];
  setInterval(() => {
    for (const call of waiting.splice(0)) call();
  }, 100);
  register('test pooled', () => (_message, _send, done) => {
    waiting.push(() => {
      done(new Error('from the shared connection'));
    });
  });
  register(
    'test errs',
    () =>
      function (message, _send, _done) {
        setTimeout(() => {
          this.error(new Error('late'), message);
        }, 50);
      },
  );
}
