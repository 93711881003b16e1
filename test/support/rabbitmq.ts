import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePorts } from './ports.ts';
import { requireProgram } from './programs.ts';
import { end, isRunning, keep, startKeeper, untilReady } from './rabbitmq-process.ts';

/** A RabbitMQ server of this test's own, on loopback, with its own data, ports, cookie and epmd. */
export interface RabbitServer {
  /** `amqp://guest:guest@127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** Of its Prometheus endpoint, where it was started with that. */
  readonly metricsUrl: string;
  /** The process id of the running server. */
  readonly pid: number | undefined;
  /** SIGKILL, resolved when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port; resolves when it takes connections. */
  start(): Promise<void>;
  /** Runs rabbitmqctl against it, for alarms and the like; the output. */
  ctl(...args: readonly string[]): Promise<string>;
  /** Ends the server and its epmd and removes the data. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts a private server without plugins but for `rabbitmq_prometheus` where that is asked for; resolves when it takes connections (5 to 30 s). It ends, with
 * its epmd and its folder, by `stop` or when this process ends in whatever way.
 */
export async function startRabbit({
  withMetrics = false,
}: { readonly withMetrics?: boolean } = {}): Promise<RabbitServer> {
  const program = requireProgram('rabbitmq-server');
  if (program === undefined) throw new Error('rabbitmq-server is not installed: use describeWith.');
  const folder = mkdtempSync(join(tmpdir(), 'hilum-rabbitmq-'));
  const [port = 0, distPort = 0, epmdPort = 0, metricsPort = 0] = await findFreePorts(4);
  const env = buildEnvironment({
    folder,
    port,
    distPort,
    epmdPort,
    ...(withMetrics ? { metricsPort } : {}),
  });

  const keeper = startKeeper(folder);
  const epmd = spawn('epmd', ['-port', String(epmdPort), '-address', '127.0.0.1'], {
    env,
    stdio: 'ignore',
  });
  keep(keeper, epmd);
  let server: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    if (isRunning(server)) throw new Error('The server is running already.');
    // Detached: a Ctrl-C in the terminal is for the tests, which then end it.
    server = spawn(program, [], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    keep(keeper, server);
    await untilReady(server);
  };
  const kill = async (): Promise<void> => {
    await end(server);
  };
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    await Promise.all([end(server), end(epmd)]);
    await end(keeper);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };

  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    port,
    metricsUrl: `http://127.0.0.1:${metricsPort}`,
    get pid() {
      return isRunning(server) ? server?.pid : undefined;
    },
    kill,
    start,
    async ctl(...args) {
      const path = join(dirname(program), 'rabbitmqctl');
      const { stdout } = await promisify(execFile)(path, args, { env });
      return stdout;
    },
    stop,
  };
}

function buildEnvironment(server: {
  readonly folder: string;
  readonly port: number;
  readonly distPort: number;
  readonly epmdPort: number;
  readonly metricsPort?: number;
}): NodeJS.ProcessEnv {
  const { folder, port, distPort, epmdPort, metricsPort } = server;
  const home = join(folder, 'home');
  mkdirSync(home);
  writeFileSync(join(home, '.erlang.cookie'), `hilum${port}`, { mode: 0o400 });
  writeFileSync(
    join(folder, 'plugins'),
    metricsPort === undefined ? '[].' : '[rabbitmq_prometheus].',
  );
  writeFileSync(
    join(folder, 'rabbitmq.conf'),
    [
      `listeners.tcp.1 = 127.0.0.1:${port}`,
      ...(metricsPort === undefined
        ? []
        : ['prometheus.tcp.ip = 127.0.0.1', `prometheus.tcp.port = ${metricsPort}`]),
      'log.file.level = warning',
      // The default of 512 MB of log in memory is for servers with one big queue.
      'raft.wal_max_size_bytes = 67108864',
      '',
    ].join('\n'),
  );
  // A message that expires while its target is still starting is sent on again after this; the default
  // of three minutes is longer than a test waits. docs/operate.md recommends it to operators too.
  writeFileSync(
    join(folder, 'advanced.config'),
    '[{rabbit, [{dead_letter_worker_publisher_confirm_timeout, 5000}]}].',
  );
  return {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    HOME: home,
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `hilum${port}@localhost`,
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, 'advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none',
    // The start script then becomes the server instead of waiting for it: its pid is the server's.
    RUNNING_UNDER_SYSTEMD: 'true',
  };
}
