import { tmpdir, userInfo } from 'node:os';
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { LedgerAddress } from '../connectors/postgres/address.ts';
import { readAlarmSettings, type AlarmSettings } from './alarm/settings.ts';
import { readChangeBound } from './changes/bound.ts';
import { readLedgerAddress } from './ledger-settings.ts';
import { rabbitSecrets, readRabbitSettings, type RabbitSettings } from './rabbitmq-settings.ts';
import { readWorkerMemory } from './process/worker-memory.ts';
import { readRetentionSettings, type RetentionSettings } from './retention/policy.ts';

/** Where the lab results flow listens unless told otherwise; the port that HL7 has at IANA. */
export const defaultMllpPort = 2575;

/** Everything that can be set from outside, with its default. Read once, at start. */
export interface Settings {
  /** What this process is of an installation: everything, or one role in a container of its own. */
  readonly role: Role;
  /** Of a role `worker`: whose flows it runs. */
  readonly group: string;
  /** Folder of everything that must survive a restart; mode 0700. */
  readonly dataDirectory: string;
  /** Address of console, editor, listeners and demo partners. */
  readonly bind: string;
  /** Console and editor. */
  readonly port: number;
  /** What the flow file of lab results listens on. */
  readonly mllpPort: number;
  /** The demo EHR, and what the flow file of lab results sends to. */
  readonly ehrPort: number;
  /** The demo partner that receives MLLP. */
  readonly receiverPort: number;
  /** Whether the demo partners run. */
  readonly demo: boolean;
  /** RabbitMQ instead of the embedded broker; the hosts of one cluster with commas in between. */
  readonly rabbitmqUrl: string | undefined;
  /** PostgreSQL for the ledger instead of the data file; with RabbitMQ alone. */
  readonly ledger: LedgerAddress | undefined;
  /** What becomes of messages that come while RabbitMQ is away. */
  readonly brokerAway: 'refuse' | 'spool';
  readonly rabbitmq: RabbitSettings;
  /** The key of the flows' credentials, where the environment gives it. */
  readonly credentialSecret: string | undefined;
  readonly logLevel: LogLevel;
  /** Where alarms go, and what is one; without the address in every process but the first. */
  readonly alarm: AlarmSettings;
  /** How long messages are kept. */
  readonly retention: RetentionSettings;
  /** How many bytes of what a flow's nodes change are kept of each message, of interfaces that do not say; 0: nothing. */
  readonly changeBytes: number;
  /** So many messages may wait for a flow before its senders are kept to its pace; Infinity: any number. */
  readonly paceAbove: number;
  /** What one worker may hold in memory, of groups that do not say. */
  readonly workerMiB: number;
  /** So much processor time flows may use without turning before that counts as an endless loop, in milliseconds. */
  readonly loopMs: number;
  /** Types of nodes that flows may use although it is not known when they are done with a message. */
  readonly allowNodes: readonly string[];
  /** Folder of the flow files; made from the shipped ones where it does not exist. */
  readonly flowsDirectory: string;
  readonly mappingsDirectory: string;
  /** Where profiles are looked for by name, before those that are shipped. */
  readonly profilesDirectory: string;
  /** The mappings as they were deployed, a folder each. */
  readonly mappingVersions: string;
  /** The profiles as they were deployed, a file each. */
  readonly profileVersions: string;
  /** The revision that a role which runs apart ran last. */
  readonly lastRevisionFile: string;
  /** Not empty while a console that runs apart has deployed what it has not written to its files yet. */
  readonly filesBehindFile: string;
  /** There only while a deploy writes. */
  readonly deployJournal: string;
  /**
   * What `${NAME}` in a flow stands for, and the environment of every process: what Hilum was given, less
   * its own secrets, and the settings above by name.
   */
  readonly environment: Readonly<Record<string, string>>;
  readonly ownerSocket: string;
  readonly controlSocket: string;
  readonly databaseFile: string;
  /** Which queues are paused. */
  readonly pausedFile: string;
  /** Which interfaces are stopped. */
  readonly stoppedFile: string;
  /** What is decided about messages that are held for codes, and not carried out yet. */
  readonly heldDecisionsFile: string;
  /** A file for each replay of many messages. */
  readonly replaysDirectory: string;
  /** Which alarms stand, and what of them the receiver has not taken. */
  readonly alarmsFile: string;
  /** Compiled code, made again where it is missing. */
  readonly codeCacheDirectory: string;
  /** What each process keeps for the ledger while that is slow or away. */
  readonly spool: {
    readonly directory: string;
    readonly maxBytes: number;
    readonly patienceMs: number;
  };
}

