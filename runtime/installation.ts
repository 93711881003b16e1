import type { ControlStatus, Problem } from '../console/api/control.ts';
import type { Logger } from '../core/ports/logger.ts';
import type { Kept } from './admin/kept.ts';
import { PausedQueues } from './admin/paused-queues.ts';
import { needsOwner, openStores, type Stores } from './broker.ts';
import { readCredentialSecret } from './data-directory.ts';
import type { Deployed } from './deploy/deployed.ts';
import { Engine, type Shown } from './engine.ts';
import type { Settings } from './settings.ts';
import { adoptOrphans } from './spool/open-spool.ts';
import { FlowControl } from './supervision/flow-control.ts';

export interface InstallationOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly version: string;
}

/**
 * What `hilum start` runs, everything or one role of it, on a data folder that is prepared. It starts as a whole or not at
 * all, and what it has opened by then is closed in the same order as at its end.
 */
export abstract class Installation {
  protected readonly options: InstallationOptions;
  protected readonly flowControl: FlowControl;
  protected readonly engine: Engine;
  /** Aborted as soon as it is to stop. */
  protected readonly stopping = new AbortController();
  #stores: Stores | undefined;
  #paused: PausedQueues | undefined;
  #adopting: Promise<void> | undefined;

  constructor(options: InstallationOptions) {
    this.options = options;
    this.flowControl = new FlowControl({
      logger: options.logger,
      clock: Date.now,
      flows: () => this.current.flows,
      onChange: () => this.rearrange(),
    });
    this.engine = new Engine({
      ...options,
      current: () => this.current,
      flowControl: this.flowControl,
      paused: () => this.#paused?.names() ?? [],
      onShow: (what, event) => {
        this.show(what, event);
      },
    });
  }

  /** Where its console is, or its health; empty before it has started. */
  abstract get url(): string;

  /** A link to make the first administrator; undefined where there is one, or no console. */
  abstract setupLink(): Promise<string | undefined>;

  /** Why messages are not taken and delivered; none: everything that the flows ask for is up. */
  abstract problems(): readonly Problem[];

  /** Resolves when it works. Rejects, with everything stopped again, when a part cannot start. */
  async start(): Promise<void> {
    try {
      await this.open(await readCredentialSecret(this.options.settings));
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Takes no more, finishes what is under way, and ends every process. Idempotent. */
  async stop(): Promise<void> {
    if (this.stopping.signal.aborted) return;
    this.stopping.abort();
    this.engine.announceStop();
    this.flowControl.close();
    await this.#adopting;
    await this.closeFirst();
    await this.engine.stop();
    await this.settle();
    await this.#stores?.close();
    await this.engine.stopHelpers();
    await this.closeLast();
  }

  /** What runs, listens and sends at this moment. */
  status(): ControlStatus {
    return this.engine.status();
  }

  /** What is deployed at this moment. */
  protected abstract get current(): Deployed;

  protected abstract open(credentialSecret: string): Promise<void>;

  /** Other flows of what is deployed are to run than before. */
  protected abstract rearrange(): Promise<void>;

  /** Something a worker's Node-RED said, for the editor. */
  protected abstract show(what: Shown, event: object): void;

  /** Whoever asks the engine for something. */
  protected closeFirst(): Promise<void> {
    return Promise.resolve();
  }

  /** Changes that are under way, once nothing new can come. */
  protected settle(): Promise<void> {
    return Promise.resolve();
  }

  /** What all others need to the end. */
  protected closeLast(): Promise<void> {
    return Promise.resolve();
  }

  /** Reads what operators have decided, and keeps it there. First of all: what was stopped must not start by itself. */
  protected async openDecisions(kept: {
    readonly paused: Kept;
    readonly stopped: Kept;
  }): Promise<PausedQueues> {
    this.#paused = await PausedQueues.open(kept.paused);
    await this.flowControl.open(kept.stopped);
    return this.#paused;
  }

  /** The owner of the data file where there is to be one, and the stores of this process itself. */
  protected async openStores(wishes: Parameters<typeof openStores>[2] = {}): Promise<Stores> {
    const { settings, logger } = this.options;
    if (needsOwner(settings)) await this.engine.startHelper('owner');
    this.#stores = await openStores(settings, logger, wishes);
    return this.#stores;
  }

  /** What ended processes left for the ledger is taken to it, from now on. */
  protected adoptOrphans({ ledger }: Stores): void {
    this.#adopting = adoptOrphans({
      ...this.options,
      settings: this.options.settings.spool,
      ledger,
      isInUse: (name) => this.engine.hasSpool(name),
      stopping: this.stopping.signal,
    });
  }
}
