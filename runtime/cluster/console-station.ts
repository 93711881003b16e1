import { hostname } from 'node:os';
import type { ControlStatus, Problem } from '../../console/api/control.ts';
import type { InterfaceControl } from '../../console/api/interfaces.ts';
import type { Cluster, Member, Notice } from '../../core/ports/cluster.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { keptInCluster } from '../admin/kept.ts';
import { PausedQueues } from '../admin/paused-queues.ts';
import { needsOwner, openStores, type Stores } from '../broker.ts';
import { ConsoleRole } from '../console/console-role.ts';
import { readCredentialSecret } from '../data-directory.ts';
import { nothingDeployed, type Deployed } from '../deploy/deployed.ts';
import { declareQueues } from '../deploy/declare-queues.ts';
import { Deployments } from '../deploy/deployments.ts';
import { storeInFiles } from '../deploy/deploy-store.ts';
import { findGroups } from '../deploy/groups.ts';
import { readFlows } from '../deploy/storage.ts';
import { toDeploys } from '../deploy/to-deploys.ts';
import { Engine } from '../engine.ts';
import { newId } from '../ids.ts';
import type { Settings } from '../settings.ts';
import { FlowControl } from '../supervision/flow-control.ts';
import { tryOut } from '../workers/trial.ts';
import { mergeProblems, mergeStatus, ofTheEdge } from './members.ts';
import { openOwnCluster } from './open.ts';
import { historyOfRevisions, RevisionStore } from './revision-store.ts';
import { goneAfterMs, keptNames, reportEveryMs, type Report, type Talk } from './talk.ts';

interface Options {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly version: string;
}

/**
 * The console in a container of its own: what is deployed here becomes a revision, once all that it changes has started
 * on trial; edges and workers take it from there. What they say of themselves is shown as one installation.
 */
export class ConsoleStation {
  readonly #options: Options;
  /** Runs nothing but workers on trial. */
  readonly #engine: Engine;
  readonly #flowControl: FlowControl;
  readonly #id: string;
  #deployments: Deployments | undefined;
  #cluster: Cluster | undefined;
  #stores: Stores | undefined;
  #console: ConsoleRole | undefined;
  #paused: PausedQueues | undefined;
  #members: readonly Member[] = [];
  #revision: () => number = () => 0;
  #looking: NodeJS.Timeout | undefined;
  #isStopping = false;

