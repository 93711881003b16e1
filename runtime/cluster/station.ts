import { hostname } from 'node:os';
import { HilumError, toLine } from '../../core/errors.ts';
import type { Cluster, Notice, Revision } from '../../core/ports/cluster.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { ControlStatus, Problem } from '../../console/api/control.ts';
import { keptInCluster } from '../admin/kept.ts';
import { PausedQueues } from '../admin/paused-queues.ts';
import { needsOwner, openStores, type Stores } from '../broker.ts';
import { pause } from '../consuming.ts';
import { readCredentialSecret } from '../data-directory.ts';
import { nothingDeployed, type Deployed } from '../deploy/deployed.ts';
import { toDeployed } from '../deploy/deployments.ts';
import { selectGroup } from '../deploy/groups.ts';
import { Engine } from '../engine.ts';
import { newId } from '../ids.ts';
import type { Settings } from '../settings.ts';
import { adoptOrphans } from '../spool/open-spool.ts';
import { FlowControl } from '../supervision/flow-control.ts';
import { ofTheEdge } from './members.ts';
import { openOwnCluster } from './open.ts';
import { startStationServer, type StationServer } from './station-server.ts';
import { keptNames, reportEveryMs, type Report, type Talk } from './talk.ts';

interface Options {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly version: string;
}

/** What says nothing of the others that this role serves. */
const ofSingle: ReadonlySet<string> = new Set(['revision-not-running', 'sender-starting']);

/** Whoever does not start with a revision tries again after this long; what fails may be mended outside of it. */
const againMs = 30_000;
const firstRevisionMs = 1_000;

/**
 * One role in a container of its own, the edge or the workers of a group: it keeps its processes alive, goes by the newest
 * revision that starts, and tells the others how it does.
 */
