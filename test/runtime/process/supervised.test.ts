import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Logger } from '../../../core/ports/logger.ts';
import type { FromChild, RoleConfig } from '../../../runtime/process/messages.ts';
import { readMainThread } from '../../../runtime/process/proc-files.ts';
import { SupervisedProcess } from '../../../runtime/process/supervised.ts';
import type { SupervisionTimes } from '../../../runtime/process/supervision-times.ts';
import { readSettings } from '../../../runtime/settings.ts';
import { isAlive } from '../../support/alive.ts';
import { keptCode, until } from '../../support/hilum.ts';
import { makeTempFolder } from '../../support/temp.ts';

interface Line {
  readonly text: string;
  readonly atMs: number;
  readonly allowedMs?: number;
}

const workerConfig: RoleConfig = {
  role: 'worker',
  group: 'default',
  spoolName: 'worker default',
  flows: [],
  credentials: {},
  mappingsDirectory: '',
  profiles: {},
  definitions: { listeners: [], senders: [], queues: [] },
  paused: [],
  standsBy: false,
};
/** Long for whatever a test is not about, however busy the machine is. */
const patient: SupervisionTimes = {
  heartbeatMs: 20,
  memoryMs: 20,
  flowLoopMs: 60_000,
  startLoopMs: 60_000,
  flowSilenceMs: 60_000,
  silenceMs: 60_000,
  startTimeoutMs: 60_000,
  longestStartTimeoutMs: 60_000,
  stopTimeoutMs: 60_000,
  stableMs: 60_000,
  atWorkMs: 60_000,
  maxBackoffMs: 1,
};

const running: SupervisedProcess[] = [];

afterEach(() => Promise.all(running.splice(0).map((each) => each.stop())));

function supervise(given: {
  readonly times: Partial<SupervisionTimes>;
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: RoleConfig;
  readonly onCrashLoop?: () => void;
}) {
  const folder = makeTempFolder('process');
  const endedFile = path.join(folder, 'ended');
  const read = readSettings({
    PATH: process.env['PATH'],
    ...keptCode(),
    HILUM_DATA: path.join(folder, 'data'),
    HILUM_LOOP_SECONDS: '1',
    ENDED_FILE: endedFile,
    ...given.env,
  });
  if (!read.ok) throw new Error(read.problems.join(' '));
  const lines: Line[] = [];
  const error: Logger['error'] = (fields, text) => {
    lines.push({ ...fields, text, atMs: performance.now() });
  };
  const heard: FromChild['type'][] = [];
  let told: unknown;
  const child = new SupervisedProcess({
    settings: read.settings,
    logger: { debug: () => undefined, info: () => undefined, warn: () => undefined, error },
    name: 'a child',
    config: () => given.config ?? workerConfig,
    onMessage: (message) => {
      heard.push(message.type);
      if (message.type === 'comms' && 'culprits' in message.event) told = message.event.culprits;
    },
    times: { ...patient, ...given.times },
    ...(given.onCrashLoop === undefined ? {} : { onCrashLoop: given.onCrashLoop }),
    program: path.join(import.meta.dirname, 'child-process.ts'),
  });
  running.push(child);
  const kills = (): readonly Line[] => lines.filter(({ text }) => text.startsWith('Killed'));
  return {
    child,
    lines,
    kills,
    heard,
    culprits: () => told,
    hasFinished: () => existsSync(endedFile),
  };
}

const whenSo = (wanted: () => boolean): Promise<boolean> =>
  until(() => Promise.resolve(wanted()), Boolean, 60_000);

