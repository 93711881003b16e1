import type { ControlStatus, Problem } from '../console/api/control.ts';
import type { FlowNode } from '../core/interface.ts';
import type { Issue } from '../core/issue.ts';
import type { Logger } from '../core/ports/logger.ts';
import { Administrator } from './admin/administrator.ts';
import { PausedQueues } from './admin/paused-queues.ts';
import { AlarmWatch, type Watched } from './alarm/watch.ts';
import { openStores, type Stores } from './broker.ts';
import { Condition } from './condition.ts';
import { startConsole, type ConsoleServer } from './console/server.ts';
import { prepareNodeRed, readCredentialSecret } from './data-directory.ts';
import { compileFlows, type Compiled } from './deploy/definitions.ts';
import { findGroups, selectGroup, workerName } from './deploy/groups.ts';
import { readFlows } from './deploy/storage.ts';
import { toListenerStatus, toSenderStatus } from './endpoint-status.ts';
import { newId } from './ids.ts';
import { adoptOrphans } from './spool/open-spool.ts';
import type { EndpointState, FromChild, RoleConfig } from './process/messages.ts';
import { findWorkerMemory } from './process/worker-memory.ts';
import { SupervisedProcess } from './process/supervised.ts';
import { replay } from './replay/replay.ts';
import { ReplayRuns } from './replay/runs.ts';
import { Retention } from './retention/retention.ts';
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
  readonly #workers = new Map<string, SupervisedProcess>();
  readonly #endpoints = new Map<string, EndpointState>();
  readonly #condition: Condition;
  #edge: SupervisedProcess | undefined;
  #stores: Stores | undefined;
  #console: ConsoleServer | undefined;
  #paused: PausedQueues | undefined;
  #replays: ReplayRuns | undefined;
  #alarms: AlarmWatch | undefined;
  #retention: Retention | undefined;
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
        name === 'edge' || findGroups(this.#flows).some((group) => name === workerName(group)),
      stopping: this.#orphansStopping.signal,
    });
  }

  /** Stops taking messages, finishes those under way, ends every process. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#orphansStopping.abort();
    await this.#adopting;
    await this.#console?.stop();
    await this.#replays?.close();
    await this.#alarms?.stop();
    await this.#retention?.stop();
    await this.#deploying;
    await this.#edge?.stop();
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
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
        ...[...this.#helpers, ...edge, ...this.#workers.values()].map(({ status }) => status),
      ],
      interfaces: this.#flows
        .filter(({ type }) => type === 'tab')
        .map((tab) => ({ id: tab.id, label: labelOf(tab) })),
      listeners: listeners.map((each) => toListenerStatus(each, this.#endpoints.get(each.id))),
      senders: senders.map((each) => toSenderStatus(each, this.#endpoints.get(each.id))),
      notes: this.#condition.isSpooling ? [spoolingNote] : [],
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

  #supervise(name: string, config: () => RoleConfig): SupervisedProcess {
    return new SupervisedProcess({
      ...this.#options,
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
      definitions: this.#compiled.definitions,
      paused: this.#paused?.names() ?? [],
    }));
    await this.#edge.start({ once: true });
  }

  async #startWorkers(): Promise<void> {
    await Promise.all(findGroups(this.#flows).map((group) => this.#startWorker(group)));
  }

  /** Flows that do not start must not keep the editor, where they are mended, and the edge from running. */
  async #startWorker(group: string): Promise<void> {
    const { settings } = this.#options;
    await prepareNodeRed(settings, workerDirectory(settings, group), this.#credentialSecret);
    const worker = this.#supervise(workerName(group), () => ({
      role: 'worker',
      group,
      definitions: this.#compiled.definitions,
      paused: this.#paused?.names() ?? [],
      credentialSecret: this.#credentialSecret,
      memoryMiB: findWorkerMemory(selectGroup(this.#flows, group), settings.workerMiB),
    }));
    if (this.#stopping) return;
    this.#workers.set(group, worker);
    await worker.start({ once: false });
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
      const { definitions } = this.#compiled;
      this.#edge?.send({ type: 'definitions', definitions });
      // For the console, which counts what it has declared. Edge and workers declare what they use.
      if (this.#stores !== undefined) {
        this.#declareQueues(this.#stores).catch((error: unknown) => {
          logger.warn({ err: error }, 'The console does not see all queues until the next deploy.');
        });
      }
      await Promise.all(
        [...this.#workers].map(async ([group, worker]) => {
          await worker.stop();
          this.#workers.delete(group);
          this.#condition.forget(worker.name);
        }),
      );
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
    for (const worker of this.#workers.values()) worker.send(message);
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

function labelOf(tab: FlowNode): string {
  const label = tab['label'];
  return typeof label === 'string' && label !== '' ? label : tab.id;
}
