import type { ControlStatus, Problem } from '../console/api/control.ts';
import type { FlowNode } from '../core/interface.ts';
import type { Logger } from '../core/ports/logger.ts';
import { Administrator } from './admin/administrator.ts';
import { PausedQueues } from './admin/paused-queues.ts';
import { AlarmWatch } from './alarm/watch.ts';
import { toWatched } from './alarm/watched.ts';
import { openStores, type Stores } from './broker.ts';
import { Condition } from './condition.ts';
import { startConsole, type ConsoleServer } from './console/server.ts';
import { prepareNodeRed, readCredentialSecret } from './data-directory.ts';
import { compileFlows, type Compiled } from './deploy/definitions.ts';
import { findGroups, findTabs, selectGroup } from './deploy/groups.ts';
import { readFlows } from './deploy/storage.ts';
import { toStatuses } from './endpoint-status.ts';
import { newId } from './ids.ts';
import { adoptOrphans } from './spool/open-spool.ts';
import type { EndpointState, FromChild, RoleConfig } from './process/messages.ts';
import { findWorkerMemory } from './process/worker-memory.ts';
import { SupervisedProcess } from './process/supervised.ts';
import { replay } from './replay/replay.ts';
import { ReplayRuns } from './replay/runs.ts';
import { Retention } from './retention/retention.ts';
import type { QuickEnd } from './supervision/crash-loop.ts';
import { GroupWorkers } from './supervision/group-workers.ts';
import { FlowControl } from './supervision/flow-control.ts';
import { editorDirectory, workerDirectory, type Settings } from './settings.ts';

interface Options {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly version: string;
}

/**
 * Hilum on one machine, on a data folder that is prepared: a supervisor that holds console and editor, and beside it the owner of the
 * ledger and the embedded broker, the edge, a worker for every group of flows, and the demo partners.
 */