describe('a start that takes too long', () => {
  it('is given twice the time at each try, up to the longest', async () => {
    const { child, lines, kills } = supervise({
      times: { startTimeoutMs: 100, longestStartTimeoutMs: 500, stopTimeoutMs: 100 },
      env: { STARTS_AFTER: '60000' },
    });
    const startedMs = performance.now();
    // Who waits for it does not wait for the next tries.
    await child.start({ once: false });
    await whenSo(() => kills().length >= 5);
    expect(kills().map(({ allowedMs }) => allowedMs)).toEqual([100, 200, 400, 500, 500]);
    const begun = [startedMs, ...lines.filter((line) => !kills().includes(line)).map(toMs)];
    for (const [at, { atMs, allowedMs = 0 }] of kills().entries()) {
      expect(atMs - begun[at]!).toBeGreaterThan(allowedMs - 1);
    }
    expect(child.status).toMatchObject({ reason: 'it was not ready in time' });
  }, 60_000);

  it('ends well as soon as there is time enough', async () => {
    const { child, kills } = supervise({
      times: { startTimeoutMs: 100, longestStartTimeoutMs: 60_000 },
      env: { STARTS_AFTER: '300' },
    });
    await child.start({ once: false });
    await whenSo(() => child.status.state === 'running');
    expect(kills().length).toBeGreaterThanOrEqual(2);
    expect(child.status.restarts).toBe(kills().length);
  }, 60_000);
});

describe('a process that is silent', () => {
  const times = { flowSilenceMs: 500 };
  const env = { BLOCKED_WHEN_ASKED: '1500' };

  it('is killed and started again where it runs flows', async () => {
    const { child, kills, heard } = supervise({ times, env });
    await child.start({ once: true });
    const { pid } = child.status;
    child.send({ type: 'inject', nodeId: 'a' });
    await whenSo(() => heard.filter((type) => type === 'ready').length >= 2);
    expect(kills()[0]).toMatchObject({
      text: 'Killed: it was silent for too long.',
      allowedMs: 500,
    });
    expect(child.status.pid).not.toBe(pid);
  }, 60_000);

  it('is left alone where it runs none, for as long as that may take', async () => {
    const { child, lines, heard } = supervise({ times, env, config: { role: 'owner' } });
    await child.start({ once: true });
    const { pid } = child.status;
    await whenSo(() => heard.at(-1) === 'pong');
    child.send({ type: 'inject', nodeId: 'a' });
    const askedMs = performance.now();
    heard.length = 0;
    await whenSo(() => heard.length > 0 && performance.now() - askedMs > 1_500);
    expect(lines).toEqual([]);
    expect(child.status).toMatchObject({ pid, state: 'running', restarts: 0 });
  }, 60_000);

  it('is left alone where it was its supervisor that stood still', async () => {
    const { child, lines, heard } = supervise({ times });
    await child.start({ once: true });
    await whenSo(() => heard.at(-1) === 'pong');
    heard.length = 0;
    const untilMs = performance.now() + 2 * times.flowSilenceMs;
    while (performance.now() < untilMs);
    await whenSo(() => heard.length >= 5);
    expect(lines).toEqual([]);
  }, 60_000);

  it('is killed all the same when it is longer silent than any process may be', async () => {
    const { child, kills } = supervise({
      times: { silenceMs: 500 },
      env,
      config: { role: 'owner' },
    });
    await child.start({ once: true });
    child.send({ type: 'inject', nodeId: 'a' });
    await whenSo(() => child.status.restarts > 0);
    expect(kills()[0]).toMatchObject({
      text: 'Killed: it was silent for too long.',
      allowedMs: 500,
    });
  }, 60_000);
});

