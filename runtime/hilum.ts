import type { ControlStatus, Problem } from '../console/api/control.ts';
import type { FlowNode, InterfaceDefinitions } from '../core/interface.ts';
import type { Issue } from '../core/issue.ts';
import type { Logger } from '../core/ports/logger.ts';
import { Administrator } from './admin/administrator.ts';
import { PausedQueues } from './admin/paused-queues.ts';
import { StoppedInterfaces } from './admin/stopped-interfaces.ts';
import { AlarmWatch, type Watched } from './alarm/watch.ts';
import { openStores, type Stores } from './broker.ts';
import { Condition } from './condition.ts';
import { startConsole, type ConsoleServer } from './console/server.ts';
import { prepareNodeRed, readCredentialSecret } from './data-directory.ts';
import { compileFlows, type Compiled } from './deploy/definitions.ts';
import { findGroups, findTabs, selectGroup, workerName } from './deploy/groups.ts';
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
  /** By group; with the tabs that it runs. */
  readonly #workers = new Map<
    string,
    { readonly worker: SupervisedProcess; readonly tabs: string }
  >();
  readonly #endpoints = new Map<string, EndpointState>();
  readonly #condition: Condition;
  #edge: SupervisedProcess | undefined;
  #stores: Stores | undefined;
  #console: ConsoleServer | undefined;
  #paused: PausedQueues | undefined;
  #replays: ReplayRuns | undefined;
  #alarms: AlarmWatch | undefined;
  #retention: Retention | undefined;
  #flowControl: FlowControl | undefined;
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
    this.#flowControl = new FlowControl({
      logger,
      clock: Date.now,
      stopped: await StoppedInterfaces.open(settings.stoppedFile),
      flows: () => this.#flows,
      onChange: () => {
        this.#deploying = this.#deploying
          .then(() => this.#rearrange())
          .catch((error: unknown) => {
            logger.error({ err: error }, 'Not all flows are stopped or started.');
          });
        return this.#deploying;
      },
    });
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
    await Promise.all([demo, this.#startWorkers(), this.#startConsole()]);
    // Last: whoever finds a listener open finds its flow ready as well.
    await this.#startEdge();
    this.#alarms?.start();
    this.#retention?.start();
    this.#adopting = adoptOrphans({
      ...this.#options,
      settings: settings.spool,
      ledger: this.#stores.ledger,
      isInUse: (name) =>
        name === 'edge' || findGroups(this.#running).some((group) => name === workerName(group)),
      stopping: this.#orphansStopping.signal,
    });
  }

  /** Stops taking messages, finishes those under way, ends every process. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#flowControl?.close();
    this.#orphansStopping.abort();
    await this.#adopting;
    await this.#console?.stop();
    await this.#replays?.close();
    await this.#alarms?.stop();
    await this.#retention?.stop();
    await this.#deploying;
    await this.#edge?.stop();
    await Promise.all([...this.#workers.values()].map(({ worker }) => worker.stop()));
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
        ...[...this.#helpers, ...edge, ...this.#workerProcesses].map(({ status }) => status),
      ],
      ...toStatuses(
        { listeners, senders, interfaces: this.#flowControl?.statuses() ?? [] },
        this.#endpoints,
      ),
      notes: [
        ...(this.#condition.isSpooling ? [spoolingNote] : []),
        ...(this.#flowControl?.notes() ?? []),
      ],
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
      definitions: this.#edgeDefinitions,
      paused: this.#paused?.names() ?? [],
    }));
    await this.#edge.start({ once: true });
  }

  async #startWorkers(): Promise<void> {
    const missing = findGroups(this.#running).filter((group) => !this.#workers.has(group));
    await Promise.all(missing.map((group) => this.#startWorker(group)));
  }

  /** The flows but for those that are stopped. */
  get #running(): readonly FlowNode[] {
    return this.#flowControl?.flows ?? this.#flows;
  }

  get #edgeDefinitions(): InterfaceDefinitions {
    const { definitions } = this.#compiled;
    return this.#flowControl?.select(definitions) ?? definitions;
  }

  /** Some flows are stopped, or run again: only the workers of other tabs than before are changed. */
  async #rearrange(): Promise<void> {
    if (this.#stopping) return;
    this.#edge?.send({ type: 'definitions', definitions: this.#edgeDefinitions });
    const changed = [...this.#workers].filter(
      ([group, { tabs, worker }]) =>
        worker.status.state === 'stopped' || tabs !== findTabs(this.#running, group).join(),
    );
    await this.#stopWorkers(changed.map(([group]) => group));
    await this.#startWorkers();
  }

  async #stopWorkers(groups: readonly string[]): Promise<void> {
    await Promise.all(
      groups.map(async (group) => {
        const { worker } = this.#workers.get(group) ?? {};
        await worker?.stop();
        this.#workers.delete(group);
        if (worker !== undefined) this.#condition.forget(worker.name);
      }),
    );
  }

  /** Flows that do not start must not keep the editor, where they are mended, and the edge from running. */
  async #startWorker(group: string): Promise<void> {
    const { settings } = this.#options;
    await prepareNodeRed(settings, workerDirectory(settings, group), this.#credentialSecret);
    const config = (): RoleConfig => ({
      role: 'worker',
      group,
      tabs: findTabs(this.#running, group),
      definitions: this.#compiled.definitions,
      paused: this.#paused?.names() ?? [],
      credentialSecret: this.#credentialSecret,
      memoryMiB: findWorkerMemory(selectGroup(this.#running, group), settings.workerMiB),
    });
    const worker = this.#supervise(workerName(group), config, (ends) => {
      void this.#flowControl?.onCrashLoop(group, ends);
    });
    if (this.#stopping) return;
    this.#workers.set(group, { worker, tabs: findTabs(this.#running, group).join() });
    await worker.start({ once: false });
  }

  get #workerProcesses(): readonly SupervisedProcess[] {
    return [...this.#workers.values()].map(({ worker }) => worker);
  }

  async #startConsole(): Promise<void> {
    const stores = this.#stores;
    const paused = this.#paused;
    const interfaces = this.#flowControl;
    if (stores === undefined || paused === undefined || interfaces === undefined) return;
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
      watched: () => this.#watched(),
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
        onRelease: (queue, key) => {
          this.#tellConsumers({ type: 'release', queue, key });
        },
        onPaused: (queues) => {
          this.#tellConsumers({ type: 'paused', queues });
        },
      }),
      interfaces,
      replays: this.#replays,
      alarms: this.#alarms,
      retention: this.#retention,
      check: (flows): readonly Issue[] => this.#compile(flows).issues,
      deployed: (flows) => {
        this.#deploying = this.#deploying.then(() => this.#deploy(flows));
      },
      inject: (nodeId) => {
        this.#tellWorkers({ type: 'inject', nodeId });
      },
      debug: (nodeId, active) => {
        this.#tellWorkers({ type: 'debug', nodeId, active });
      },
    });
  }

  /** What the alarms go by. */
  #watched(): Watched {
    const { definitions, alarmLimits } = this.#compiled;
    const endpoints = [...definitions.listeners, ...definitions.senders];
    return {
      definitions,
      limitsOf: (owner) => alarmLimits.get(owner) ?? this.#options.settings.alarm.limits,
      names: {
        interfaces: new Map(this.status().interfaces.map(({ id, label }) => [id, label])),
        queues: new Map(endpoints.map(({ queue, label }) => [queue, label])),
      },
    };
  }

  /** The edge first (unchanged listeners stay connected), then the workers: old out, new in. */
  async #deploy(flows: readonly FlowNode[]): Promise<void> {
    const { logger } = this.#options;
    try {
      this.#flows = flows;
      this.#compiled = this.#compile(flows);
      this.#flowControl?.deployed();
      this.#edge?.send({ type: 'definitions', definitions: this.#edgeDefinitions });
      // For the console, which counts what it has declared. Edge and workers declare what they use.
      if (this.#stores !== undefined) {
        this.#declareQueues(this.#stores).catch((error: unknown) => {
          logger.warn({ err: error }, 'The console does not see all queues until the next deploy.');
        });
      }
      await this.#stopWorkers([...this.#workers.keys()]);
      await this.#startWorkers();
      logger.info({ groups: findGroups(flows) }, 'The flows were deployed.');
    } catch (error) {
      logger.error({ err: error }, 'The deployed flows do not run.');
    }
  }

  /** Edge and workers: each knows which queues are its own. */
  #tellConsumers(message: Parameters<SupervisedProcess['send']>[0]): void {
    this.#edge?.send(message);
    this.#tellWorkers(message);
  }

  #tellWorkers(message: Parameters<SupervisedProcess['send']>[0]): void {
    for (const worker of this.#workerProcesses) worker.send(message);
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
      case 'pong':
    }
  }
}

const spoolingNote =
  'RabbitMQ is away: messages are acknowledged and spooled on this machine, and go on when it is back.';
