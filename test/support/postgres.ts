import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { findFreePorts } from './ports.ts';
import { requireProgram } from './programs.ts';

/** A PostgreSQL server of this test's own, on loopback, with its own data and port. */
export interface PostgresServer {
  readonly port: number;
  /** Folder of pg_dump, psql and the like, of the server's version. */
  readonly programs: string;
  /** The process id of the running server. */
  readonly pid: number | undefined;
  /** Makes an empty database; its URL: `postgres://hilum:secret@127.0.0.1:PORT/NAME`. */
  createDatabase(): Promise<string>;
  /** SIGKILL to the server and all its processes, resolved when they are gone. */
  kill(): Promise<void>;
  /** Ends it in order, as an administrator does: connections are cut. */
  shutDown(): Promise<void>;
  /** Starts it again on the same data and port; resolves when it takes connections. */
  start(): Promise<void>;
  /** A server that follows this one and can take its place. */
  startStandby(): Promise<PostgresStandby>;
  /** Ends the server and removes the data. Idempotent. */
  stop(): Promise<void>;
}

interface PostgresStandby {
  readonly port: number;
  /** Makes it one that is written to. */
  promote(): void;
  stop(): Promise<void>;
}

const startTimeoutMs = 120_000;
const role = 'hilum';
const password = 'secret';

/**
 * Starts a private server that flushes every commit; resolves when it takes connections (3 to 15 s). It ends by `stop`
 * or when this process ends in whatever way.
 */
