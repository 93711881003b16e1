import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { openPortMapper, type PortMapper, type Registry } from './epmd.ts';
import { findFreePorts } from './ports.ts';
import { requireProgram } from './programs.ts';
import { end, isRunning, keep, startKeeper, untilReady } from './rabbitmq-process.ts';
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** One node of a cluster of this test's own. */
export interface RabbitNode {
  /** `hilum20001@localhost`. */
  readonly name: string;
  /** `amqp://guest:guest@127.0.0.1:PORT`. */
  readonly url: string;
  /** The process id of the running node. */
  readonly pid: number | undefined;
  /** SIGKILL to its own process, resolved when that is gone. */
  kill(): Promise<void>;
  /** An orderly shutdown, as before an upgrade; resolved when it is gone. */
  shutDown(): Promise<void>;
  /** Starts it again on its data; resolves when it takes connections. */
  start(): Promise<void>;
  ctl(...args: readonly string[]): Promise<string>;
  /** What lies between it and the other nodes. Clients reach it all the same. */
  readonly network: {
    /** Resets every connection with the others and every new one. */
    cut(): void;
    /** Nothing passes, and nobody is told. */
    stall(): void;
    restore(): void;
  };
}

/** Three nodes on loopback, with their data, ports, cookie and port mappers of their own. */
export interface RabbitCluster {
  readonly nodes: readonly RabbitNode[];
  /** Of all nodes, with commas in between. */
  readonly url: string;
  /** Where each quorum queue has its leader and its members, by the names of the nodes. */
  queues(): Promise<readonly QueueMembers[]>;
  stop(): Promise<void>;
}

export interface QueueMembers {
  readonly name: string;
  readonly leader: string;
  readonly members: readonly string[];
  readonly online: readonly string[];
}

const count = 3;
/** A node that says nothing counts as gone after as long, in place of a minute. */
const netTickSeconds = 8;

/**
 * Starts a cluster of three nodes; resolves when all of them take connections (half a minute or more). It ends, with
 * its folder, by `stop` or when this process ends in whatever way.
 */
export async function startRabbitCluster(): Promise<RabbitCluster> {
  const program = requireProgram('rabbitmq-server');
  if (program === undefined) throw new Error('rabbitmq-server is not installed: use describeWith.');
  const folder = mkdtempSync(join(tmpdir(), 'hilum-rabbitmq-'));
  const keeper = startKeeper(folder);
  const ports = await findFreePorts(2 * count);
  const addresses = Array.from({ length: count }, (_, at) => ({
    short: `hilum${ports[at] ?? 0}`,
    port: ports[at] ?? 0,
    distPort: ports[count + at] ?? 0,
  }));
  const network = await openNetwork(addresses);
  const nodes = addresses.map((address, at) =>
    buildNode({
      ...{ folder, program, keeper, address },
      epmdPort: network.mapperPort(at),
      names: addresses.map(({ short }) => `${short}@localhost`),
      between: network.between(at),
    }),
  );
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    await Promise.all(nodes.map((node) => node.kill()));
    await network.close();
    await end(keeper);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    nodes,
    url: nodes.map(({ url }) => url).join(','),
    async queues() {
      const up = nodes.find((node) => node.isRunning());
      const columns = ['name', 'leader', 'members', 'online'];
      const listed = await up?.ctl('--quiet', 'list_queues', '--formatter', 'json', ...columns);
      return JSON.parse(listed ?? '[]') as readonly QueueMembers[];
    },
    stop,
  };
}

interface Address {
  readonly short: string;
  readonly port: number;
  readonly distPort: number;
}

/** A proxy for each way from one node to another, which the port mapper of the one gives as the port of the other. */
async function openNetwork(addresses: readonly Address[]): Promise<{
  mapperPort(at: number): number;
  between(at: number): readonly TcpProxy[];
  close(): Promise<void>;
}> {
  const registry: Registry = new Map();
  const ways: { from: number; to: number; proxy: TcpProxy }[] = [];
  const mappers: PortMapper[] = [];
  for (const from of addresses.keys()) {
    for (const [to, { distPort }] of addresses.entries()) {
      if (from !== to) ways.push({ from, to, proxy: await openTcpProxy({ port: distPort }) });
    }
    const portOf = (name: string): number | undefined => {
      const to = addresses.findIndex(({ short }) => short === name);
      return from === to
        ? addresses[to]?.distPort
        : ways.find((way) => way.from === from && way.to === to)?.proxy.port;
    };
    mappers.push(await openPortMapper(registry, portOf));
  }
  return {
    mapperPort: (at) => mappers[at]?.port ?? 0,
    between: (at) =>
      ways.filter(({ from, to }) => from === at || to === at).map(({ proxy }) => proxy),
    async close() {
      await Promise.all([
        ...mappers.map((mapper) => mapper.close()),
        ...ways.map(({ proxy }) => proxy.close()),
      ]);
    },
  };
}

