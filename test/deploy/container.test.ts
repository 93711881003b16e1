import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import express from 'express';
import { parse } from 'yaml';
import { buildHealthRouter } from '../../console/api/health.ts';
import { readSettings } from '../../runtime/settings.ts';

// No container engine runs where Hilum is developed: these tests read what the engine would be given.

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

const stages = readStages(read('Dockerfile'));
const last = stages.at(-1)!;
const find = (name: string): readonly string[] =>
  last.filter((instruction) => instruction.name === name).map(({ rest }) => rest);

/** What the last stage copies out of the first, as paths in the repository. */
const copied = find('COPY').flatMap((rest) =>
  rest
    .split(' ')
    .slice(1, -1)
    .map((source) => source.replace(/^\/app\//, '')),
);
const madeByTheBuild = ['node_modules', 'dist'];

const defaults = readSettings({});
if (!defaults.ok) throw new Error(defaults.problems.join('\n'));
const { port, mllpPort } = defaults.settings;

describe('Dockerfile', () => {
  it('builds in one stage and runs in another, on images pinned by tag', () => {
    expect(stages).toHaveLength(2);
    for (const [from] of stages) expect(from?.rest).toMatch(/^node:24[\w.-]*-slim( AS \w+)?$/);
  });

  it('copies only what exists, and nothing that .dockerignore keeps from the build', () => {
    const sources = copied.filter((source) => !madeByTheBuild.includes(source));
    expect(sources.length).toBeGreaterThan(8);
    expect(sources.filter((source) => !existsSync(path.join(root, source)))).toEqual([]);
    const ignored = readIgnored();
    expect(sources.filter((source) => ignored.includes(source.split('/')[0]!))).toEqual([]);
    for (const made of madeByTheBuild) {
      expect(copied).toContain(made);
      expect(ignored).toContain(made);
    }
  });

  it('keeps secrets and data out of the build', () => {
    expect(readIgnored()).toEqual(expect.arrayContaining(['.git', '.env', 'data']));
  });

  it('copies every file that the program imports, and installs every package', () => {
    const { dependencies } = JSON.parse(read('package.json')) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    const problems: string[] = [];
    for (const file of findSources()) {
      for (const specifier of readImports(read(file))) {
        if (specifier.startsWith('node:')) continue;
        if (specifier.startsWith('.')) {
          const target = path.join(path.dirname(file), specifier);
          if (!isCopied(target)) problems.push(`${file} imports ${target}, which is not copied`);
        } else if (!(toPackage(specifier) in dependencies)) {
          problems.push(`${file} imports ${specifier}, which is no dependency`);
        }
      }
    }
    expect(problems).toEqual([]);
  });

  it('copies every folder that the program reads from beside its package.json', () => {
    const named = findSources().flatMap((file) =>
      [...read(file).matchAll(/join\(\s*packageDirectory,\s*'([^'/]+)/g)].map((match) => match[1]!),
    );
    expect(named).toEqual(expect.arrayContaining(['dist', 'flows', 'mappings']));
    expect(named.filter((name) => !copied.includes(name))).toEqual([]);
  });

  it('has the programs that it runs', () => {
    const ran = findSources()
      .map(read)
      .filter((text) => text.includes('execFile'))
      .flatMap((text) => [...text.matchAll(/\brun\('([\w-]+)'/g)].map((match) => match[1]!));
    expect(ran).toContain('git');
    const installed = find('RUN').join('\n');
    for (const program of new Set(ran)) {
      expect(installed).toMatch(
        new RegExp(`apt-get install .*--no-install-recommends ${program}\\b`),
      );
    }
    expect(installed).toContain('rm -rf /var/lib/apt/lists/*');
  });

  it('runs any role that its environment names', () => {
    for (const role of ['edge', 'worker', 'console']) {
      const settings = readSettings({
        ...readEnvironment(),
        ...{ HILUM_ROLE: role, HILUM_GROUP: 'hot', RABBITMQ_URL: 'amqp://rabbitmq' },
        ...{ HILUM_LEDGER_URL: 'postgres://hilum@postgres/hilum', HILUM_CREDENTIAL_SECRET: 'x1' },
      });
      expect(settings.ok && settings.settings).toMatchObject({ role, group: 'hot' });
    }
  });

  it('runs as a user that is not root, who owns the data', () => {
    expect(find('USER')).toEqual(['node']);
    expect(find('RUN').join('\n')).toContain('chown node:node /data');
    // Nothing that needs root comes after it.
    const names = last.map(({ name }) => name);
    expect(names.lastIndexOf('RUN')).toBeLessThan(names.indexOf('USER'));
  });

  it('listens beyond loopback, keeps its data in a volume, and starts no demo partners', () => {
    const environment = readEnvironment();
    const settings = readSettings(environment);
    if (!settings.ok) throw new Error(settings.problems.join('\n'));
    expect(settings.settings).toMatchObject({
      bind: '0.0.0.0',
      demo: false,
      dataDirectory: '/data',
    });
    expect(find('VOLUME')).toEqual([environment['HILUM_DATA']]);
  });

  it('exposes the ports that Hilum listens on', () => {
    expect(find('EXPOSE')).toEqual([`${port} ${mllpPort}`]);
  });

  it('starts the program', () => {
    const command = JSON.parse(find('CMD').at(-1)!) as string[];
    expect(command).toEqual(['node', 'cli/main.ts', 'start']);
    expect(isCopied(command[1]!)).toBe(true);
  });

  it('checks its health where the program tells it', async () => {
    const app = express();
    app.use(buildHealthRouter({ timeoutMs: 1_000 } as Parameters<typeof buildHealthRouter>[0]));
    expect(await checkHealth(app)).toBe(0);
    expect(await checkHealth(express())).toBe(1);
  });

  it('counts a program that does not answer as ill', async () => {
    expect(await runHealthCheck(1)).toBe(1);
  });
});

describe('compose.yaml', () => {
  interface Service {
    readonly image?: string;
    readonly build?: string;
    readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
    readonly environment: Readonly<Record<string, string>>;
    readonly healthcheck?: { readonly test: readonly string[] };
    readonly ports?: readonly string[];
    readonly volumes?: readonly string[];
  }
  const text = read('compose.yaml');
  const compose = parse(text) as {
    readonly services: Readonly<Record<string, Service>>;
    readonly volumes: Readonly<Record<string, unknown>>;
  };
  const services = Object.entries(compose.services);

  it('runs Hilum, RabbitMQ with its management page, and PostgreSQL, pinned by tag', () => {
    expect(Object.keys(compose.services)).toEqual(['hilum', 'rabbitmq', 'postgres']);
    expect(compose.services['hilum']?.build).toBe('.');
    expect(compose.services['rabbitmq']?.image).toMatch(/^rabbitmq:\d.*-management/);
    expect(compose.services['postgres']?.image).toMatch(/^postgres:\d/);
  });

  it('is reached from this machine only, on the ports that Hilum listens on', () => {
    const published = services.flatMap(([, service]) => service.ports ?? []);
    expect(published.filter((each) => !each.startsWith('127.0.0.1:'))).toEqual([]);
    const inside = compose.services['hilum']?.ports?.map((each) => Number(each.split(':')[2]));
    expect(inside).toEqual([port, mllpPort]);
  });

  it('starts Hilum when RabbitMQ is healthy, and knows how to tell', () => {
    expect(compose.services['hilum']?.depends_on?.['rabbitmq']?.condition).toBe('service_healthy');
    for (const name of ['rabbitmq', 'postgres']) {
      expect(compose.services[name]?.healthcheck?.test.length).toBeGreaterThan(1);
    }
  });

  it('has no password of its own: each must be given, and its absence says where', () => {
    const passwords = services.flatMap(([, { environment }]) =>
      Object.entries(environment).filter(([name]) => /PASS|URL/.test(name)),
    );
    expect(passwords.length).toBeGreaterThan(2);
    for (const [name, value] of passwords) {
      if (name !== 'HILUM_EHR_URL') expect(value).toMatch(/\$\{\w+_PASSWORD:\?set it in \.env/);
    }
  });

  it('gives Hilum a URL of RabbitMQ that its settings take', () => {
    const url = compose.services['hilum']?.environment['RABBITMQ_URL']?.replace(/\$\{.*\}/, 'x1');
    const settings = readSettings({ RABBITMQ_URL: url });
    expect(settings.ok && settings.settings.rabbitmqUrl).toBe('amqp://hilum:x1@rabbitmq:5672');
  });

  it('keeps all data in named volumes', () => {
    const used = services.flatMap(([, service]) =>
      (service.volumes ?? []).map((volume) => volume.split(':')[0]),
    );
    expect(used).toEqual(Object.keys(compose.volumes));
    expect(compose.services['hilum']?.volumes).toEqual([
      `hilum-data:${readEnvironment()['HILUM_DATA'] ?? ''}`,
    ]);
  });
});

/** The instructions of each stage, lines joined and comments gone; each stage starts with its FROM. */
function readStages(dockerfile: string): readonly (readonly Instruction[])[] {
  const found: Instruction[][] = [];
  const joined = dockerfile.replace(/^\s*#.*\n/gm, '').replace(/\\\n/g, ' ');
  for (const line of joined.split('\n')) {
    const match = /^([A-Z]+)\s+(.*)$/.exec(line.trim());
    if (match === null) continue;
    const instruction = { name: match[1]!, rest: match[2]!.replace(/\s+/g, ' ') };
    if (instruction.name === 'FROM') found.push([]);
    found.at(-1)?.push(instruction);
  }
  return found;
}

function readEnvironment(): Record<string, string> {
  const pairs = find('ENV').join(' ').split(' ');
  return Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string]));
}

function readIgnored(): readonly string[] {
  return read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** TypeScript that runs as it is: not what is built into `dist`, where the browser's parts belong. */
function findSources(): readonly string[] {
  const folders = copied.filter((source) => !madeByTheBuild.includes(source));
  return folders
    .flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }))
    .filter((file) => !/^nodes\/(editor\/|.*\/editor\.ts$)/.test(file));
}

/** What a file imports when it runs: types are gone by then. */
function readImports(source: string): readonly string[] {
  const statements = source.matchAll(
    /^(?:import|export)\s+(?!type\b)(?:[^;'"]*?\sfrom\s+)?'([^']+)'/gm,
  );
  const calls = source.matchAll(/\bimport\('([^']+)'\)/g);
  return [...statements, ...calls].map((match) => match[1]!);
}

function isCopied(file: string): boolean {
  return (
    existsSync(path.join(root, file)) &&
    copied.some((source) => file === source || file.startsWith(`${source}/`))
  );
}

function toPackage(specifier: string): string {
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

/** The exit code of the image's health check against this program. */
async function checkHealth(app: express.Express): Promise<number | null> {
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await runHealthCheck((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function runHealthCheck(onPort: number): Promise<number | null> {
  const [program, ...args] = JSON.parse(
    find('HEALTHCHECK')[0]!.replace(/^.*? CMD /, ''),
  ) as string[];
  expect(program).toBe('node');
  const child = spawn(process.execPath, args, {
    env: { ...process.env, HILUM_PORT: String(onPort) },
    stdio: 'ignore',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}