describe('an endless loop', () => {
  const verdict = 'its flows were in a loop';

  it('is told by the processor time that it uses, though it goes on talking', async () => {
    const { child, kills } = supervise({
      times: { flowLoopMs: 200 },
      env: { SPINS_WHEN_ASKED: 'yes' },
    });
    await child.start({ once: true });
    child.send({ type: 'inject', nodeId: 'a' });
    await whenSo(() => child.status.lastEnd !== undefined);
    expect(kills()[0]).toMatchObject({ text: `Killed: ${verdict}.`, allowedMs: 1_200 });
    expect(child.status.lastEnd).toMatchObject({ reason: verdict });
  }, 60_000);

  it('is told by the process itself, with the node and the message, and the next one knows', async () => {
    const { child, kills, heard, culprits } = supervise({
      times: {},
      env: { SPINS_WHEN_ASKED: 'yes', GUARDED_MS: '300' },
    });
    await child.start({ once: true });
    child.send({ type: 'inject', nodeId: 'a' });
    await whenSo(() => heard.filter((type) => type === 'ready').length >= 2);
    expect(kills()).toEqual([]);
    expect(child.status.lastEnd?.reason).toBe('the node route was in an endless loop');
    expect(culprits()).toEqual([
      { messageId: 'm1', did: 'was in an endless loop', nodeId: 'route' },
    ]);
  }, 60_000);

  it('is not taken for one where the process waits and uses no time', async () => {
    const { child, heard, lines } = supervise({
      times: { flowLoopMs: 300 },
      env: { BLOCKED_WHEN_ASKED: '2500' },
    });
    await child.start({ once: true });
    child.send({ type: 'inject', nodeId: 'a' });
    const askedMs = performance.now();
    await whenSo(() => performance.now() - askedMs > 2_500);
    heard.length = 0;
    await whenSo(() => heard.includes('pong'));
    expect(lines).toEqual([]);
  }, 60_000);

  it('ends a start as well', async () => {
    const { child, kills } = supervise({
      times: { startLoopMs: 200, stopTimeoutMs: 100 },
      env: { SPINS_AT_START: 'yes' },
    });
    await child.start({ once: false });
    expect(kills()[0]).toMatchObject({ text: `Killed: ${verdict}.`, allowedMs: 1_200 });
  }, 60_000);
});

describe('a process that may hold only so much', () => {
  it('is killed when what it holds outside of its heap grows past that, and started again', async () => {
    const { child, kills, heard } = supervise({
      times: {},
      env: { GROWS_WHEN_ASKED: 'yes' },
      config: { ...workerConfig, memoryMiB: 200 },
    });
    await child.start({ once: true });
    await whenSo(() => child.status.memoryMiB !== undefined && child.status.heapMiB !== undefined);
    const { memoryMiB = 0, heapMiB = 0, memoryBoundMiB, eventLoop } = child.status;
    expect(memoryBoundMiB).toBe(200);
    expect(heapMiB).toBeGreaterThan(1);
    expect(memoryMiB).toBeLessThan(150);
    expect(eventLoop?.maxMs).toBeGreaterThanOrEqual(eventLoop?.p50Ms ?? Number.NaN);
    child.send({ type: 'inject', nodeId: 'a' });
    await whenSo(() => heard.filter((type) => type === 'ready').length >= 2);
    expect(kills()[0]).toMatchObject({ text: 'Killed: it grew past 200 MiB.' });
    expect(child.status).toMatchObject({
      state: 'running',
      restarts: 1,
      lastEnd: { reason: 'it grew past 200 MiB' },
    });
  }, 60_000);
});

describe('a process that leaks', () => {
  it('is looked at between two heartbeats', async () => {
    const { child, kills } = supervise({
      times: { heartbeatMs: 60_000 },
      env: { GROWS_WHEN_ASKED: 'yes' },
      config: { ...workerConfig, memoryMiB: 200 },
    });
    await child.start({ once: true });
    child.send({ type: 'inject', nodeId: 'a' });
    await whenSo(() => kills().length > 0);
    expect(kills()[0]).toMatchObject({ text: 'Killed: it grew past 200 MiB.' });
  }, 60_000);
});