export async function startPostgres(): Promise<PostgresServer> {
  const program = requireProgram('postgres');
  if (program === undefined) throw new Error('postgres is not installed: use describeWith.');
  const programs = dirname(program);
  const [port = 0] = await findFreePorts(1);
  const folder = makeFolder();
  const data = join(folder, 'data');
  runAsServer(join(programs, 'initdb'), [
    ...['-D', data, '-U', role, '--auth=trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
  ]);
  appendFileSync(
    join(data, 'postgresql.conf'),
    [
      "listen_addresses = '127.0.0.1'",
      "unix_socket_directories = ''",
      'shared_buffers = 64MB',
      'max_connections = 60',
      'wal_level = replica',
      'hot_standby = on',
      '',
    ].join('\n'),
  );
  const server = new Server({ programs, folder, data, port });
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

const again = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

class Server implements PostgresServer {
  readonly port: number;
  readonly programs: string;
  readonly #folder: string;
  readonly #data: string;
  readonly #keeper: ChildProcess;
  readonly #standbys: Server[] = [];
  #process: ChildProcess | undefined;
  #databases = 0;
  #isStopped = false;

  constructor(options: {
    readonly programs: string;
    readonly folder: string;
    readonly data: string;
    readonly port: number;
  }) {
    this.programs = options.programs;
    this.port = options.port;
    this.#folder = options.folder;
    this.#data = options.data;
    this.#keeper = startKeeper(options.folder, options.data);
  }

  get pid(): number | undefined {
    return this.#isRunning ? this.#process?.pid : undefined;
  }

  async createDatabase(): Promise<string> {
    this.#databases += 1;
    const name = `test_${this.#databases}`;
    await this.#query(`CREATE DATABASE ${name}`);
    return `postgres://${role}:${password}@127.0.0.1:${this.port}/${name}`;
  }

  async start(): Promise<void> {
    if (this.#isRunning) throw new Error('The server is running already.');
    const deadline = Date.now() + startTimeoutMs;
    for (;;) {
      const words = await this.#tryToStart(deadline);
      if (words === undefined) return;
      // The helpers of one that was killed are groups of their own, and end a moment after it.
      if (!words.includes('pre-existing shared memory block') || Date.now() > deadline) {
        throw new Error(`PostgreSQL ended while starting:\n${words}`);
      }
      await again();
    }
  }

  /** Undefined when it takes questions; what it said where it has ended instead. */
  async #tryToStart(deadline: number): Promise<string | undefined> {
    // Detached: a Ctrl-C in the terminal is for the tests, which then end it.
    const child = spawn(
      join(this.programs, 'postgres'),
      ['-D', this.#data, '-p', String(this.port)],
      { ...asServer(), stdio: ['ignore', 'ignore', 'pipe'], detached: true },
    );
    child.unref();
    this.#process = child;
    let output = '';
    child.stderr.on(
      'data',
      (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000)),
    );
    (child.stderr as unknown as { unref(): void }).unref();
    const isReady = (): Promise<boolean> =>
      this.#query('SELECT 1').then(
        () => true,
        () => false,
      );
    for (;;) {
      if (child.exitCode !== null) return output;
      if (await isReady()) return undefined;
      if (Date.now() > deadline) throw new Error(`PostgreSQL was not ready in time:\n${output}`);
      await again();
    }
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child?.pid === undefined || !this.#isRunning) return;
    const gone = once(child, 'exit');
    child.ref();
    process.kill(child.pid, 'SIGKILL');
    await gone;
    rmSync(join(this.#data, 'postmaster.pid'), { force: true });
  }

  async shutDown(): Promise<void> {
    const child = this.#process;
    if (child === undefined || !this.#isRunning) return;
    const gone = once(child, 'exit');
    child.ref();
    child.kill('SIGINT');
    await gone;
  }

  async startStandby(): Promise<PostgresStandby> {
    const [port = 0] = await findFreePorts(1);
    const folder = makeFolder();
    const data = join(folder, 'data');
    runAsServer(join(this.programs, 'pg_basebackup'), [
      ...['-D', data, '-h', '127.0.0.1', '-p', String(this.port), '-U', role],
      ...['-R', '-X', 'stream', '--checkpoint=fast', '--no-sync'],
    ]);
    const standby = new Server({ programs: this.programs, folder, data, port });
    this.#standbys.push(standby);
    await standby.start();
    return {
      port,
      promote: () => {
        runAsServer(join(this.programs, 'pg_ctl'), ['promote', '-w', '-D', data]);
      },
      stop: () => standby.stop(),
    };
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    await Promise.all(this.#standbys.map((standby) => standby.stop()));
    await this.kill();
    const gone = once(this.#keeper, 'exit');
    this.#keeper.ref();
    this.#keeper.kill('SIGKILL');
    await gone;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  get #isRunning(): boolean {
    const child = this.#process;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  async #query(sql: string): Promise<void> {
    const { port } = this;
    const client = new pg.Client({ host: '127.0.0.1', port, user: role, database: 'postgres' });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query(sql);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

/** A folder that the user `postgres` has: the server does not run as root. */
function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hilum-postgres-'));
  chmodSync(folder, 0o700);
  const { uid, gid } = asServer();
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  return folder;
}

function runAsServer(program: string, args: readonly string[]): void {
  execFileSync(program, args, { ...asServer(), stdio: ['ignore', 'ignore', 'pipe'] });
}

let user: { readonly uid: number; readonly gid: number } | undefined;

/** Who runs the server: ourselves, unless we are root. */
function asServer(): {
  readonly uid?: number;
  readonly gid?: number;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
} {
  const rest = { cwd: tmpdir(), env: { PATH: process.env['PATH'], LANG: 'C.UTF-8' } };
  if (process.getuid?.() !== 0) return rest;
  const idOf = (flag: string): number =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  user ??= { uid: idOf('-u'), gid: idOf('-g') };
  return { ...rest, ...user };
}

/** Ends the server of this folder when its standard input closes: when this process is gone, by SIGKILL too. */
function startKeeper(folder: string, data: string): ChildProcess {
  const script = `
    read -r line
    pid=$(head -n 1 "$1/postmaster.pid" 2>/dev/null)
    if [ -n "$pid" ]; then kill -KILL "-$pid"; fi
    sleep 0.5
    rm -rf "$0"`;
  const keeper = spawn('sh', ['-c', script, folder, data], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  keeper.unref();
  (keeper.stdin as unknown as { unref(): void } | null)?.unref();
  return keeper;
}
