import { hostname } from 'node:os';
import { toLine } from '../../core/errors.ts';
import type { Cluster, Notice, Revision } from '../../core/ports/cluster.ts';
import type { ControlStatus, Problem } from '../../console/api/control.ts';
import { keptInBoth, keptInCluster, keptInFile, type Kept } from '../admin/kept.ts';
import type { PausedQueues } from '../admin/paused-queues.ts';
import { nothingDeployed, type Deployed } from '../deploy/deployed.ts';
import { forgetOtherVersions, toDeployed } from '../deploy/deployments.ts';
import { selectGroup } from '../deploy/groups.ts';
import type { Shown } from '../engine.ts';
import { newId } from '../ids.ts';
import { Installation } from '../installation.ts';
import { FollowedRevision, isAway } from './followed-revision.ts';
import { ofTheEdge } from './members.ts';
import { openOwnCluster } from './open.ts';
import { toStored } from './revision-content.ts';
import { startStationServer, type StationServer } from './station-server.ts';
import { keptNames, reportEveryMs, type Report, type Talk } from './talk.ts';

/** What says nothing of the others that this role serves. */
const ofSingle: ReadonlySet<string> = new Set(['revision-not-running', 'sender-starting']);

/** Whoever does not start with a revision tries again after this long; what fails may be mended outside of it. */
const againMs = 30_000;
/** PostgreSQL is away: others may run by something else already. */
const awayAgainMs = 1_000;

/**
 * One role in a container of its own, the edge or the workers of a group: it keeps its processes alive, goes by the newest
 * revision that starts, and tells the others how it does.
 */
export class Station extends Installation {
  readonly #id = newId(Date.now());
  #deployed: Deployed = nothingDeployed;
  #followed: FollowedRevision | undefined;
  #cluster: Cluster | undefined;
  #server: StationServer | undefined;
  #paused: PausedQueues | undefined;
  #credentialSecret = '';
  /** Changes, one after the other. */
  #changing: Promise<void> = Promise.resolve();
  #reporting: NodeJS.Timeout | undefined;
  #trying: NodeJS.Timeout | undefined;

  get url(): string {
    return this.#server?.url ?? '';
  }

  setupLink(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  override status(): ControlStatus {
    const status = super.status();
    return { ...status, notes: [...(this.#followed?.notes() ?? []), ...(status.notes ?? [])] };
  }

  /** All that is not as it should be. */
  problems(): readonly Problem[] {
    const own = this.engine.problems();
    const about = this.#isEdge ? own : own.filter(({ code }) => !ofTheEdge.has(code));
    return [...(this.#followed?.problems() ?? []), ...this.#complaints, ...about];
  }

  protected get current(): Deployed {
    return this.#deployed;
  }

  protected async open(credentialSecret: string): Promise<void> {
    const { settings, logger } = this.options;
    this.#credentialSecret = credentialSecret;
    const cluster = await openOwnCluster(settings, logger);
    this.#cluster = cluster;
    const followed = new FollowedRevision({
      ...{ cluster, logger, stopping: this.stopping.signal },
      kept: keptInFile(settings.lastRevisionFile),
      strip: (revision) => this.#strip(revision),
    });
    this.#followed = followed;
    this.#server = await startStationServer({
      ...this.options,
      status: () => this.status(),
      problems: () => this.#findObstacles(),
    });
    const revision = await followed.first();
    if (revision === undefined) return;
    const decisions = (name: 'paused' | 'stopped', file: string): Kept =>
      keptInBoth(keptInCluster(cluster, keptNames[name]), keptInFile(file));
    this.#paused = await this.openDecisions({
      paused: decisions('paused', settings.pausedFile),
      stopped: decisions('stopped', settings.stoppedFile),
    });
    const stores = await this.openStores();
    this.#deployed = await this.#toOwn(revision);
    await forgetOtherVersions(this.#deployed, settings);
    // It listens before they have started, which takes its time: what is newer is taken right after.
    const started = this.#exclusively(async () => {
      await this.#startProcesses();
      await followed.runs(revision);
    });
    cluster.listen((notice) => {
      this.#hear(notice);
    });
    await started;
    this.adoptOrphans(stores);
    await this.#report();
    this.#reporting = setInterval(() => void this.#report(), reportEveryMs);
  }

  protected rearrange(): Promise<void> {
    return this.#exclusively(() => this.#rearrange());
  }

  protected show(what: Shown, event: object): void {
    this.#say({ kind: 'show', what, event });
  }

  protected override closeFirst(): Promise<void> {
    clearInterval(this.#reporting);
    clearTimeout(this.#trying);
    return Promise.resolve();
  }

  protected override settle(): Promise<void> {
    return this.#changing;
  }

  protected override async closeLast(): Promise<void> {
    await this.#cluster?.leave(this.#id).catch(() => undefined);
    await this.#cluster?.close();
    await this.#server?.stop();
  }

  get #isEdge(): boolean {
    return this.options.settings.role === 'edge';
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
    if (!this.#isEdge) return [];
    return this.#deployed.compiled.issues
      .filter(({ severity }) => severity !== 'warning')
      .map((issue) => ({ part: 'engine', code: issue.code, message: toLine(issue) }));
  }

  async #startProcesses(): Promise<void> {
    if (this.#isEdge) await this.engine.startEdge();
    else await this.engine.workers.start(this.engine.running);
  }

  #exclusively(work: () => Promise<void>): Promise<void> {
    const done = this.#changing.then(async () => {
      if (!this.stopping.signal.aborted) await work();
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
        // What is decided about held messages the console alone carries out.
        if (notice.name !== keptNames.held) this.#reload();
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
      this.engine.tellConsumers(talk.message);
    }
    if (talk.kind === 'statuses') this.engine.showAgain();
    if (talk.kind === 'start') {
      this.flowControl.tryAgain(talk.interface).catch((error: unknown) => {
        this.options.logger.error({ err: error }, 'A flow was not started.');
      });
    }
  }

  /** Other flows of what is deployed are to run than before: an edge runs none. */
  async #rearrange(): Promise<void> {
    if (this.#isEdge) this.engine.applyToEdge();
    else await this.engine.rearrange();
  }

  /** What operators have decided may be something else now. */
  #reload(): void {
    void this.#exclusively(async () => {
      try {
        await this.#paused?.reload();
        await this.flowControl.reload();
        this.engine.tellConsumers({ type: 'paused', queues: this.#paused?.names() ?? [] });
        await this.#rearrange();
      } catch (error) {
        const level = isAway(error) ? 'debug' : 'warn';
        const text = 'What operators have decided is not known yet.';
        this.options.logger[level]({ err: error }, text);
        this.#tryAgain(isAway(error) ? awayAgainMs : againMs);
      }
    });
  }