describe('a process that was started again', () => {
  const usual = os.getPriority();
  // Without privileges a process that has been put behind others stays there.
  const restored = mayRaise() ? usual : usual + 5;

  async function startTwice(given: Parameters<typeof supervise>[0]) {
    const { child, heard } = supervise(given);
    await child.start({ once: true });
    const { pid } = child.status;
    const first = findNiceness(pid);
    process.kill(pid!, 'SIGKILL');
    await whenSo(() => heard.filter((type) => type === 'ready').length >= 2);
    return { child, first, pid: child.status.pid };
  }

  it('stands behind others with all its threads, since it may end again', async () => {
    const { first, pid } = await startTwice({ times: {} });
    expect(first).toEqual([usual]);
    expect(findNiceness(pid)).toEqual([usual + 5]);
  }, 60_000);

  it('does so no longer when it has run for long', async () => {
    const { child, pid } = await startTwice({ times: { stableMs: 500 } });
    await whenSo(() => !findNiceness(pid).includes(usual + 5) || restored !== usual);
    expect(findNiceness(pid)).toEqual([restored]);
    expect(child.status).toMatchObject({ pid, state: 'running' });
  }, 60_000);

  it('does not where others need it to go on', async () => {
    const { pid } = await startTwice({ times: {}, config: { role: 'owner' } });
    expect(findNiceness(pid)).toEqual([usual]);
  }, 60_000);
});

describe('messages that end their worker, one after the other', () => {
  const env = { ENDS_WHEN_ASKED: 'yes' };
  const times = { atWorkMs: 0 };

  /** Asks it to end as soon as it is ready, so many times or until it is not started again. */
  async function endAgainAndAgain(count: number, more: Readonly<Record<string, string>> = {}) {
    const { child, heard } = supervise({
      times,
      env: { ...env, ...more },
      onCrashLoop: () => undefined,
    });
    await child.start({ once: true });
    const isIn = (state: typeof child.status.state): boolean => child.status.state === state;
    for (let ends = 1; ends <= count && !isIn('stopped'); ends += 1) {
      child.send({ type: 'inject', nodeId: 'a' });
      await whenSo(
        () =>
          isIn('stopped') ||
          (isIn('running') && child.status.restarts === ends && heard.at(-1) === 'pong'),
      );
    }
    return { state: child.status.state, restarts: child.status.restarts };
  }

  it('stop no flow where each of them is found and given up', async () => {
    expect(await endAgainAndAgain(12, { GIVES_UP_CULPRITS: 'yes' })).toEqual({
      state: 'running',
      restarts: 12,
    });
  }, 120_000);

  it('stop it where none of them is', async () => {
    expect(await endAgainAndAgain(12)).toEqual({ state: 'stopped', restarts: 8 });
  }, 120_000);
});

describe('a long step', () => {
  const guarded = { GUARDED_MS: '60000' };
  const ask = (child: SupervisedProcess): void => child.send({ type: 'inject', nodeId: 'a' });

  it('accuses its message where the process ends in it by its own doing, a second time', async () => {
    const env = { ...guarded, COMPUTES_WHEN_ASKED: '2000', ABORTS: 'yes' };
    const { child, culprits, heard } = supervise({ times: {}, env });
    const started = (times: number) =>
      whenSo(() => heard.filter((type) => type === 'ready').length === times);
    await child.start({ once: true });
    ask(child);
    await started(2);
    expect(child.status.lastEnd?.reason).toBe(
      'ended with SIGABRT in a long step of the node route',
    );
    expect(culprits()).toEqual([]);
    ask(child);
    await started(3);
    expect(culprits()).toEqual([
      { messageId: 'm1', nodeId: 'route', did: 'was in the same long step each of the two times' },
    ]);
  }, 60_000);

  it('accuses nobody where somebody else ends the process', async () => {
    const env = { ...guarded, COMPUTES_WHEN_ASKED: '60000' };
    const { child, culprits, heard } = supervise({ times: {}, env });
    await child.start({ once: true });
    for (const times of [2, 3]) {
      const { pid } = child.status;
      ask(child);
      const computed = (): number => readMainThread(pid!)?.usedMs ?? 0;
      const before = computed();
      await whenSo(() => computed() > before + 1_500);
      process.kill(pid!, 'SIGKILL');
      await whenSo(() => heard.filter((type) => type === 'ready').length === times);
    }
    expect(child.status.lastEnd?.reason).toBe('ended with SIGKILL');
    expect(culprits()).toEqual([]);
  }, 60_000);

  const itWhereAllowed = mayRaise() ? it : it.skip;

  itWhereAllowed(
    'stands behind everything else, and what comes after it does not',
    async () => {
      const env = { ...guarded, COMPUTES_WHEN_ASKED: '3000' };
      const { child } = supervise({ times: {}, env });
      await child.start({ once: true });
      const usual = os.getPriority();
      const areAll = (wanted: (niceness: number) => boolean) =>
        whenSo(() => findNiceness(child.status.pid).every(wanted));
      ask(child);
      await areAll((niceness) => niceness > usual);
      await areAll((niceness) => niceness === usual);
      expect(child.status.restarts).toBe(0);
    },
    60_000,
  );
});

