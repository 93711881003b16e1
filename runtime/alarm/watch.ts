import type { WebhookAddress } from '../../connectors/webhook/webhook.ts';
import type { AlarmReader, AlarmsView, AlarmTestView } from '../../console/api/alarms.ts';
import type { InterfaceDefinitions } from '../../core/interface.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import { Alarms, type AlarmChange } from './alarms.ts';
import { readKept, writeKept } from './kept.ts';
import type { AlarmLimits } from './limits.ts';
import { findListening, measure } from './measure.ts';
import {
  buildTestNotification,
  toAlarmView,
  toNotification,
  type Names,
  type Notification,
} from './notification.ts';
import { Notifier } from './notifier.ts';
import { Silence } from './silence.ts';

interface Options {
  readonly broker: Pick<Broker, 'depths'>;
  readonly ledger: Pick<Ledger, 'ages' | 'counts' | 'find'>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly newId: () => string;
  /** What holds now: asked at every look. */
  readonly watched: () => Watched;
  readonly address: WebhookAddress | undefined;
  /** Where it keeps what must outlive a restart. */
  readonly file: string;
  readonly everyMs: number;
  /** See {@link Notifier}. */
  readonly delayMs?: (attempt: number) => number;
}

/** What the flows say is to be watched, and how it is called. */
export interface Watched {
  readonly definitions: Pick<InterfaceDefinitions, 'listeners' | 'queues'>;
  readonly limitsOf: (owner: string) => AlarmLimits;
  readonly names: Names;
}

/** When an interface was heard last is kept this often at most. */
const keepHeardEveryMs = 60_000;

/**
 * Looks every few seconds at backlog, age, dead letters and silence, and tells log and receiver when an alarm starts and
 * when it ends. A look that fails changes nothing: `/readyz` tells of that.
 */
export class AlarmWatch implements AlarmReader {
  readonly #options: Options;
  readonly #alarms: Alarms;
  readonly #silence: Silence;
  readonly #notifier: Notifier;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #keeping: Promise<void> = Promise.resolve();
  #keptHeardMs: number;
  #isKept = true;

  /** Rejects where what was kept cannot be read. */
  static async open(options: Options): Promise<AlarmWatch> {
    return new AlarmWatch(options, await readKept(options.file));
  }

  private constructor(options: Options, kept: Awaited<ReturnType<typeof readKept>>) {
    this.#options = options;
    this.#alarms = new Alarms(kept.standing, options.newId);
    this.#silence = new Silence(kept.heard, options.ledger);
    this.#notifier = new Notifier({
      ...options,
      pending: kept.pending,
      keep: () => this.#keep(),
    });
    this.#keptHeardMs = options.clock();
  }

  start(): void {
    this.#notifier.start();
    this.#timer = setInterval(() => void this.look(), this.#options.everyMs);
  }

  /** What was heard last is kept; notifications that wait are posted after the next start. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await this.#notifier.stop();
    await this.#keep();
  }

  view(): AlarmsView {
    const { names } = this.#options.watched();
    return {
      standing: this.#alarms.standing().map((alarm) => toAlarmView(alarm, names)),
      receiver: this.#notifier.view(),
    };
  }

  test(): Promise<AlarmTestView> {
    const { newId } = this.#options;
    return this.#notifier.test(buildTestNotification(newId(), this.#now()));
  }

  /** One look; one at a time, never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch((error: unknown) => {
        this.#options.logger.debug({ err: error }, 'Nothing could be measured for the alarms.');
      })
      .finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { broker, ledger, clock, watched } = this.#options;
    const { definitions, limitsOf, names } = watched();
    const [depths, ages, counts] = await Promise.all([
      broker.depths(),
      ledger.ages(),
      ledger.counts(),
    ]);
    const now = clock();
    const silent = await this.#silence.observe(findListening(definitions), counts, now);
    const readings = measure({ definitions, limitsOf, depths, ages, silent, now });
    const changes = this.#alarms.observe(readings, new Date(now).toISOString());
    for (const change of changes) this.#log(change);
    const told = changes.map((change) => toNotification(change, names, this.#now()));
    await this.#tell(told, now);
  }

  async #tell(notifications: readonly Notification[], now: number): Promise<void> {
    this.#notifier.add(notifications);
    const mustKeep = notifications.length > 0 || now - this.#keptHeardMs >= keepHeardEveryMs;
    // Kept before it is posted: a crash in between posts it again, and never forgets it.
    if (mustKeep) await this.#keep();
    if (notifications.length > 0) this.#notifier.start();
  }

  /** One after the other. Where the disk is full an alarm goes out all the same. */
  #keep(): Promise<void> {
    this.#keeping = this.#keeping.then(async () => {
      try {
        await writeKept(this.#options.file, {
          standing: this.#alarms.standing(),
          pending: this.#notifier.pending,
          heard: this.#silence.heard(),
        });
        this.#keptHeardMs = this.#options.clock();
        this.#isKept = true;
      } catch (error) {
        if (this.#isKept) {
          this.#options.logger.warn(
            { err: error, file: this.#options.file },
            'The alarms that stand could not be kept: after a restart they may be told again.',
          );
        }
        this.#isKept = false;
      }
    });
    return this.#keeping;
  }

  #log({ event, alarm, isUnwatched = false }: AlarmChange): void {
    const { id, kind, interface: owner, queue, since, value, limit } = alarm;
    const { message } = toAlarmView(alarm, this.#options.watched().names);
    const fields = { alarm: id, kind, interface: owner, queue, value, limit };
    if (event === 'started') {
      this.#options.logger.warn(fields, `Alarm: ${message}`);
    } else {
      const why = isUnwatched ? 'is not watched any more' : 'is over';
      this.#options.logger.info({ ...fields, since }, `An alarm ${why}: ${message}`);
    }
  }

  #now(): string {
    return new Date(this.#options.clock()).toISOString();
  }
}