export class Station {
  readonly #options: Options;
  readonly #flowControl: FlowControl;
  readonly #engine: Engine;
  readonly #id: string;
  readonly #stopping = new AbortController();
  #current: Deployed = nothingDeployed;
  #revision = 0;
  /** Why a newer revision than this does not run here. */
  #refused: Problem | undefined;
  #cluster: Cluster | undefined;
  #stores: Stores | undefined;
  #server: StationServer | undefined;
  #paused: PausedQueues | undefined;
  #credentialSecret = '';
  #adopting: Promise<void> | undefined;
  /** Changes, one after the other. */
  #changing: Promise<void> = Promise.resolve();
  #reporting: NodeJS.Timeout | undefined;
  #trying: NodeJS.Timeout | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#id = newId(Date.now());
    this.#flowControl = new FlowControl({
      logger: options.logger,
      clock: Date.now,
      flows: () => this.#current.flows,
      onChange: () => this.#exclusively(() => this.#rearrange()),
    });
    this.#engine = new Engine({
      ...options,
      current: () => this.#current,
      flowControl: this.#flowControl,
      paused: () => this.#paused?.names() ?? [],
      onShow: (what, event) => {
        this.#say({ kind: 'show', what, event });
      },
    });
  }

  /** Resolves when it works. Rejects, with everything stopped again, when a part cannot start. */
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
    const cluster = await openOwnCluster(settings, logger);
    this.#cluster = cluster;
    this.#server = await startStationServer({
      ...this.#options,
      status: () => this.status(),
      problems: () => this.#findObstacles(),
    });
    this.#paused = await PausedQueues.open(keptInCluster(cluster, keptNames.paused));
    await this.#flowControl.open(keptInCluster(cluster, keptNames.stopped));
    if (needsOwner(settings)) await this.#engine.startHelper('owner');
    this.#stores = await openStores(settings, logger);
    const revision = await this.#awaitRevision(cluster);
    if (revision === undefined) return;
    await this.#take(revision);
    if (settings.role === 'edge') await this.#engine.startEdge();
    else await this.#engine.workers.start(this.#engine.running);
    cluster.listen((notice) => {
      this.#hear(notice);
    });
    this.#adopting = adoptOrphans({
      ...this.#options,
      settings: settings.spool,
      ledger: this.#stores.ledger,
      isInUse: (name) => this.#engine.hasSpool(name),
      stopping: this.#stopping.signal,
    });
    await this.#report();
    this.#reporting = setInterval(() => void this.#report(), reportEveryMs);
  }

  /** Takes no more, finishes what is under way, ends every process, and says so. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    this.#engine.announceStop();
    clearInterval(this.#reporting);
    clearTimeout(this.#trying);
    this.#flowControl.close();
    await this.#adopting;
    await this.#engine.stop();
    await this.#changing;
    await this.#stores?.close();
    await this.#engine.stopHelpers();
    await this.#cluster?.leave(this.#id).catch(() => undefined);
    await this.#cluster?.close();
    await this.#server?.stop();
  }

  get url(): string {
    return this.#server?.url ?? '';
  }

  setupLink(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  status(): ControlStatus {
    return this.#engine.status();
  }

  /** All that is not as it should be. */
  problems(): readonly Problem[] {
    const { role } = this.#options.settings;
    const waits: Problem = {
      part: 'engine',
      code: 'nothing-deployed',
      message: 'Nothing is deployed yet: start the console, which makes the first revision.',
    };
    const own = this.#engine.problems();
    const about = role === 'edge' ? own : own.filter(({ code }) => !ofTheEdge.has(code));
    return [
      ...(this.#revision === 0 ? [waits] : []),
      ...(this.#refused === undefined ? [] : [this.#refused]),
      ...this.#complaints,
      ...about,
    ];
  }

  /**
   * Why this role is of no use now: a platform sends nothing to it then. One interface that does not work is no reason to
   * take all others away; nor is a newer revision that does not start.
   */
  #findObstacles(): readonly Problem[] {
    const isStarting = this.status().listeners.some(({ state }) => state === 'starting');
    return this.problems().filter(
      ({ code }) =>
        !ofSingle.has(code) &&
        !(code === 'listener-not-listening' && !isStarting) &&
        !this.#complaints.some((each) => each.code === code),
    );
  }

  /** What is wrong with listeners and senders here, by the settings of this stage: they are the edge's. */
  get #complaints(): readonly Problem[] {
    if (this.#options.settings.role !== 'edge') return [];
    return this.#current.compiled.issues
      .filter(({ severity }) => severity !== 'warning')
      .map((issue) => ({ part: 'engine', code: issue.code, message: toLine(issue) }));
  }

  /** The first revision is the console's to make. */
  async #awaitRevision(cluster: Cluster): Promise<Revision | undefined> {
    const { signal } = this.#stopping;
    for (;;) {
      const found = await cluster.latest().catch(() => undefined);
      if (found !== undefined || signal.aborted) return found;
      this.#options.logger.info({}, 'Nothing is deployed yet: it is waited for.');
      await pause(firstRevisionMs, signal);
    }
  }

  #exclusively(work: () => Promise<void>): Promise<void> {
    const done = this.#changing.then(async () => {
      if (!this.#stopping.signal.aborted) await work();
    });
    this.#changing = done.catch(() => undefined);
    return done;
  }

  #hear(notice: Notice): void {
    switch (notice.type) {
      case 'revision':
        this.#follow();
        return;
      case 'kept':
        this.#reload();
        return;
      case 'missed':
        this.#lookAgain();
        return;
      case 'message':
        this.#obey(notice.message as Talk);
    }
  }

  #obey(talk: Talk): void {
    if (talk.kind === 'tell' && (talk.to ?? this.#id) === this.#id) {
      this.#engine.tellConsumers(talk.message);
    }
    if (talk.kind === 'statuses') this.#engine.showAgain();
    if (talk.kind === 'start') {
      this.#flowControl.tryAgain(talk.interface).catch((error: unknown) => {
        this.#options.logger.error({ err: error }, 'A flow was not started.');
      });
    }
  }

  /** Other flows of what is deployed are to run than before: an edge runs none. */
  async #rearrange(): Promise<void> {
    if (this.#options.settings.role === 'edge') this.#engine.applyToEdge();
    else await this.#engine.rearrange();
  }

  /** What operators have decided may be something else now. */
  #reload(): void {
    const { logger } = this.#options;
    void this.#exclusively(async () => {
      try {
        await this.#paused?.reload();
        await this.#flowControl.reload();
        this.#engine.tellConsumers({ type: 'paused', queues: this.#paused?.names() ?? [] });
        await this.#rearrange();
      } catch (error) {
        logger.warn({ err: error }, 'What operators have decided is not known yet.');
        this.#tryAgain();
      }
    });
  }

  /** Goes by the newest revision, where that is another. */
  #follow(): void {
    void this.#exclusively(async () => {
      try {
        const newest = await this.#cluster?.latest();
        if (newest === undefined || newest.number === this.#revision) return;
        await this.#change(newest);
        this.#refused = undefined;
      } catch (error) {
        this.#refuse(error);
        this.#tryAgain();
      }
      await this.#report();
    });
  }

  async #change(revision: Revision): Promise<void> {
    const { logger } = this.#options;
    if (this.#options.settings.role === 'edge') {
      await this.#take(revision);
      this.#flowControl.deployed();
      this.#engine.applyToEdge();
    } else {
      const deployed = await this.#toOwn(revision);
      const flows = this.#flowControl.arrange(deployed.flows);
      const succession = await this.#engine.workers.prepare({ ...deployed, flows });
      this.#current = deployed;
      this.#revision = revision.number;
      this.#flowControl.deployed();
      await succession.complete();
    }
    logger.info({ revision: revision.number }, 'Another revision runs.');
  }

  async #take(revision: Revision): Promise<void> {
    this.#current = await this.#toOwn(revision);
    this.#revision = revision.number;
  }

  /** What of a revision is this role's: an edge needs no credentials, a worker its group's flows alone. */
  async #toOwn({ content }: Revision): Promise<Deployed> {
    const { settings } = this.#options;
    const credentialSecret = this.#credentialSecret;
    if (settings.role === 'edge') {
      return toDeployed({ ...content, credentials: {} }, { settings, credentialSecret });
    }
    const whole = await toDeployed(content, { settings, credentialSecret });
    return { ...whole, flows: selectGroup(whole.flows, settings.group) };
  }

  #refuse(error: unknown): void {
    const words = error instanceof HilumError ? error.issues.map(toLine).join('; ') : String(error);
    this.#options.logger.error({ err: error }, 'The newest revision does not run here.');
    this.#refused = {
      part: 'engine',
      code: 'revision-not-running',
      message: `Revision ${this.#revision} runs here, and a newer one does not start: ${words}`,
    };
  }

  /** At everything that may have changed. */
  #lookAgain(): void {
    this.#reload();
    this.#follow();
  }

  #tryAgain(): void {
    clearTimeout(this.#trying);
    if (this.#stopping.signal.aborted) return;
    this.#trying = setTimeout(() => {
      this.#lookAgain();
    }, againMs);
  }

  #say(talk: Talk): void {
    this.#cluster?.tell(talk).catch((error: unknown) => {
      this.#options.logger.debug({ err: error }, 'The editor does not see it.');
    });
  }

  /** Never rejects: whoever misses it for a while knows that too. */
  async #report(): Promise<void> {
    const { settings, logger } = this.#options;
    const report: Report = { status: this.status(), problems: this.problems() };
    const member = {
      ...{ id: this.#id, role: settings.role, host: hostname(), revision: this.#revision, report },
      ...(settings.role === 'worker' ? { group: settings.group } : {}),
    };
    await this.#cluster?.report(member).catch((error: unknown) => {
      logger.debug({ err: error }, 'The others do not hear how this role does.');
    });
  }
}