const roles = ['all', 'edge', 'worker', 'console'] as const;
type Role = (typeof roles)[number];

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
type LogLevel = (typeof logLevels)[number];

/** The folder that holds package.json: shipped flows, mappings and the built nodes are below it. */
export const packageDirectory = path.resolve(import.meta.dirname, '..');

/** The mappings that come with Hilum. */
export const shippedMappings = path.join(packageDirectory, 'mappings');

/** The profiles that come with Hilum. */
export const shippedProfiles = path.join(packageDirectory, 'profiles');

/** Node-RED's own folder of the editor. */
export function editorDirectory({ dataDirectory }: Settings): string {
  return path.join(dataDirectory, 'editor');
}

/** Node-RED's own folder of a worker. */
export function workerDirectory({ dataDirectory }: Settings, group: string): string {
  return path.join(dataDirectory, 'workers', encodeURIComponent(group).replaceAll('.', '%2E'));
}

/** The settings, or every reason why there are none, a line each. */
export type SettingsResult =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Reads the settings from environment variables: `HILUM_DATA`, `HILUM_BIND`, `HILUM_PORT`,
 * `HILUM_MLLP_PORT`, `HILUM_EHR_PORT`, `HILUM_RECEIVER_PORT`, `HILUM_DEMO` (on, off), `RABBITMQ_…`,
 * `HILUM_LEDGER_URL`, `HILUM_LOG` (level), `HILUM_FLOWS`, `HILUM_MAPPINGS`, `HILUM_PROFILES`, `HILUM_ALLOW_NODES` (types, joined by commas),
 * `HILUM_SPOOL_MIB`, `HILUM_BROKER_AWAY` (refuse, spool), `HILUM_CHANGES` (KiB, off), `HILUM_PACE_ABOVE` (messages, off),
 * `HILUM_WORKER_MEMORY` (MiB), `HILUM_LOOP_SECONDS` (seconds of processor time),
 * and those of alarms ({@link readAlarmSettings}) and of retention ({@link readRetentionSettings}). All problems at once.
 */