  constructor(options: Options) {
    this.#options = options;
    this.#id = newId(Date.now());
    this.#flowControl = new FlowControl({
      logger: options.logger,
      clock: Date.now,
      flows: () => this.#deployed.flows,
      // Whoever runs them hears of it by what is kept.
      onChange: () => Promise.resolve(),
    });
    this.#engine = new Engine({
      ...options,
      current: () => this.#deployed,
      flowControl: this.#flowControl,
      paused: () => this.#paused?.names() ?? [],
      onShow: () => undefined,
    });
  }

  /** Resolves when it can be used. Rejects, with everything stopped again, when a part cannot start. */
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
    const cluster = await openOwnCluster(settings, logger);
    this.#cluster = cluster;
    const paused = await PausedQueues.open(keptInCluster(cluster, keptNames.paused));
    this.#paused = paused;
    await this.#flowControl.open(keptInCluster(cluster, keptNames.stopped));
    if (needsOwner(settings)) await this.#engine.startHelper('owner');
    const stores = await openStores(settings, logger, {
      onState: (state) => {
        this.#engine.connection('console', state);
      },
    });
    this.#stores = stores;
    const store = new RevisionStore(cluster, storeInFiles(settings));
    this.#revision = () => store.newest;
    const deployments: Deployments = new Deployments({
      ...this.#options,
      store,
      history: historyOfRevisions(cluster, () => readFlows(settings.flowsDirectory)),
      prepare: (after) => tryOut(this.#engine.workers, { before: deployments.current, after }),
      onDeployed: (deployed) => {
        declareQueues(deployed, stores).catch((error: unknown) => {
          logger.warn({ err: error }, 'The console does not see all queues until the next deploy.');
        });
      },
    });
    this.#deployments = deployments;
    await declareQueues(await deployments.open(credentialSecret), stores);
    await this.#look(cluster);
    this.#console = await ConsoleRole.open({
      ...this.#options,
      stores,
      paused,
      interfaces: this.#toInterfaces(cluster),
      credentialSecret,
      engine: {
        stored: () => deployments.stored,
        current: () => deployments.current,
        deploy: (submission) => deployments.deploy(submission),
        deploys: (editor) => toDeploys({ deployments, editor, settings }),
        status: () => this.status(),
        problems: () => this.problems(),
        tellConsumers: (message) => {
          this.#say({ kind: 'tell', message });
        },
        tellWorkers: (message) => {
          this.#say({ kind: 'tell', message });
        },
        tellWorkerOf: (group, message) => {
          const one = this.#others.find((each) => each.role === 'worker' && each.group === group);
          if (one !== undefined) this.#say({ kind: 'tell', message, to: one.id });
        },
        flows: () => this.#flowControl.flows,
      },
    });
    cluster.listen((notice) => {
      this.#hear(notice);
    });
    this.#console.watch();
    this.#looking = setInterval(() => void this.#look(cluster), reportEveryMs);
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#engine.announceStop();
    clearInterval(this.#looking);
    this.#flowControl.close();
    await this.#console?.stop();
    await this.#engine.stop();
    await this.#deployments?.settled();
    await this.#stores?.close();
    await this.#engine.stopHelpers();
    await this.#cluster?.leave(this.#id).catch(() => undefined);
    await this.#cluster?.close();
  }

  get url(): string {
    return this.#console?.url ?? '';
  }

  setupLink(): Promise<string | undefined> {
    return this.#console?.setupLink() ?? Promise.resolve(undefined);
  }

  /** All roles that are there, as one. */
  status(): ControlStatus {
    return mergeStatus(this.#engine.status(), this.#others);
  }

  problems(): readonly Problem[] {
    const { listeners, senders } = this.#deployed.compiled.definitions;
    const own = this.#engine.problems().filter(({ code }) => !ofTheEdge.has(code));
    return mergeProblems(own, this.#others, {
      groups: findGroups(this.#flowControl.flows),
      hasEndpoints: listeners.length + senders.length > 0,
    });
  }

  get #deployed(): Deployed {
    return this.#deployments?.current ?? nothingDeployed;
  }

  get #others(): readonly Member[] {
    return this.#members.filter(({ id }) => id !== this.#id);
  }

  /** Says that the console is there, and hears who else is. Never rejects. */
  async #look(cluster: Cluster): Promise<void> {
    const { settings, logger } = this.#options;
    const report: Report = { status: this.#engine.status(), problems: [] };
    try {
      await cluster.report({
        ...{ id: this.#id, role: settings.role, host: hostname() },
        ...{ revision: this.#revision(), report },
      });
      this.#members = await cluster.members(goneAfterMs);
    } catch (error) {
      logger.debug({ err: error }, 'It is not known who else is there.');
    }
  }

  /** What operators decide is kept for all; what crashed is started where it runs. */
  #toInterfaces(cluster: Cluster): InterfaceControl {
    const flowControl = this.#flowControl;
    return {
      stop: (id, mandate) => flowControl.stop(id, mandate),
      start: async (id, mandate) => {
        await flowControl.start(id, mandate);
        await cluster.tell({ kind: 'start', interface: id } satisfies Talk);
      },
    };
  }

  #hear(notice: Notice): void {
    if (notice.type === 'missed') this.#say({ kind: 'statuses' });
    if (notice.type !== 'message') return;
    const talk = notice.message as Talk;
    if (talk.kind === 'show') this.#console?.editor.show(talk.what, talk.event);
  }

  #say(talk: Talk): void {
    this.#cluster?.tell(talk).catch((error: unknown) => {
      this.#options.logger.warn({ err: error, kind: talk.kind }, 'The other roles do not hear it.');
    });
  }
}
