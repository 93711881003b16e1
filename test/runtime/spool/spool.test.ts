import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { OwnerClient } from '../../../connectors/sqlite/client.ts';
import type { Envelope } from '../../../core/envelope.ts';
import type { LedgerEntry, LedgerEventKind } from '../../../core/ports/ledger.ts';
import type { Logger } from '../../../core/ports/logger.ts';
import { asLedgerHere } from '../../../runtime/spool/ledger-here.ts';
import { adoptOrphans, openSpool } from '../../../runtime/spool/open-spool.ts';
import type { FileSpool } from '../../../runtime/spool/file-spool.ts';
import { OwnerFixture } from '../../connectors/sqlite/support.ts';
import { until } from '../../support/hilum.ts';
import { makeTempFolder } from '../../support/temp.ts';
import { buildMessage, silent } from '../owner.ts';

const patienceMs = 300;

const owner = new OwnerFixture();
let client: OwnerClient;
let spool: FileSpool | undefined;
let directory: string;

beforeAll(() => owner.start());
afterAll(() => owner.close());

beforeEach(async () => {
  directory = makeTempFolder('spool');
  client = await owner.connect();
});

afterEach(async () => {
  if (owner.pid === undefined) await owner.start();
  await spool?.close();
  spool = undefined;
  await owner.disconnect();
});

async function open(
  name = 'edge',
  { maxBytes = 1024 * 1024, logger = silent }: { maxBytes?: number; logger?: Logger } = {},
): Promise<FileSpool> {
  const settings = { directory, maxBytes, patienceMs };
  spool = await openSpool(name, { settings, ledger: client.ledger, logger });
  return spool;
}

async function bringOwnerBack(): Promise<void> {
  await owner.start();
  const answers = () =>
    client.ledger.counts().then(
      () => true,
      () => false,
    );
  await until(answers, Boolean, 10_000);
}

const born = (envelope: Envelope): LedgerEntry => ({ type: 'message', envelope });

/** Its process stands still: it keeps its connections and answers nothing. */
async function stopOwner(): Promise<void> {
  process.kill(owner.pid ?? 0, 'SIGSTOP');
  const state = () => readFileSync(`/proc/${owner.pid}/stat`, 'utf8').split(') ')[1]?.[0];
  await until(
    () => Promise.resolve(state()),
    (is) => is === 'T',
    5_000,
  );
}

/** In a queue of its interface. */
function event(envelope: Envelope, kind: LedgerEventKind, atMs = Date.now()): LedgerEntry {
  const at = new Date(atMs).toISOString();
  const queue = `in.${envelope.interface}`;
  return { type: 'event', event: { messageId: envelope.id, kind, at, queue } };
}

async function kindsOf({ id }: Envelope): Promise<readonly string[]> {
  return ((await client.ledger.trace(id))?.events ?? []).map(({ kind }) => kind);
}

async function countOf(interfaceId: string): Promise<number> {
  const counts = await client.ledger.counts();
  return counts
    .filter((each) => each.interface === interfaceId)
    .reduce((sum, each) => sum + each.count, 0);
}