export function readSettings(env: Readonly<NodeJS.ProcessEnv>): SettingsResult {
  const problems: string[] = [];
  const port = (name: string, otherwise: number): number => {
    const text = env[name];
    if (text === undefined || text === '') return otherwise;
    const value = Number(text);
    if (!/^\d{1,5}$/.test(text) || value < 1 || value > 65535) {
      problems.push(`${name}: expected a port from 1 to 65535, found "${text}".`);
    }
    return value;
  };
  const choice = <T extends string>(name: string, choices: readonly T[], otherwise: T): T => {
    const text = env[name];
    if (text === undefined || text === '') return otherwise;
    const found = choices.find((each) => each === text);
    if (found === undefined)
      problems.push(`${name}: expected ${choices.join(' or ')}, found "${text}".`);
    return found ?? otherwise;
  };
  const bind = env['HILUM_BIND'] || '127.0.0.1';
  const dataDirectory = path.resolve(env['HILUM_DATA'] || 'data');
  const ports = {
    port: port('HILUM_PORT', 1880),
    mllpPort: port('HILUM_MLLP_PORT', defaultMllpPort),
    ehrPort: port('HILUM_EHR_PORT', 8103),
    receiverPort: port('HILUM_RECEIVER_PORT', 2576),
  };
  const demo = choice('HILUM_DEMO', ['on', 'off'], 'on') === 'on';
  problems.push(...findSharedPorts(ports, demo));
  const role = choice('HILUM_ROLE', roles, 'all');
  if (role !== 'all') problems.push(...findMissingOfRole(env));
  const rabbitmq = readRabbitSettings(env, problems);
  const ledger = readLedgerAddress(env, problems);
  const brokerAway = choice('HILUM_BROKER_AWAY', ['refuse', 'spool'], 'refuse');
  const spoolMiB = readSpoolMiB(env['HILUM_SPOOL_MIB'], problems);
  const logLevel = choice('HILUM_LOG', logLevels, 'info');
  const paceAbove = readPaceAbove(env['HILUM_PACE_ABOVE'], problems);
  const loopMs = readLoopSeconds(env['HILUM_LOOP_SECONDS'], problems) * 1000;
  const alarm = readAlarmSettings(env);
  const retention = readRetentionSettings(env);
  const changes = readChangeBound((name) => env[name]);
  const memory = readWorkerMemory((name) => env[name]);
  problems.push(...alarm.problems, ...retention.problems, ...changes.problems, ...memory.problems);
  if (problems.length > 0) return { ok: false, problems };

  const sockets = socketDirectory(dataDirectory);
  return {
    ok: true,
    settings: {
      role,
      group: env['HILUM_GROUP'] || 'default',
      dataDirectory,
      bind,
      ...ports,
      demo,
      rabbitmqUrl: rabbitmq?.url,
      rabbitmq: {
        access: rabbitmq?.access ?? {},
        metricsUrls: rabbitmq?.metricsUrls ?? [],
      },
      ledger,
      brokerAway,
      credentialSecret: env['HILUM_CREDENTIAL_SECRET'] || undefined,
      logLevel,
      alarm: alarm.settings,
      retention: retention.settings,
      changeBytes: changes.maxBytes,
      paceAbove,
      workerMiB: memory.maxMiB,
      loopMs,
      allowNodes: toList(env['HILUM_ALLOW_NODES'] ?? ''),
      flowsDirectory: path.resolve(env['HILUM_FLOWS'] || path.join(dataDirectory, 'flows')),
      mappingsDirectory: path.resolve(env['HILUM_MAPPINGS'] || shippedMappings),
      profilesDirectory: path.resolve(env['HILUM_PROFILES'] || shippedProfiles),
      mappingVersions: path.join(dataDirectory, 'mappings'),
      profileVersions: path.join(dataDirectory, 'profiles'),
      lastRevisionFile: path.join(dataDirectory, 'last-revision.json'),
      filesBehindFile: path.join(dataDirectory, 'files-behind.json'),
      deployJournal: path.join(dataDirectory, 'deploy-journal.json'),
      environment: buildEnvironment(env, ports),
      ownerSocket: path.join(sockets, 'owner.sock'),
      controlSocket: path.join(sockets, 'hilum.sock'),
      databaseFile: path.join(dataDirectory, 'hilum.db'),
      pausedFile: path.join(dataDirectory, 'paused-queues.json'),
      stoppedFile: path.join(dataDirectory, 'stopped-interfaces.json'),
      heldDecisionsFile: path.join(dataDirectory, 'held-decisions.json'),
      replaysDirectory: path.join(dataDirectory, 'replays'),
      alarmsFile: path.join(dataDirectory, 'alarms.json'),
      codeCacheDirectory: path.join(dataDirectory, 'code-cache'),
      spool: {
        directory: path.join(dataDirectory, 'spool'),
        maxBytes: spoolMiB * 1024 * 1024,
        patienceMs: spoolPatienceMs,
      },
    },
  };
}

/** An hour of some twenty messages a second, a few kilobytes each, for one process. */
const usualSpoolMiB = 1_024;
/** Longer than the ledger takes under load; shorter than any sender's patience. */
const spoolPatienceMs = 3_000;

function readSpoolMiB(text: string | undefined, problems: string[]): number {
  if (text === undefined || text === '') return usualSpoolMiB;
  if (!/^[1-9]\d{0,6}$/.test(text)) {
    problems.push(`HILUM_SPOOL_MIB: expected a whole number of MiB from 1 on, found "${text}".`);
  }
  return Number(text);
}

