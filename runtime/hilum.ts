import type { ControlStatus, Problem } from '../console/api/control.ts';
import type { Logger } from '../core/ports/logger.ts';
import { keptInFile } from './admin/kept.ts';
import { PausedQueues } from './admin/paused-queues.ts';
import { needsOwner, openStores, type Stores } from './broker.ts';
import { ConsoleRole } from './console/console-role.ts';
import { readCredentialSecret } from './data-directory.ts';
import { declareQueues } from './deploy/declare-queues.ts';
import type { Deployed } from './deploy/deployed.ts';
import { storeInFiles } from './deploy/deploy-store.ts';
import { Deployments } from './deploy/deployments.ts';
import { openHistory } from './deploy/history.ts';
import { toDeploys } from './deploy/to-deploys.ts';
import { Engine } from './engine.ts';
import type { Settings } from './settings.ts';
import { adoptOrphans } from './spool/open-spool.ts';
import { FlowControl } from './supervision/flow-control.ts';

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
  readonly #flowControl: FlowControl;
  readonly #engine: Engine;
  readonly #deployments: Deployments;
  #stores: Stores | undefined;
  #console: ConsoleRole | undefined;
  #paused: PausedQueues | undefined;
  #isStopping = false;
  /** What ended processes left for the ledger is taken to it. */
  #adopting: Promise<void> | undefined;
  readonly #orphansStopping = new AbortController();

  constructor(options: Options) {
    this.#options = options;
    const { settings, logger } = options;
    this.#flowControl = new FlowControl({
      logger,
      clock: Date.now,
      flows: () => this.#deployments.current.flows,
      onChange: () => this.#deployments.exclusively(() => this.#engine.rearrange()),
    });
    this.#engine = new Engine({
      ...options,
      current: () => this.#deployments.current,
      flowControl: this.#flowControl,
      paused: () => this.#paused?.names() ?? [],
      onShow: (kind, event) => this.#console?.editor.show(kind, event),
    });
    this.#deployments = new Deployments({
      ...options,
      store: storeInFiles(settings),
      history: openHistory({ ...settings, logger }),
      prepare: (deployed) => {
        const flows = this.#flowControl.arrange(deployed.flows);
        return this.#engine.workers.prepare({ ...deployed, flows });
      },
      onDeployed: (deployed) => {
        this.#apply(deployed);
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
    this.#paused = await PausedQueues.open(keptInFile(settings.pausedFile));
    await this.#flowControl.open(keptInFile(settings.stoppedFile));
    if (needsOwner(settings)) await this.#engine.startHelper('owner');
    const demo = settings.demo ? this.#engine.startHelper('demo') : undefined;
    // Whoever awaits it below hears of a failure; until then it must not count as unhandled.
    demo?.catch(() => undefined);
    const stores = await openStores(settings, logger, {
      onState: (state) => {
        this.#engine.connection('console', state);
      },
    });
    this.#stores = stores;
    const deployed = await this.#deployments.open(credentialSecret);
    for (const issue of deployed.compiled.issues) {
      logger.error({ node: issue.location, code: issue.code }, issue.message);
    }
    await declareQueues(deployed, stores);
    const opening = ConsoleRole.open({
      ...this.#options,
      stores,
      paused: this.#paused,
      interfaces: this.#flowControl,
      credentialSecret,
      engine: {
        current: () => this.#deployments.current,
        deploy: (submission) => this.#deployments.deploy(submission),
        stored: () => this.#deployments.stored,
        deploys: (editor) => toDeploys({ deployments: this.#deployments, editor, settings }),
        status: () => this.status(),
        problems: () => this.problems(),
        tellConsumers: (message) => {
          this.#engine.tellConsumers(message);
        },
        tellWorkers: (message) => {
          this.#engine.workers.send(message);
        },
        // It knows whether it is meant.
        tellWorkerOf: (_group, message) => {
          this.#engine.workers.send(message);
        },
        flows: () => this.#engine.running.flows,
      },
    }).then((opened) => (this.#console = opened));
    await Promise.all([demo, this.#engine.workers.start(this.#engine.running), opening]);
    // Last: whoever finds a listener open finds its flow ready as well.
    await this.#engine.startEdge();
    this.#console?.watch();
    this.#adopting = adoptOrphans({
      ...this.#options,
      settings: settings.spool,
      ledger: stores.ledger,
      isInUse: (name) => this.#engine.hasSpool(name),
      stopping: this.#orphansStopping.signal,
    });
  }

  /** Stops taking messages, finishes those under way, ends every process. Idempotent. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#engine.announceStop();
    this.#flowControl.close();
    this.#orphansStopping.abort();
    await this.#adopting;
    await this.#console?.stop();
    await this.#engine.stop();
    await this.#deployments.settled();
    await this.#stores?.close();
    await this.#engine.stopHelpers();
  }

  get url(): string {
    return this.#console?.url ?? '';
  }

  setupLink(): Promise<string | undefined> {
    return this.#console?.setupLink() ?? Promise.resolve(undefined);
  }

  /** What runs, listens and sends at this moment. */
  status(): ControlStatus {
    return this.#engine.status();
  }

  /** Why messages are not taken and delivered; none: every process is up and every listener listens. */
  problems(): readonly Problem[] {
    return this.#engine.problems();
  }

  #apply(deployed: Deployed): void {
    this.#flowControl.deployed();
    this.#engine.applyToEdge();
    if (this.#stores === undefined) return;
    // For the console, which counts what it has declared. Edge and workers declare what they use.
    declareQueues(deployed, this.#stores).catch((error: unknown) => {
      this.#options.logger.warn(
        { err: error },
        'The console does not see all queues until the next deploy.',
      );
    });
  }
}