describe('a spool for the ledger', () => {
  it('goes on while the ledger is away, and the ledger has everything once when it is back', async () => {
    const { record, forwarded } = bind(await open());
    const envelope = buildMessage('A1', { interface: 'away' });
    await record([born(envelope), event(envelope, 'received')]);
    await owner.kill();
    await record([event(envelope, 'queued')]);
    const changes = { messageId: envelope.id, text: 'as it was told' };
    await record([event(envelope, 'taken'), { type: 'changes', changes }]);
    expect(spool?.isSpooling).toBe(true);
    await bringOwnerBack();
    await forwarded();
    expect(spool?.isSpooling).toBe(false);
    expect(await client.ledger.changes(envelope.id)).toEqual(changes);
    await record([event(envelope, 'processed')]);
    expect(await kindsOf(envelope)).toEqual(['received', 'queued', 'taken', 'processed']);
    expect(await countOf('away')).toBe(4);
  });

  it('waits for a slow ledger no longer than its patience, and what that took late counts once', async () => {
    const { record, forwarded } = bind(await open());
    const envelopes = Array.from({ length: 20 }, (_, at) =>
      buildMessage(`S${at}`, { interface: 'slow' }),
    );
    await stopOwner();
    try {
      const since = performance.now();
      await Promise.all(envelopes.map((each) => record([born(each), event(each, 'received')])));
      expect(performance.now() - since).toBeLessThan(20 * patienceMs);
      await record(envelopes.map((each) => event(each, 'queued')));
    } finally {
      // It takes now what it was sent before, and again what was spooled since.
      process.kill(owner.pid ?? 0, 'SIGCONT');
    }
    await forwarded();
    for (const each of envelopes) expect(await kindsOf(each)).toEqual(['received', 'queued']);
    expect(await countOf('slow')).toBe(40);
  });

  it('loses nothing of what is durable when its process is killed: the next of its name forwards it', async () => {
    const envelope = buildMessage('K1', { interface: 'killed' });
    const child = await startProcess('edge');
    await owner.kill();
    await tellProcess(child, [born(envelope), event(envelope, 'received')]);
    await tellProcess(child, [event(envelope, 'queued')]);
    await kill(child);
    await bringOwnerBack();
    await (await open()).forwarded();
    expect(await kindsOf(envelope)).toEqual(['received', 'queued']);
    // Nothing is left of it: whoever opens it next forwards nothing again.
    await spool?.close();
    await (await open()).forwarded();
    expect(await countOf('killed')).toBe(2);
  });

  it('forwards what was forwarded in part before once', async () => {
    const envelope = buildMessage('P1', { interface: 'partly' });
    const child = await startProcess('edge');
    await owner.kill();
    await tellProcess(child, [born(envelope), event(envelope, 'received')]);
    await bringOwnerBack();
    // It is being forwarded, and perhaps stored, when its process ends before it has emptied the file.
    await until(
      () => countOf('partly'),
      (count) => count === 1,
      10_000,
    );
    await kill(child);
    await (await open()).forwarded();
    expect(await countOf('partly')).toBe(1);
  });

  it('waits, and says so, where it may spool no more, until the ledger is back', async () => {
    const lines: string[] = [];
    const logger: Logger = { ...silent, error: (_, message) => lines.push(message) };
    const { record, forwarded } = bind(await open('edge', { maxBytes: 2_000, logger }));
    const envelope = buildMessage('F1', { interface: 'full' });
    await record([born(envelope), event(envelope, 'received')]);
    await owner.kill();
    let isDone = false;
    const recording = Promise.all(
      Array.from({ length: 50 }, () => record([event(envelope, 'taken')])),
    ).then(() => (isDone = true));
    await until(
      () => Promise.resolve(lines.length),
      (count) => count > 0,
      10_000,
    );
    expect(lines).toEqual([expect.stringContaining('HILUM_SPOOL_MIB')]);
    expect(isDone).toBe(false);
    await bringOwnerBack();
    await recording;
    await forwarded();
    expect(await countOf('full')).toBe(51);
  });

  it('gives way to the ledger when that is back, also under load that never ceases', async () => {
    const envelope = buildMessage('L1', { interface: 'loaded' });
    await (await open()).record([born(envelope), event(envelope, 'received')]);
    // A process of its own: one that turns without a pause hears nothing, the clock of a test included.
    const child = fork(path.join(import.meta.dirname, 'loaded-process.ts'), [], processOptions);
    try {
      const hear = listen(child);
      child.send({
        ...{ socket: owner.socket, directory, name: 'loaded' },
        event: event(envelope, 'taken'),
      });
      await hear('ready', 10_000);
      await owner.kill();
      await hear('spooling', 10_000);
      await bringOwnerBack();
      await hear('forwarded', 20_000);
      const { durable } = await hear('done', 10_000);
      expect(await countOf('loaded')).toBe(1 + durable);
    } finally {
      await kill(child);
    }
  }, 60_000);

  it('rejects what no ledger takes, and goes on', async () => {
    const { record } = bind(await open());
    const envelope = buildMessage('R1', { interface: 'refused' });
    await expect(record([{ type: 'event', event: {} } as LedgerEntry])).rejects.toMatchObject({
      errorClass: 'permanent',
    });
    await record([born(envelope), event(envelope, 'received')]);
    expect(await kindsOf(envelope)).toEqual(['received']);
    expect(spool?.isSpooling).toBe(false);
  });
});

