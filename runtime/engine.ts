import type { ControlStatus, Problem } from '../console/api/control.ts';
import type { Logger } from '../core/ports/logger.ts';
import { Condition } from './condition.ts';
import { prepareNodeRed } from './data-directory.ts';
import type { Deployed } from './deploy/deployed.ts';
import { toProfileFiles } from './deploy/profile-version.ts';
import { toStatuses } from './endpoint-status.ts';
import type {
  ConnectionState,
  EndpointState,
  FromChild,
  RoleConfig,
  ToChild,
} from './process/messages.ts';
import { SupervisedProcess } from './process/supervised.ts';
import { workerDirectory, type Settings } from './settings.ts';
import type { FlowControl } from './supervision/flow-control.ts';
import { Workers } from './workers/workers.ts';

interface Options {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly version: string;
  /** What is deployed at this moment. */
  readonly current: () => Deployed;
  /** Which of it runs. */
  readonly flowControl: FlowControl;
  /** The queues of which nothing is to be taken. */
  readonly paused: () => readonly string[];
  /** Something a worker's Node-RED said, for the editor. */
  readonly onShow: (kind: Shown, event: object) => void;
}

/** What a worker's Node-RED says for the editor: the status of a node, debug output, what a context holds. */
export type Shown = 'node-status' | 'comms' | 'context';

/** The processes that this one keeps alive, what they say of themselves, and what they are told. */
export class Engine {
  readonly workers: Workers;
  readonly #options: Options;
  readonly #helpers: SupervisedProcess[] = [];
  readonly #endpoints = new Map<string, EndpointState>();
  readonly #condition: Condition;
  /** The last status of every node. */
  readonly #statuses = new Map<string, object>();
  #edge: SupervisedProcess | undefined;
  #isStopping = false;

  constructor(options: Options) {
    this.#options = options;
    const { rabbitmqUrl, brokerAway } = options.settings;
    this.#condition = new Condition({
      broker: rabbitmqUrl === undefined ? 'embedded' : 'rabbitmq',
      isSpooled: brokerAway === 'spool',
      clock: Date.now,
    });
    this.workers = new Workers({
      supervise: (name, parts) => new SupervisedProcess({ ...options, name, ...parts }),
      prepare: (group) => prepareNodeRed(workerDirectory(options.settings, group)),
      paused: options.paused,
      onMessage: (key, message) => {
        this.#hear(key, message);
      },
      onCrashLoop: (group, ends) => {
        options.flowControl.onCrashLoop(group, ends).catch((error: unknown) => {
          options.logger.error({ err: error, group }, 'What keeps ending is not taken apart.');
        });
      },
      usualMiB: options.settings.workerMiB,
      onGone: (key) => {
        this.#condition.forget(key);
      },
    });
  }

  /** A process that depends on no flow, and ends after those that do. Rejects where it cannot start. */
  async startHelper(role: 'owner' | 'demo'): Promise<void> {
    const supervised = this.#supervise(role, () => ({ role }));
    this.#helpers.push(supervised);
    await supervised.start({ once: true });
  }

  /** Listens and sends by what is deployed. Rejects where it cannot start. */
  async startEdge(): Promise<void> {
    const { paused } = this.#options;
    this.#edge = this.#supervise('edge', () => ({
      role: 'edge',
      ...this.#ofTheEdge,
      paused: paused(),
    }));
    await this.#edge.start({ once: true });
  }

  /** Goes by what is deployed and runs now. Listeners and senders that did not change stay connected. */
  applyToEdge(): void {
    this.#edge?.send({ type: 'definitions', ...this.#ofTheEdge });
  }

  /** What is deployed, as far as it is to run. */
  get running(): Deployed {
    const deployed = this.#options.current();
    return { ...deployed, flows: this.#options.flowControl.flows };
  }

  /** Other flows of what is deployed are to run than before. */
  async rearrange(): Promise<void> {
    if (this.#isStopping) return;
    this.applyToEdge();
    await this.workers.rearrange(this.running);
  }

  /** The stores of this process itself came or went. */
  connection(name: string, state: ConnectionState): void {
    this.#condition.connection(name, state);
  }

  /** Says the last status of every node again. */
  showAgain(): void {
    for (const event of this.#statuses.values()) this.#options.onShow('node-status', event);
  }

  /** To all that take messages: each knows which queues are its own. */
  tellConsumers(message: ToChild): void {
    this.#edge?.send(message);
    this.workers.send(message);
  }

  /** Whether a process that runs has the spool of this name. */
  hasSpool(name: string): boolean {
    return name === 'edge' || this.workers.has(name);
  }

  /** What runs, listens and sends at this moment. */
  status(): ControlStatus {
    const { listeners, senders } = this.#options.current().compiled.definitions;
    const { flowControl } = this.#options;
    const edge = this.#edge === undefined ? [] : [this.#edge.status];
    return {
      broker: this.#options.settings.rabbitmqUrl === undefined ? 'embedded' : 'rabbitmq',
      processes: [
        { role: 'supervisor', pid: process.pid, state: 'running' },
        ...this.#helpers.map(({ status }) => status),
        ...edge,
        ...this.workers.statuses,
      ],
      ...toStatuses({ listeners, senders, interfaces: flowControl.statuses() }, this.#endpoints),
      notes: [...(this.#condition.isSpooling ? [spoolingNote] : []), ...flowControl.notes()],
      isSpooling: this.#condition.isSpooling,
    };
  }

  /** Why messages are not taken and delivered; none: every process is up and every listener listens. */
  problems(): readonly Problem[] {
    const problems = this.#condition.problems(this.status());
    if (!this.#isStopping) return problems;
    const message = 'Hilum is stopping: what is under way is finished first.';
    return [{ part: 'engine', code: 'engine-stopping', message }, ...problems];
  }

  /** From now on it says that it stops. */
  announceStop(): void {
    this.#isStopping = true;
  }

  /** First who takes messages in, then who works on them; each finishes what is under way. */
  async stop(): Promise<void> {
    await this.#edge?.stop();
    await this.workers.stop();
  }

  /** Last, when nobody needs them any more. */
  async stopHelpers(): Promise<void> {
    await Promise.all(this.#helpers.map((helper) => helper.stop()));
  }

  get #ofTheEdge(): Omit<Extract<ToChild, { readonly type: 'definitions' }>, 'type'> {
    const { compiled, profiles, revision } = this.#options.current();
    return {
      definitions: this.#options.flowControl.select(compiled.definitions),
      profiles: toProfileFiles(profiles),
      ...(revision === undefined ? {} : { revision }),
    };
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
      case 'node-status': {
        const { id } = message.event as { readonly id?: string };
        if (id !== undefined) this.#statuses.set(id, message.event);
        this.#options.onShow(message.type, message.event);
        return;
      }
      case 'comms':
      case 'context':
        this.#options.onShow(message.type, message.event);
        return;
      case 'ready':
        // It is connected by then; from now on it tells of changes.
        this.#condition.connection(name, 'connected');
        if (name === 'owner') this.#condition.storage({ reason: undefined });
        return;
      case 'failed':
      case 'culprit':
      case 'released':
      case 'pong':
    }
  }
}

const spoolingNote =
  'RabbitMQ is away: messages are acknowledged and spooled on this machine, and go on when it is back.';