export class Hilum {
  readonly #options: Options;
  readonly #helpers: SupervisedProcess[] = [];
  readonly #workers: GroupWorkers;
  readonly #endpoints = new Map<string, EndpointState>();
  readonly #condition: Condition;
  #edge: SupervisedProcess | undefined;
  #stores: Stores | undefined;
  #console: ConsoleServer | undefined;
  #paused: PausedQueues | undefined;
  #replays: ReplayRuns | undefined;
  #alarms: AlarmWatch | undefined;
  #retention: Retention | undefined;
  readonly #flowControl: FlowControl;
  #credentialSecret = '';
  #flows: readonly FlowNode[] = [];
  #compiled: Compiled = {
    definitions: { listeners: [], senders: [], queues: [] },
    issues: [],
    alarmLimits: new Map(),
    retention: new Map(),
  };
  #deploying: Promise<void> = Promise.resolve();
  #stopping = false;
  /** What ended processes left for the ledger is taken to it. */
  #adopting: Promise<void> | undefined;
  readonly #orphansStopping = new AbortController();

  constructor(options: Options) {
    this.#options = options;
    const { rabbitmqUrl, brokerAway } = options.settings;
    this.#condition = new Condition({
      broker: rabbitmqUrl === undefined ? 'embedded' : 'rabbitmq',
      isSpooled: brokerAway === 'spool',
      clock: Date.now,
    });
    this.#flowControl = new FlowControl({
      logger: options.logger,
      clock: Date.now,
      flows: () => this.#flows,
      onChange: () => this.#rearrange(),
    });
    this.#workers = new GroupWorkers({
      flows: () => this.#flowControl.flows,
      make: (group, name) => this.#makeWorker(group, name),
      onGone: (name) => {
        this.#condition.forget(name);
      },
    });
  }

  /** Resolves when everything runs. Rejects, with everything stopped again, when a part cannot start. */
  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const { settings, logger } = this.#options;
    this.#credentialSecret = await readCredentialSecret(settings);
    this.#paused = await PausedQueues.open(settings.pausedFile);
    await this.#flowControl.open(settings.stoppedFile);
    await this.#startHelper('owner');
    const demo = settings.demo ? this.#startHelper('demo') : undefined;
    // Whoever awaits it below hears of a failure; until then it must not count as unhandled.
    demo?.catch(() => undefined);
    this.#stores = await openStores(settings, logger, {
      onState: (state) => this.#condition.connection('console', state),
    });
    this.#flows = await readFlows(settings.flowsDirectory);
    this.#compiled = this.#compile(this.#flows);
    for (const issue of this.#compiled.issues) {
      logger.error({ node: issue.location, code: issue.code }, issue.message);
    }
    await this.#declareQueues(this.#stores);
    await Promise.all([demo, this.#workers.start(), this.#startConsole()]);
    // Last: whoever finds a listener open finds its flow ready as well.
    await this.#startEdge();
    this.#alarms?.start();
    this.#retention?.start();
    this.#adopting = adoptOrphans({
      ...this.#options,
      settings: settings.spool,
      ledger: this.#stores.ledger,
      isInUse: (name) => name === 'edge' || this.#workers.has(name),
      stopping: this.#orphansStopping.signal,
    });
  }

  /** Stops taking messages, finishes those under way, ends every process. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#flowControl.close();
    this.#orphansStopping.abort();
    await this.#adopting;
    await this.#console?.stop();
    await this.#replays?.close();
    await this.#alarms?.stop();
    await this.#retention?.stop();
    await this.#deploying;
    await this.#edge?.stop();
    await this.#workers.stop();
    await this.#stores?.close();
    await Promise.all(this.#helpers.map((helper) => helper.stop()));
  }

  get url(): string {
    return this.#console?.url ?? '';
  }

  setupLink(): Promise<string | undefined> {
    return this.#console?.setupLink() ?? Promise.resolve(undefined);
  }

  /** What runs, listens and sends at this moment. */
  status(): ControlStatus {
    const { listeners, senders } = this.#compiled.definitions;
    const edge = this.#edge === undefined ? [] : [this.#edge];
    return {
      broker: this.#options.settings.rabbitmqUrl === undefined ? 'embedded' : 'rabbitmq',
      processes: [
        { role: 'supervisor', pid: process.pid, state: 'running' },
        ...[...this.#helpers, ...edge].map(({ status }) => status),
        ...this.#workers.statuses,
      ],
      ...toStatuses(
        { listeners, senders, interfaces: this.#flowControl.statuses() },
        this.#endpoints,
      ),
      notes: [...(this.#condition.isSpooling ? [spoolingNote] : []), ...this.#flowControl.notes()],
      isSpooling: this.#condition.isSpooling,
    };
  }

  /** Why messages are not taken and delivered; none: every process is up and every listener listens. */
  problems(): readonly Problem[] {
    const problems = this.#condition.problems(this.status());
    if (!this.#stopping) return problems;
    const message = 'Hilum is stopping: what is under way is finished first.';
    return [{ part: 'engine', code: 'engine-stopping', message }, ...problems];
  }

  async #declareQueues({ broker }: Stores): Promise<void> {
    const { queues } = this.#compiled.definitions;
    await Promise.all(queues.map((queue) => broker.declare(queue)));
  }

  #compile(flows: readonly FlowNode[]): Compiled {
    const { bind, environment, allowNodes, alarm, retention } = this.#options.settings;
    return compileFlows(flows, {
      bind,
      environment,
      allowNodes,
      alarmLimits: alarm.limits,
      retention: retention.policy,
    });
  }

  #supervise(
    name: string,
    config: () => RoleConfig,
    onCrashLoop?: (ends: readonly QuickEnd[]) => void,
  ): SupervisedProcess {
    return new SupervisedProcess({
      ...this.#options,
      ...(onCrashLoop === undefined ? {} : { onCrashLoop }),
      name,
      config,
      onMessage: (message) => {
        this.#hear(name, message);
      },
    });
  }

  /** A process that depends on no flow, and ends after those that do. */
  async #startHelper(role: 'owner' | 'demo'): Promise<void> {
    const supervised = this.#supervise(role, () => ({ role }));
    this.#helpers.push(supervised);
    await supervised.start({ once: true });
  }

  async #startEdge(): Promise<void> {
    this.#edge = this.#supervise('edge', () => ({
      role: 'edge',
      definitions: this.#flowControl.select(this.#compiled.definitions),
      paused: this.#paused?.names() ?? [],
    }));
    await this.#edge.start({ once: true });
  }

  /** Some flows are stopped, or run again: only the workers of other tabs than before are changed. */
  #rearrange(): Promise<void> {
    const changed = this.#deploying.then(async () => {
      if (this.#stopping) return;
      const definitions = this.#flowControl.select(this.#compiled.definitions);
      this.#edge?.send({ type: 'definitions', definitions });
      await this.#workers.change({ all: false });
    });
    return (this.#deploying = changed.catch((error: unknown) => {
      this.#options.logger.error({ err: error }, 'Not all flows are stopped or started.');
    }));
  }

  async #makeWorker(group: string, name: string): Promise<SupervisedProcess> {
    const { settings } = this.#options;
    await prepareNodeRed(settings, workerDirectory(settings, group), this.#credentialSecret);
    const config = (): RoleConfig => ({
      role: 'worker',
      group,
      tabs: findTabs(this.#flowControl.flows, group),
      definitions: this.#compiled.definitions,
      paused: this.#paused?.names() ?? [],
      credentialSecret: this.#credentialSecret,
      memoryMiB: findWorkerMemory(selectGroup(this.#flowControl.flows, group), settings.workerMiB),
    });
    return this.#supervise(name, config, (ends) => {
      void this.#flowControl.onCrashLoop(group, ends);
    });
  }

  async #startConsole(): Promise<void> {
    const stores = this.#stores;
    const paused = this.#paused;
    if (stores === undefined || paused === undefined) return;
    const { settings, logger } = this.#options;
    await prepareNodeRed(settings, editorDirectory(settings), this.#credentialSecret);
    this.#replays = await ReplayRuns.open({
      stores,
      logger,
      clock: Date.now,
      definitions: () => this.#compiled.definitions,
      directory: settings.replaysDirectory,
    });
    this.#retention = new Retention({
      retention: stores.retention,
      settings: settings.retention,
      logger,
      clock: Date.now,
      policies: () => this.#compiled.retention,
      labelOf: (owner) => this.status().interfaces.find(({ id }) => id === owner)?.label,
    });
    this.#alarms = await AlarmWatch.open({
      ...stores,
      logger,
      clock: Date.now,
      newId: () => newId(Date.now()),
      watched: () => toWatched(this.#compiled, this.status().interfaces, settings.alarm.limits),
      address: settings.alarm.address,
      file: settings.alarmsFile,
      everyMs: settings.alarm.everyMs,
    });
    this.#console = await startConsole({
      ...this.#options,
      stores,
      credentialSecret: this.#credentialSecret,
      control: {
        replay: (id, by) =>
          replay(id, by, { stores, definitions: this.#compiled.definitions, clock: Date.now }),
        status: () => this.status(),
        problems: () => this.problems(),
        queues: () => this.#compiled.definitions.queues.map(({ name }) => name),
      },
      administration: new Administrator({
        stores,
        logger,
        clock: Date.now,
        paused,
        queues: () => this.#compiled.definitions.queues.map(({ name }) => name),
        onRelease: (queue, key) => this.#tellConsumers({ type: 'release', queue, key }),
        onPaused: (queues) => this.#tellConsumers({ type: 'paused', queues }),
      }),
      interfaces: this.#flowControl,
      replays: this.#replays,
      alarms: this.#alarms,
      retention: this.#retention,
      check: (flows) => this.#compile(flows).issues,
      deployed: (flows) => {
        this.#deploying = this.#deploying.then(() => this.#deploy(flows));
      },
      inject: (nodeId) => this.#workers.send({ type: 'inject', nodeId }),
      debug: (nodeId, active) => this.#workers.send({ type: 'debug', nodeId, active }),
    });
  }

  /** The edge first (unchanged listeners stay connected), then the workers: old out, new in. */
  async #deploy(flows: readonly FlowNode[]): Promise<void> {
    const { logger } = this.#options;
    try {
      this.#flows = flows;
      this.#compiled = this.#compile(flows);
      this.#flowControl.deployed();
      this.#edge?.send({
        type: 'definitions',
        definitions: this.#flowControl.select(this.#compiled.definitions),
      });
      // For the console, which counts what it has declared. Edge and workers declare what they use.
      if (this.#stores !== undefined) {
        this.#declareQueues(this.#stores).catch((error: unknown) => {
          logger.warn({ err: error }, 'The console does not see all queues until the next deploy.');
        });
      }
      await this.#workers.change({ all: true });
      logger.info({ groups: findGroups(flows) }, 'The flows were deployed.');
    } catch (error) {
      logger.error({ err: error }, 'The deployed flows do not run.');
    }
  }

  /** Edge and workers: each knows which queues are its own. */
  #tellConsumers(message: Parameters<SupervisedProcess['send']>[0]): void {
    this.#edge?.send(message);
    this.#workers.send(message);
  }

  #hear(name: string, message: FromChild): void {
    switch (message.type) {
      case 'endpoint':
        this.#endpoints.set(message.endpoint.nodeId, message.endpoint);
        return;
      case 'connection':
        this.#condition.connection(name, message.state);
        return;
      case 'storage':
        this.#condition.storage(message.state);
        return;
      case 'node-status':
      case 'comms':
        this.#console?.editor.show(message.type, message.event);
        return;
      case 'ready':
        // It is connected by then; from now on it tells of changes.
        this.#condition.connection(name, 'connected');
        if (name === 'owner') this.#condition.storage({ reason: undefined });
        return;
      case 'failed':
      case 'culprit':
      case 'pong':
    }
  }
}

const spoolingNote =
  'RabbitMQ is away: messages are acknowledged and spooled on this machine, and go on when it is back.';