describe('a process that is stopping', () => {
  it('finishes what it has, however silent it is meanwhile', async () => {
    const { child, lines, hasFinished } = supervise({
      times: { flowSilenceMs: 300, startTimeoutMs: 400 },
      env: { BLOCKED_AT_STOP: '1200' },
    });
    await child.start({ once: false });
    await whenSo(() => child.status.state === 'running');
    lines.length = 0;
    await child.stop();
    expect(hasFinished()).toBe(true);
    expect(lines).toEqual([]);
    expect(child.status.state).toBe('stopped');
  }, 60_000);

  it('is killed where it does not end within its bound, and not started again', async () => {
    const { child, lines, hasFinished } = supervise({
      times: { stopTimeoutMs: 300 },
      env: { BLOCKED_AT_STOP: '60000' },
    });
    await child.start({ once: true });
    await child.stop();
    expect(lines.map(({ text }) => text)).toEqual(['Killed, it did not stop.']);
    expect(hasFinished()).toBe(false);
    expect(child.status).toMatchObject({ state: 'stopped', restarts: 0 });
  }, 60_000);
});

describe('a process whose supervisor was killed', () => {
  it.each([
    ['ends by itself', {}],
    [
      'ends though it waits and does not turn',
      { BLOCKED_WHEN_ASKED: '600000', GUARDED_MS: '60000' },
    ],
    ['ends though it is in an endless loop', { SPINS_WHEN_ASKED: 'yes', GUARDED_MS: '300' }],
  ])(
    '%s',
    async (_, env) => {
      const folder = makeTempFolder('orphan');
      const supervisor = fork(path.join(import.meta.dirname, 'supervisor-process.ts'), {
        env: {
          PATH: process.env['PATH'],
          ...keptCode(),
          HILUM_DATA: folder,
          ENDED_FILE: path.join(folder, 'ended'),
          ...env,
        },
        execArgv: ['--disable-warning=ExperimentalWarning'],
      });
      const [pid] = (await once(supervisor, 'message')) as [number];
      expect(isAlive(pid)).toBe(true);
      supervisor.kill('SIGKILL');
      await whenSo(() => !isAlive(pid));
    },
    60_000,
  );
});

/** Whether the system allows a process to stand where it stood before. */
function mayRaise(): boolean {
  const probe = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 60_000)']);
  const usual = os.getPriority();
  try {
    os.setPriority(probe.pid!, usual + 1);
    os.setPriority(probe.pid!, usual);
    return true;
  } catch {
    return false;
  } finally {
    probe.kill();
  }
}

/** Of all threads of a process, each once. */
function findNiceness(pid: number | undefined): readonly number[] {
  const threads = readdirSync(`/proc/${pid}/task`).map(Number);
  return [...new Set(threads.map((thread) => os.getPriority(thread)))];
}

function toMs({ atMs }: Line): number {
  return atMs;
}
