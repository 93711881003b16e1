import type { ControlStatus, Problem } from '../console/api/control.ts';
import type { Deploys } from '../console/api/deploys.ts';
import type { FlowNode } from '../core/interface.ts';
import type { Logger } from '../core/ports/logger.ts';
import { PausedQueues } from './admin/paused-queues.ts';
import { openStores, type Stores } from './broker.ts';
import { Condition } from './condition.ts';
import { ConsoleRole } from './console/console-role.ts';
import type { Editor } from './console/editor.ts';
import { prepareNodeRed, readCredentialSecret } from './data-directory.ts';
import { compileFlows, type Compiled } from './deploy/definitions.ts';
import type { Deployed } from './deploy/deployed.ts';
import { Deployments } from './deploy/deployments.ts';
import { openHistory } from './deploy/history.ts';
import { readFlows } from './deploy/storage.ts';
import { toListenerStatus, toSenderStatus } from './endpoint-status.ts';
import { adoptOrphans } from './spool/open-spool.ts';
import type { EndpointState, FromChild, RoleConfig, ToChild } from './process/messages.ts';
import { SupervisedProcess } from './process/supervised.ts';
import { workerDirectory, type Settings } from './settings.ts';
import { Workers } from './workers/workers.ts';

interface Options {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly version: string;
}

/**
 * Hilum on one machine, on a data folder that is prepared: a supervisor that holds console and editor, and beside it the
 * owner of the ledger and the embedded broker, the edge, the workers of the groups of flows, and the demo partners.
 */
export class Hilum {
  readonly #options: Options;
  readonly #helpers: SupervisedProcess[] = [];
  readonly #endpoints = new Map<string, EndpointState>();
  readonly #condition: Condition;
  readonly #workers: Workers;
  readonly #deployments: Deployments;
  #edge: SupervisedProcess | undefined;
  #stores: Stores | undefined;
  #console: ConsoleRole | undefined;
  #paused: PausedQueues | undefined;
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
    this.#workers = new Workers({
      supervise: (name, parts) => new SupervisedProcess({ ...this.#options, name, ...parts }),
      prepare: (group) => prepareNodeRed(workerDirectory(options.settings, group)),
      paused: () => this.#pausedNames,
      onMessage: (key, message) => {
        this.#hear(key, message);
      },
      onGone: (key) => {
        this.#condition.forget(key);
      },
    });
    this.#deployments = new Deployments({
      ...options,
      history: openHistory({ ...options.settings, ...options }),
      compile: (flows) => this.#compile(flows),
      prepare: (deployed) => this.#workers.prepare(deployed),
      onDeployed: (deployed) => {
        this.#applyToEdge(deployed);
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
    const credentialSecret = await readCredentialSecret(settings);
    this.#paused = await PausedQueues.open(settings.pausedFile);
    await this.#startHelper('owner');
    const demo = settings.demo ? this.#startHelper('demo') : undefined;
    // Whoever awaits it below hears of a failure; until then it must not count as unhandled.
    demo?.catch(() => undefined);
    const stores = await openStores(settings, logger, {
      onState: (state) => this.#condition.connection('console', state),
    });
    this.#stores = stores;
    const deployments = this.#deployments;
    const deployed = await deployments.open(credentialSecret);
    for (const issue of deployed.compiled.issues) {
      logger.error({ node: issue.location, code: issue.code }, issue.message);
    }
    await declareQueues(deployed, stores);
    const starting = ConsoleRole.open({
      ...this.#options,
      stores,
      paused: this.#paused,
      credentialSecret,
      engine: {
        current: () => deployments.current,
        deploy: (submission) => deployments.deploy(submission),
        deploys: (editor) => this.#toDeploys(editor),
        status: () => this.status(),
        problems: () => this.problems(),
        tellConsumers: (message) => {
          this.#edge?.send(message);
          this.#workers.send(message);
        },
        tellWorkers: (message) => {
          this.#workers.send(message);
        },
      },
    }).then((opened) => (this.#console = opened));
    await Promise.all([demo, this.#workers.start(deployed), starting]);
    // Last: whoever finds a listener open finds its flow ready as well.
    await this.#startEdge();
    this.#console?.watch();
    this.#adopting = adoptOrphans({
      ...this.#options,
      settings: settings.spool,
      ledger: stores.ledger,
      isInUse: (name) => name === 'edge' || this.#workers.has(name),
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
    await this.#edge?.stop();
    await this.#workers.stop();
    await this.#deployments.settled();
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
    const { flows, compiled } = this.#deployments.current;
    const { listeners, senders } = compiled.definitions;
    const edge = this.#edge === undefined ? [] : [this.#edge.status];
    return {
      broker: this.#options.settings.rabbitmqUrl === undefined ? 'embedded' : 'rabbitmq',
      processes: [
        { role: 'supervisor', pid: process.pid, state: 'running' },
        ...this.#helpers.map(({ status }) => status),
        ...edge,
        ...this.#workers.statuses,
      ],
      interfaces: flows
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

  get #pausedNames(): readonly string[] {
    return this.#paused?.names() ?? [];
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
      definitions: this.#deployments.current.compiled.definitions,
      paused: this.#pausedNames,
    }));
    await this.#edge.start({ once: true });
  }

  /** Listeners and senders that did not change stay connected. */
  #applyToEdge(deployed: Deployed): void {
    const message: ToChild = { type: 'definitions', definitions: deployed.compiled.definitions };
    this.#edge?.send(message);
    if (this.#stores === undefined) return;
    // For the console, which counts what it has declared. Edge and workers declare what they use.
    declareQueues(deployed, this.#stores).catch((error: unknown) => {
      this.#options.logger.warn(
        { err: error },
        'The console does not see all queues until the next deploy.',
      );
    });
  }

  /** Deploys that come by the command line go through the editor, so that whoever has it open hears of them. */
  #toDeploys(editor: Editor): Deploys {
    const deployments = this.#deployments;
    const { history } = deployments;
    return {
      deploy: async ({ revision, by }) => {
        const earlier = revision === undefined ? undefined : await history.read(revision);
        const flows = earlier?.flows ?? (await readFlows(this.#options.settings.flowsDirectory));
        await editor.submit(flows, by);
        const { groups } = deployments;
        return earlier === undefined ? { groups } : { groups, revision: earlier.revision };
      },
      list: (limit) => history.list(limit),
      diff: (revision) => history.diff(revision),
    };
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
      case 'released':
      case 'pong':
    }
  }
}

const spoolingNote =
  'RabbitMQ is away: messages are acknowledged and spooled on this machine, and go on when it is back.';

async function declareQueues({ compiled }: Deployed, { broker }: Stores): Promise<void> {
  await Promise.all(compiled.definitions.queues.map((queue) => broker.declare(queue)));
}

function labelOf(tab: FlowNode): string {
  const label = tab['label'];
  return typeof label === 'string' && label !== '' ? label : tab.id;
}
