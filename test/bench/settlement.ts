import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { EnvelopeHeader } from '../../core/envelope.ts';
import { sharedSettings } from '../../runtime/flow/headless.ts';
import { loadNodeRed, type RuntimeNode } from '../../runtime/node-red.ts';
import { Trail } from '../../runtime/changes/trail.ts';
import { SettlementTracker } from '../../runtime/settlement/tracker.ts';
import { findMedian } from './measure.ts';

/*
 * Messages a second through source, function, change, switch and sink, where the function changes a field: without
 * the tracker, with it, and with what each node changes; each in a process of its own.
 * `npm run bench -- settlement [MESSAGES]`
 */

const mode = process.env['SETTLEMENT_BENCH'];
const messages = Number(process.argv[2] ?? 20_000);
/** Messages under way at a time, as a worker has them. */
const window = 64;
const rounds = 5;

if (mode === undefined) {
  for (const each of ['plain', 'tracked', 'changes']) {
    const env = { ...process.env, SETTLEMENT_BENCH: each };
    const file = import.meta.filename;
    const { stdout, stderr } = spawnSync(process.execPath, [file, String(messages)], {
      env,
      encoding: 'utf8',
    });
    process.stdout.write(stdout || stderr);
  }
} else {
  await measure(mode);
}

async function measure(name: string): Promise<void> {
  const red = loadNodeRed();
  const onSink: { call: () => void } = { call: () => undefined };
  const nothing = (): Promise<object> => Promise.resolve({});
  const tab = { id: 'tab', type: 'tab', label: 'bench' };
  const at = { z: 'tab', x: 0, y: 0 };
  const rules = [{ t: 'set', p: 'kind', pt: 'msg', to: 'A', tot: 'str' }];
  const routes = [{ t: 'eq', v: 'A', vt: 'str' }];
  const flows = [
    tab,
    { ...at, id: 'in', type: 'bench source', wires: [['f']] },
    {
      ...at,
      id: 'f',
      type: 'function',
      func: 'msg.topic = "x"; msg.payload = msg.payload.replace("HOSPITAL", "NORTH"); return msg;',
      outputs: 1,
      timeout: 0,
      libs: [],
      wires: [['c']],
    },
    { ...at, id: 'c', type: 'change', rules, wires: [['w']] },
    {
      ...at,
      id: 'w',
      type: 'switch',
      property: 'kind',
      propertyType: 'msg',
      rules: routes,
      checkall: 'true',
      outputs: 1,
      wires: [['out']],
    },
    { ...at, id: 'out', type: 'bench sink', wires: [] },
  ];
  red.init(undefined, {
    ...sharedSettings,
    userDir: mkdtempSync(path.join(tmpdir(), 'hilum-bench-')),
    disableEditor: true,
    httpAdminRoot: false,
    httpNodeRoot: false,
    credentialSecret: 'only for this run',
    logging: { console: { level: 'off' } },
    storageModule: {
      init: nothing,
      getFlows: () => Promise.resolve(flows),
      getCredentials: nothing,
      saveCredentials: nothing,
      getSettings: nothing,
      saveSettings: nothing,
      getSessions: nothing,
      saveSessions: nothing,
    },
  });
  const nodes = red.nodes as unknown as {
    registerType(set: string, type: string, construct: (config: object) => void): void;
    createNode(node: object, config: object): void;
  };
  nodes.registerType('bench/source', 'bench source', function (this: object, config) {
    nodes.createNode(this, config);
  });
  nodes.registerType('bench/sink', 'bench sink', function (this: object, config) {
    nodes.createNode(this, config);
    (this as { on(event: string, handler: unknown): void }).on(
      'input',
      (_message: object, _send: unknown, done: () => void) => {
        done();
        onSink.call();
      },
    );
  });
  const tracker = name === 'plain' ? undefined : new SettlementTracker(red);
  const started = new Promise((resolve) => red.events.once('flows:started', resolve));
  await red.start();
  await started;
  const source = red.nodes.getNode('in') as RuntimeNode & { send(message: object): void };
  const payload =
    'PID|1||PATID1234^5^M11^ADT1^MR^HOSPITAL||EVERYMAN^ADAM^A^III||19610615|M\r'.repeat(60);

  const header = { id: 'x', attempt: 1 } as EnvelopeHeader;

  const runOnce = (): Promise<void> =>
    new Promise((resolve) => {
      let sent = 0;
      let ended = 0;
      const onEnd = (): void => {
        ended += 1;
        if (ended === messages) resolve();
        else if (sent < messages) sendOne();
      };
      const sendOne = (): void => {
        sent += 1;
        const message = { _msgid: String(sent), payload };
        if (tracker === undefined) {
          source.send(message);
          return;
        }
        const trail = name === 'changes' ? new Trail(16 * 1024) : undefined;
        tracker.run(
          message,
          60_000,
          (transaction) => {
            transaction.trail = trail;
            source.send(message);
          },
          () => {
            trail?.toEntries(header);
            onEnd();
          },
        );
      };
      if (tracker === undefined) onSink.call = onEnd;
      for (let begun = 0; begun < window; begun += 1) sendOne();
    });

  await runOnce();
  const rates: number[] = [];
  const costs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const cpu = process.cpuUsage();
    const begun = performance.now();
    await runOnce();
    rates.push((messages / (performance.now() - begun)) * 1000);
    const { user, system } = process.cpuUsage(cpu);
    costs.push((user + system) / messages);
  }
  const rate = Math.round(findMedian(rates)).toLocaleString('en');
  console.log(
    `${name.padEnd(8)} ${rate} messages/s, ${findMedian(costs).toFixed(1)} µs of processor each`,
  );
  process.exit(0);
}
