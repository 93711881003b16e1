import type { ControlStatus, Problem } from '../../console/api/control.ts';
import type { Deploys } from '../../console/api/deploys.ts';
import type { InterfaceControl } from '../../console/api/interfaces.ts';
import type { FlowNode } from '../../core/interface.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { Administrator } from '../admin/administrator.ts';
import type { Kept } from '../admin/kept.ts';
import type { PausedQueues } from '../admin/paused-queues.ts';
import { PuttingBack } from '../admin/putting-back.ts';
import { AlarmWatch } from '../alarm/watch.ts';
import { toWatched } from '../alarm/watched.ts';
import type { Stores } from '../broker.ts';
import { prepareNodeRed } from '../data-directory.ts';
import type { Deployed } from '../deploy/deployed.ts';
import type { Stored } from '../deploy/stored.ts';
import type { Submission } from '../deploy/storage.ts';
import { followDeployedCodes } from '../held/deployed-codes.ts';
import { HeldMessages } from '../held/held-messages.ts';
import { newId } from '../ids.ts';
import type { ToChild } from '../process/messages.ts';
import { replay } from '../replay/replay.ts';
import { ReplayRuns } from '../replay/runs.ts';
import { Retention } from '../retention/retention.ts';
import { editorDirectory, type Settings } from '../settings.ts';
import type { Editor } from './editor.ts';
import { startConsole, type ConsoleServer } from './server.ts';

/** What the console is of: the engine as far as it shows it and tells it something. */
interface Engine {
  /** What is deployed at this moment. */
  readonly current: () => Deployed;
  /** The same as it is stored, for the editor. */
  readonly stored: () => Pick<Stored, 'flows' | 'credentials'>;
  readonly deploy: (submission: Submission) => Promise<void>;
  /** Resolves when no deploy is under way. */
  readonly settled: () => Promise<void>;
  readonly deploys: (editor: Editor) => Deploys;
  readonly status: () => ControlStatus;
  readonly problems: () => readonly Problem[];
  /** To all that take messages: each knows which queues are its own. */
  readonly tellConsumers: (message: ToChild) => void;
  /** To all that run flows. */
  readonly tellWorkers: (message: ToChild) => void;
  /** To one that runs the flows of this group. */
  readonly tellWorkerOf: (group: string, message: ToChild) => void;
  /** What runs, in the groups in which it does. */
  readonly flows: () => readonly FlowNode[];
}

interface Options {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly version: string;
  readonly stores: Stores;
  readonly paused: PausedQueues;
  readonly interfaces: InterfaceControl;
  readonly credentialSecret: string;
  readonly heldDecisions: Kept;
  readonly engine: Engine;
}

/** Console and editor, with what looks after the messages as a whole: replays, alarms, retention, what is held for codes. */
export class ConsoleRole {
  readonly #console: ConsoleServer;
  readonly #replays: ReplayRuns;
  readonly #alarms: AlarmWatch;
  readonly #retention: Retention;
  readonly #held: HeldMessages;

  private constructor(parts: {
    readonly console: ConsoleServer;
    readonly replays: ReplayRuns;
    readonly alarms: AlarmWatch;
    readonly retention: Retention;
    readonly held: HeldMessages;
  }) {
    this.#console = parts.console;
    this.#replays = parts.replays;
    this.#alarms = parts.alarms;
    this.#retention = parts.retention;
    this.#held = parts.held;
  }

  /** Rejects when its address cannot be had. Alarms, retention and what is held rest until {@link watch}. */
  static async open(options: Options): Promise<ConsoleRole> {
    const { settings, logger, stores, paused, engine } = options;
    await prepareNodeRed(editorDirectory(settings));
    const definitions = () => engine.current().compiled.definitions;
    const queues = () => definitions().queues.map(({ name }) => name);
    const labelOf = (owner: string): string | undefined =>
      engine.status().interfaces.find(({ id }) => id === owner)?.label;
    const onRelease = (queue: string, key: string): void => {
      engine.tellConsumers({ type: 'release', queue, key });
    };
    const replays = await ReplayRuns.open({
      stores,
      logger,
      clock: Date.now,
      definitions,
      directory: settings.replaysDirectory,
    });
    const retention = new Retention({
      retention: stores.retention,
      settings: settings.retention,
      logger,
      clock: Date.now,
      policies: () => engine.current().compiled.retention,
      labelOf,
    });
    const orders = () =>
      new Map(
        definitions().queues.map(({ name, keeps = 'none' }) => [
          name,
          { isOrdered: keeps !== 'none' },
        ]),
      );
    const puttingBack = new PuttingBack({ stores, logger, queues: orders });
    const held = new HeldMessages({
      ...{ stores, logger, puttingBack },
      clock: Date.now,
      kept: options.heldDecisions,
      deployed: followDeployedCodes(() => engine.current(), settings.environment),
      settled: () => engine.settled(),
      queues: orders,
      paused: () => paused.names(),
      onRelease,
      labelOf,
    });
    const alarms = await AlarmWatch.open({
      ...stores,
      logger,
      clock: Date.now,
      newId: () => newId(Date.now()),
      watched: () =>
        toWatched(engine.current().compiled, engine.status().interfaces, settings.alarm.limits),
      address: settings.alarm.address,
      file: settings.alarmsFile,
      everyMs: settings.alarm.everyMs,
    });
    const console = await startConsole({
      ...options,
      control: {
        replay: (id, by) => replay(id, by, { stores, definitions: definitions(), clock: Date.now }),
        status: () => engine.status(),
        problems: () => engine.problems(),
        queues,
      },
      administration: new Administrator({
        stores,
        logger,
        clock: Date.now,
        ...{ paused, puttingBack },
        queues,
        onRelease,
        keepsOrder: (queue) => orders().get(queue)?.isOrdered === true,
        onPaused: (names) => {
          engine.tellConsumers({ type: 'paused', queues: names });
        },
      }),
      replays,
      alarms,
      retention,
      unmapped: held,
      stored: engine.stored,
      deploy: engine.deploy,
      deploys: engine.deploys,
      flows: engine,
    });
    return new ConsoleRole({ console, replays, alarms, retention, held });
  }

  get url(): string {
    return this.#console.url;
  }

  get editor(): Editor {
    return this.#console.editor;
  }

  setupLink(): Promise<string | undefined> {
    return this.#console.setupLink();
  }

  /** Alarms, retention, and letting go on what is held for codes begin. */
  watch(): void {
    this.#alarms.start();
    this.#retention.start();
    this.#held.start();
  }

  async stop(): Promise<void> {
    await this.#console.stop();
    await this.#held.stop();
    await this.#replays.close();
    await this.#alarms.stop();
    await this.#retention.stop();
  }
}