describe('the ledger as a process with a spool may ask it', () => {
  it('answers nothing while the process knows more than the ledger, and again when that has all', async () => {
    const opened = await open();
    const ledger = asLedgerHere(client.ledger, { isSpooling: () => opened.isSpooling, patienceMs });
    const envelope = buildMessage('G1');
    await opened.record([born(envelope), event(envelope, 'queued')]);
    expect((await ledger.states([envelope.id])).get(envelope.id)).toBe('queued');
    await owner.kill();
    await opened.record([event(envelope, 'delivered')]);
    const query = { interface: 'lab', controlId: 'G1', digest: '', since: envelope.receivedAt };
    for (const ask of [
      () => ledger.states([envelope.id]),
      () => ledger.parked({ queue: 'in.lab', limit: 1 }),
      () => ledger.readParked('in.lab', 'key', 1),
      () => ledger.changes('x'),
      () => ledger.findReceived([query]),
      () => ledger.trace(envelope.id),
    ]) {
      await expect(ask()).rejects.toMatchObject({ errorClass: 'transient' });
    }
    await bringOwnerBack();
    await opened.forwarded();
    expect((await ledger.states([envelope.id])).get(envelope.id)).toBe('delivered');
  });

  it('says in time that a stopped ledger does not answer', async () => {
    const opened = await open();
    const ledger = asLedgerHere(client.ledger, { isSpooling: () => opened.isSpooling, patienceMs });
    await stopOwner();
    try {
      await expect(ledger.states(['unknown'])).rejects.toMatchObject({ errorClass: 'transient' });
    } finally {
      process.kill(owner.pid ?? 0, 'SIGCONT');
    }
  });
});

describe('events of several processes', () => {
  it('leave a message where its last event by time has it, in whatever order they come to the ledger', async () => {
    const envelope = buildMessage('M1', { interface: 'many' });
    const now = Date.now();
    const edge = await open();
    await owner.kill();
    await edge.record([
      born(envelope),
      event(envelope, 'received', now),
      event(envelope, 'queued', now + 1),
    ]);
    await edge.close();
    spool = undefined;
    // The worker's come first: the edge's process has ended with its spool.
    await bringOwnerBack();
    await client.ledger.append([event(envelope, 'taken', now + 10)]);
    await client.ledger.append([event(envelope, 'failed', now + 20)]);
    await (await open()).forwarded();
    const stateOf = async () => (await client.ledger.states([envelope.id])).get(envelope.id);
    expect(await stateOf()).toBe('retrying');
    await client.ledger.append([event(envelope, 'processed', now + 30)]);
    expect(await stateOf()).toBe('processed');
    expect(await kindsOf(envelope)).toEqual(['received', 'queued', 'taken', 'failed', 'processed']);
    expect((await client.ledger.ages()).find((age) => age.queue === 'in.many')?.waiting ?? 0).toBe(
      0,
    );
  });

  it('that nobody runs any more are forwarded, and their files removed', async () => {
    const envelope = buildMessage('O1', { interface: 'orphan' });
    const running = await startProcess('worker kept');
    const child = await startProcess('worker gone/..');
    await owner.kill();
    await tellProcess(child, [born(envelope), event(envelope, 'received')]);
    await kill(child);
    await bringOwnerBack();
    const stopping = new AbortController();
    const adopting = adoptOrphans({
      settings: { directory, maxBytes: 1024 * 1024, patienceMs },
      ledger: client.ledger,
      logger: silent,
      isInUse: (name) => name === 'edge',
      stopping: stopping.signal,
    });
    await until(
      () => countOf('orphan'),
      (count) => count === 1,
      10_000,
    );
    const fileOf = (name: string) => path.join(directory, `${encodeURIComponent(name)}.spool`);
    await until(
      () => Promise.resolve(existsSync(fileOf('worker gone/..'))),
      (is) => !is,
      10_000,
    );
    // Whoever still runs keeps its own.
    expect(existsSync(fileOf('worker kept'))).toBe(true);
    stopping.abort();
    await adopting;
    await kill(running);
  });
});

function bind(opened: FileSpool) {
  return {
    record: (entries: readonly LedgerEntry[]) => opened.record(entries),
    forwarded: () => opened.forwarded(),
  };
}

const processOptions: ForkOptions = {
  serialization: 'advanced',
  execArgv: ['--disable-warning=ExperimentalWarning'],
};

/** What `loaded-process.ts` says: resolves with it when that was, or is, said. */
function listen(child: ChildProcess) {
  const said = new Map<string, { readonly durable: number }>();
  child.on('message', (message: { readonly is: string; readonly durable: number }) =>
    said.set(message.is, message),
  );
  return async (is: string, withinMs: number): Promise<{ readonly durable: number }> => {
    const heard = await until(() => Promise.resolve(said.get(is)), Boolean, withinMs);
    return heard ?? { durable: Number.NaN };
  };
}

async function startProcess(name: string): Promise<ChildProcess> {
  const child = fork(path.join(import.meta.dirname, 'spool-process.ts'), [], processOptions);
  child.send({ socket: owner.socket, directory, name });
  await once(child, 'message');
  return child;
}

async function tellProcess(child: ChildProcess, entries: readonly LedgerEntry[]): Promise<void> {
  const durable = once(child, 'message');
  child.send([...entries]);
  await durable;
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
