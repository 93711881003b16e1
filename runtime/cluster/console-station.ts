import { hostname } from 'node:os';
import type { ControlStatus, Problem } from '../../console/api/control.ts';
import type { InterfaceControl } from '../../console/api/interfaces.ts';
import type { Cluster, Member, Notice } from '../../core/ports/cluster.ts';
import { keptInCluster } from '../admin/kept.ts';
import { ConsoleInstallation } from '../console-installation.ts';
import { storeInFiles } from '../deploy/deploy-store.ts';
import { findGroups } from '../deploy/groups.ts';
import { openHistory } from '../deploy/history.ts';
import { readFlows } from '../deploy/storage.ts';
import { newId } from '../ids.ts';
import { tryOut } from '../workers/trial.ts';
import { mergeProblems, mergeStatus, ofTheEdge } from './members.ts';
import { openOwnCluster } from './open.ts';
import { toContent } from './revision-content.ts';
import { historyOfRevisions } from './revision-history.ts';
import { RevisionStore } from './revision-store.ts';
import { goneAfterMs, keptNames, reportEveryMs, type Report, type Talk } from './talk.ts';

/**
 * The console in a container of its own: what is deployed here becomes a revision, once all that it changes has started
 * on trial; edges and workers take it from there. Its engine runs nothing but workers on trial. What the others say of
 * themselves is shown as one installation.
 */
export class ConsoleStation extends ConsoleInstallation {
  readonly #id = newId(Date.now());
  #cluster: Cluster | undefined;
  #members: readonly Member[] = [];
  #revision: () => number = () => 0;
  #looking: NodeJS.Timeout | undefined;

  /** All roles that are there, as one. */
  override status(): ControlStatus {
    return mergeStatus(super.status(), this.#others, this.#revision());
  }

  problems(): readonly Problem[] {
    const { listeners, senders } = this.current.compiled.definitions;
    const own = this.engine.problems().filter(({ code }) => !ofTheEdge.has(code));
    return mergeProblems(own, this.#others, {
      groups: findGroups(this.flowControl.flows),
      hasEndpoints: listeners.length + senders.length > 0,
    });
  }

  protected async open(credentialSecret: string): Promise<void> {
    const { settings, logger } = this.options;
    const cluster = await openOwnCluster(settings, logger);
    this.#cluster = cluster;
    const paused = await this.openDecisions({
      paused: keptInCluster(cluster, keptNames.paused),
      stopped: keptInCluster(cluster, keptNames.stopped),
    });
    const stores = await this.openStores({
      onState: (state) => {
        this.engine.connection('console', state);
      },
    });
    const files = storeInFiles(settings);
    const store = new RevisionStore({ cluster, files, settings, logger });
    this.#revision = () => store.newest;
    const deployments = await this.openDeployments(
      {
        store,
        history: historyOfRevisions({
          cluster,
          files: openHistory({ ...settings, logger }),
          readFiles: async () => {
            const flows = await readFlows(settings.flowsDirectory);
            const sources = await files.readSources(flows, {});
            return toContent({ flows, credentials: {}, ...sources });
          },
        }),
        prepare: (after) => tryOut(this.engine.workers, { before: this.current, after }),
        onDeployed: () => undefined,
      },
      { stores, credentialSecret },
    );
    await this.#look(cluster);
    const console = await this.openConsole(deployments, {
      ...{ stores, paused, credentialSecret },
      heldDecisions: keptInCluster(cluster, keptNames.held),
      interfaces: this.#toInterfaces(cluster),
      tell: {
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
      },
    });
    cluster.listen((notice) => {
      this.#hear(notice);
    });
    console.watch();
    this.#looking = setInterval(() => void this.#look(cluster), reportEveryMs);
  }

  /** Whoever runs them hears of it by what is kept. */
  protected rearrange(): Promise<void> {
    return Promise.resolve();
  }

  /** Workers on trial show nothing. */
  protected override show(): void {
    // What the others say is shown as it comes.
  }

  protected override async closeFirst(): Promise<void> {
    clearInterval(this.#looking);
    await super.closeFirst();
  }

  protected override async closeLast(): Promise<void> {
    await this.#cluster?.leave(this.#id).catch(() => undefined);
    await this.#cluster?.close();
  }

  get #others(): readonly Member[] {
    return this.#members.filter(({ id }) => id !== this.#id);
  }

  /** Says that the console is there, and hears who else is. Never rejects. */
  async #look(cluster: Cluster): Promise<void> {
    const { settings, logger } = this.options;
    const report: Report = { status: super.status(), problems: [] };
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
    const { flowControl } = this;
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
    if (talk.kind === 'show') super.show(talk.what, talk.event);
  }

  #say(talk: Talk): void {
    this.#cluster?.tell(talk).catch((error: unknown) => {
      this.options.logger.warn({ err: error, kind: talk.kind }, 'The other roles do not hear it.');
    });
  }
}