function buildNode(options: {
  readonly folder: string;
  readonly program: string;
  readonly keeper: ChildProcess;
  readonly address: Address;
  readonly epmdPort: number;
  readonly names: readonly string[];
  readonly between: readonly TcpProxy[];
}): RabbitNode & { isRunning(): boolean } {
  const { program, keeper, address, between } = options;
  const env = buildEnvironment(options);
  let server: ChildProcess | undefined;
  const gone = (): Promise<void> =>
    new Promise((resolve) => {
      if (server === undefined || !isRunning(server)) resolve();
      else server.once('exit', () => resolve());
    });
  return {
    name: `${address.short}@localhost`,
    url: `amqp://guest:guest@127.0.0.1:${address.port}`,
    isRunning: () => isRunning(server),
    get pid() {
      return isRunning(server) ? server?.pid : undefined;
    },
    kill: () => end(server),
    async shutDown() {
      server?.ref();
      server?.kill('SIGTERM');
      await gone();
    },
    async start() {
      if (isRunning(server)) throw new Error(`${address.short} is running already.`);
      server = spawn(program, [], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
      keep(keeper, server);
      await untilReady(server);
    },
    async ctl(...args) {
      const path = join(dirname(program), 'rabbitmqctl');
      const { stdout } = await promisify(execFile)(path, args, { env });
      return stdout;
    },
    network: {
      cut: () => between.forEach((proxy) => proxy.refuse()),
      stall: () => between.forEach((proxy) => proxy.stall()),
      restore: () => between.forEach((proxy) => proxy.restore()),
    },
  };
}

function buildEnvironment({
  folder,
  address: { short, port, distPort },
  epmdPort,
  names,
}: {
  readonly folder: string;
  readonly address: Address;
  readonly epmdPort: number;
  readonly names: readonly string[];
}): NodeJS.ProcessEnv {
  const home = join(folder, short);
  mkdirSync(home);
  // One cookie for all of them: that of the folder.
  writeFileSync(join(home, '.erlang.cookie'), folder.replace(/\W/g, ''), { mode: 0o400 });
  writeFileSync(join(home, 'plugins'), '[].');
  writeFileSync(
    join(home, 'rabbitmq.conf'),
    [
      `listeners.tcp.1 = 127.0.0.1:${port}`,
      'cluster_formation.peer_discovery_backend = classic_config',
      ...names.map((name, at) => `cluster_formation.classic_config.nodes.${at + 1} = ${name}`),
      // As docs/operate.md recommends: those that are cut off serve nobody, and join again by themselves.
      'cluster_partition_handling = pause_minority',
      'queue_leader_locator = balanced',
      'log.file.level = warning',
      'raft.wal_max_size_bytes = 67108864',
      '',
    ].join('\n'),
  );
  writeFileSync(
    join(home, 'advanced.config'),
    '[{rabbit, [{dead_letter_worker_publisher_confirm_timeout, 5000}]}].',
  );
  return {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    HOME: home,
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `${short}@localhost`,
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_MNESIA_BASE: join(home, 'data'),
    RABBITMQ_LOG_BASE: join(home, 'log'),
    RABBITMQ_CONFIG_FILE: join(home, 'rabbitmq'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(home, 'advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(home, 'plugins'),
    RABBITMQ_PID_FILE: join(home, 'pid'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: [
      '-kernel inet_dist_use_interface {127,0,0,1}',
      `-kernel net_ticktime ${netTickSeconds}`,
      '-start_epmd false',
      '+sbwt none +sbwtdcpu none +sbwtdio none',
    ].join(' '),
    // The start script then becomes the server instead of waiting for it: its pid is the server's.
    RUNNING_UNDER_SYSTEMD: 'true',
  };
}