  /** Goes by the newest revision, where that is another. */
  #follow(): void {
    void this.#exclusively(async () => {
      const followed = await this.#followed?.follow((revision) => this.#change(revision));
      if (followed === 'away') this.#tryAgain(awayAgainMs);
      else if (typeof followed === 'object') {
        this.engine.workers.runInstead(followed.refused);
        this.#tryAgain(againMs);
      }
      await this.#report();
    });
  }

  async #change(revision: Revision): Promise<void> {
    const deployed = await this.#toOwn(revision);
    if (this.#isEdge) {
      this.#deployed = deployed;
      this.flowControl.deployed();
      this.engine.applyToEdge();
      return;
    }
    const flows = this.flowControl.arrange(deployed.flows);
    const succession = await this.engine.workers.prepare({ ...deployed, flows });
    this.#deployed = deployed;
    this.flowControl.deployed();
    await succession.complete();
  }

  /** What of a revision is this role's: an edge needs no credentials, a worker its group's flows alone. */
  async #toOwn(revision: Revision): Promise<Deployed> {
    const { settings } = this.options;
    const stored = toStored(this.#strip(revision).content, settings);
    const whole = await toDeployed(stored, {
      settings,
      credentialSecret: this.#credentialSecret,
    });
    const own = { ...whole, revision: revision.number };
    return this.#isEdge ? own : { ...own, flows: selectGroup(whole.flows, settings.group) };
  }

  #strip(revision: Revision): Revision {
    if (!this.#isEdge) return revision;
    return { ...revision, content: { ...revision.content, credentials: {} } };
  }

  /** At everything that may have changed. */
  #lookAgain(): void {
    this.#reload();
    this.#follow();
  }

  #tryAgain(afterMs: number): void {
    clearTimeout(this.#trying);
    if (this.stopping.signal.aborted) return;
    this.#trying = setTimeout(() => {
      this.#lookAgain();
    }, afterMs);
  }

  #say(talk: Talk): void {
    this.#cluster?.tell(talk).catch((error: unknown) => {
      this.options.logger.debug({ err: error }, 'The editor does not see it.');
    });
  }

  /** Never rejects: whoever misses it for a while knows that too. */
  async #report(): Promise<void> {
    const { settings, logger } = this.options;
    const report: Report = { status: this.status(), problems: this.problems() };
    const member = {
      ...{ id: this.#id, role: settings.role, host: hostname() },
      ...{ revision: this.#followed?.number ?? 0, report },
      ...(this.#isEdge ? {} : { group: settings.group }),
    };
    await this.#cluster?.report(member).catch((error: unknown) => {
      logger.debug({ err: error }, 'The others do not hear how this role does.');
    });
  }
}