/** Bursts come in at full speed; beyond, what comes in would take the time that the flow needs. */
const usualPaceAbove = 30_000;

function readPaceAbove(text: string | undefined, problems: string[]): number {
  if (text === undefined || text === '') return usualPaceAbove;
  if (text === 'off') return Infinity;
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    problems.push(
      `HILUM_PACE_ABOVE: expected a whole number of messages from 1 on, or off, found "${text}".`,
    );
  }
  return Number(text);
}

/** Mapping a message of 1 MB with 17,000 observations takes 3 s on a slow processor. */
const usualLoopSeconds = 5;

function readLoopSeconds(text: string | undefined, problems: string[]): number {
  if (text === undefined || text === '') return usualLoopSeconds;
  if (!/^[1-9]\d{0,3}$/.test(text)) {
    problems.push(
      `HILUM_LOOP_SECONDS: expected a whole number of seconds from 1 to 9999, found "${text}".`,
    );
  }
  return Number(text);
}

/** The entries of a list joined by commas; a type may have a blank inside: `tcp request,my node`. */
function toList(text: string): readonly string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function findSharedPorts(ports: Readonly<Record<string, number>>, demo: boolean): string[] {
  const names: Record<string, string> = {
    port: 'HILUM_PORT',
    mllpPort: 'HILUM_MLLP_PORT',
    ehrPort: 'HILUM_EHR_PORT',
    receiverPort: 'HILUM_RECEIVER_PORT',
  };
  const used = new Map<number, string>();
  const problems: string[] = [];
  for (const [key, port] of Object.entries(ports)) {
    if (!demo && (key === 'ehrPort' || key === 'receiverPort')) continue;
    const name = names[key] ?? key;
    const other = used.get(port);
    if (other !== undefined)
      problems.push(`${name}: port ${port} is ${other} already; choose another.`);
    used.set(port, name);
  }
  return problems;
}

/** What roles that run apart must share. */
function findMissingOfRole(env: Readonly<NodeJS.ProcessEnv>): readonly string[] {
  const needed = {
    RABBITMQ_URL: 'roles that run apart share one broker',
    HILUM_LEDGER_URL: 'they share one ledger, and what is deployed',
    HILUM_CREDENTIAL_SECRET: 'each of them reads what another has encrypted',
  };
  return Object.entries(needed)
    .filter(([name]) => !env[name])
    .map(([name, why]) => `${name}: expected with HILUM_ROLE, found nothing: ${why}.`);
}

/** A flow can read its process's environment: what is not for flows does not stand there. */
const ownSecrets: ReadonlySet<string> = new Set([
  ...rabbitSecrets,
  'HILUM_LEDGER_URL',
  'HILUM_CREDENTIAL_SECRET',
  'HILUM_ALARM_URL',
  'HILUM_ALARM_TOKEN',
]);

function buildEnvironment(
  env: Readonly<NodeJS.ProcessEnv>,
  ports: { readonly mllpPort: number; readonly ehrPort: number; readonly receiverPort: number },
): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !ownSecrets.has(name)) environment[name] = value;
  }
  environment['HILUM_MLLP_PORT'] = String(ports.mllpPort);
  environment['HILUM_EHR_PORT'] = String(ports.ehrPort);
  environment['HILUM_EHR_URL'] ||= `http://127.0.0.1:${ports.ehrPort}/fhir/R4`;
  environment['HILUM_RECEIVER_PORT'] = String(ports.receiverPort);
  return environment;
}

/** A Unix socket's path may have about 100 bytes: a deep data folder gets its sockets in the temporary folder. */
function socketDirectory(dataDirectory: string): string {
  const beside = path.join(dataDirectory, 'run');
  if (Buffer.byteLength(path.join(beside, 'owner.sock')) <= 100) return beside;
  const name = createHash('sha256').update(dataDirectory).digest('hex').slice(0, 16);
  return path.join(tmpdir(), `hilum-${userInfo().uid}-${name}`);
}
