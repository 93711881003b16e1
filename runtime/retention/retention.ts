import type {
  RetentionControl,
  RetentionDryRunView,
  RetentionPolicyView,
  RetentionRunView,
  RetentionView,
} from '../../console/api/retention.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { LedgerRetention, PruneResult, RetentionLimit } from '../../core/ports/retention.ts';
import type { Clock } from '../clock.ts';
import { pause } from '../consuming.ts';
import type { RetentionPolicy, RetentionSettings } from './policy.ts';

interface Options {
  readonly retention: LedgerRetention;
  readonly settings: RetentionSettings;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Those of interfaces that set some themselves, by id: asked at every run. */
  readonly policies: () => ReadonlyMap<string, RetentionPolicy>;
  readonly labelOf: (owner: string) => string | undefined;
}

const dayMs = 86_400_000;
/** Messages of one step: some milliseconds of the owner. */
const stepMessages = 100;
/** Of a dry run, which writes nothing. */
const dryStepMessages = 1_000;
const stepBytes = 1024 * 1024;
/** The rest of the time is for those whose acknowledgments wait: a step takes at most this part of it. */
const shareOfTime = 0.1;
/** So much free room stays in the file: what comes next takes it. */
const reserveBytes = 32 * 1024 * 1024;
/** The greatest size is kept by going a bit below it, so that not every run has to. */
const roomBelowMaximum = 0.05;
/** Whatever its size, of the last hour everything stays. */
const youngestMs = 3_600_000;
/** How much younger a message may be, from pass to pass, when the file is too large. */
const earlySteps = 0.8;

interface Tally {
  removed: number;
  bytes: number;
  kept: number;
}

/** Removes what is old, once an hour and on request, in small steps, and gives the room back to the disk. */
export class Retention implements RetentionControl {
  readonly #options: Options;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<RetentionRunView> | undefined;
  #now: RetentionRunView | undefined;
  #last: RetentionRunView | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.run('schedule'), this.#options.settings.everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await this.#running;
  }

  async view(): Promise<RetentionView> {
    const { retention, settings, policies, labelOf } = this.#options;
    const own = [...policies()].map(([owner, policy]): RetentionPolicyView => {
      const label = labelOf(owner);
      return {
        interface: owner,
        ...(label === undefined ? {} : { interfaceLabel: label }),
        ...toDays(policy),
      };
    });
    return {
      policies: [toDays(settings.policy), ...own],
      maxFileBytes: settings.maxFileBytes ?? null,
      storage: await retention.storage(),
      ...(this.#now === undefined ? {} : { running: this.#now }),
      ...(this.#last === undefined ? {} : { last: this.#last }),
    };
  }

  async dryRun(): Promise<RetentionDryRunView> {
    const tally: Tally = { removed: 0, bytes: 0, kept: 0 };
    const limits = this.#limits();
    let after: number | undefined;
    do {
      after = await this.#step({ limits, limit: dryStepMessages, after, isDryRun: true }, tally);
    } while (after !== undefined && !this.#isStopping);
    return { messages: tally.removed, bytes: tally.bytes, kept: tally.kept };
  }

  /** Never rejects: what failed is in the view and in the log. */
  run(by: string): Promise<RetentionRunView> {
    this.#running ??= this.#run(by).finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #run(by: string): Promise<RetentionRunView> {
    const { logger } = this.#options;
    const startedAt = this.#instant();
    const tally: Tally = { removed: 0, bytes: 0, kept: 0 };
    let rest: Partial<RetentionRunView> = {};
    const note = (): RetentionRunView => ({ startedAt, ...tally, givenBackBytes: 0, ...rest });
    try {
      this.#now = note();
      await this.#pruneAll(this.#limits(), tally);
      const earlyBefore = await this.#keepSize(tally);
      this.#now = note();
      const givenBackBytes = await this.#giveBack();
      rest = { givenBackBytes, ...(earlyBefore === undefined ? {} : { earlyBefore }) };
    } catch (error) {
      logger.warn({ err: error }, 'Old messages could not be removed; the next run goes on.');
      rest = { ...rest, failed: error instanceof Error ? error.message : 'It failed.' };
    }
    this.#now = undefined;
    this.#last = { ...note(), endedAt: this.#instant() };
    const { removed, bytes, givenBackBytes } = this.#last;
    const isWorthALine = removed > 0 || givenBackBytes > 0 || by !== 'schedule';
    if (isWorthALine) {
      logger.info({ by, removed, bytes, givenBackBytes }, 'Old messages were removed.');
    }
    return this.#last;
  }

  async #pruneAll(limits: readonly RetentionLimit[], tally: Tally): Promise<void> {
    let after: number | undefined;
    do {
      after = await this.#step({ limits, limit: stepMessages, after }, tally);
    } while (after !== undefined && !this.#isStopping);
  }

  /** One step, and a pause that is as many times as long; where the next begins. */
  async #step(
    request: {
      readonly limits: readonly RetentionLimit[];
      readonly limit: number;
      readonly after: number | undefined;
      readonly isDryRun?: boolean;
    },
    tally: Tally,
  ): Promise<number | undefined> {
    const { retention } = this.#options;
    const { after, ...rest } = request;
    const asked = { ...rest, ...(after === undefined ? {} : { after }) };
    const startedMs = performance.now();
    let result: PruneResult = await retention.prune(asked);
    add(tally, result);
    if (result.dead.length > 0) {
      await retention.discardDead(result.dead);
      // Now nothing refers to them; what was removed by the step before is not there to be counted again.
      const { kept: _kept, ...again } = await retention.prune(asked);
      add(tally, { ...again, kept: 0 });
      result = { ...again, kept: 0 };
    }
    await this.#rest(startedMs);
    return result.next;
  }

  /** The oldest go early while the file is too large. Undefined where it was not. */
  async #keepSize(tally: Tally): Promise<string | undefined> {
    const { settings, retention, clock, logger } = this.#options;
    const { maxFileBytes } = settings;
    if (maxFileBytes === undefined) return undefined;
    const isTooLarge = async (part: number): Promise<boolean> => {
      const { fileBytes, freeBytes } = await retention.storage();
      return fileBytes - freeBytes > part * maxFileBytes;
    };
    if (!(await isTooLarge(1))) return undefined;
    const { oldestAt } = await retention.storage();
    if (oldestAt === undefined) return undefined;
    let ageMs = clock() - Date.parse(oldestAt);
    let before: string | undefined;
    while (ageMs > youngestMs && !this.#isStopping && (await isTooLarge(1 - roomBelowMaximum))) {
      ageMs = Math.max(youngestMs, ageMs * earlySteps);
      before = new Date(clock() - ageMs).toISOString();
      await this.#pruneAll(this.#limits(before), tally);
    }
    const fields = { maxFileBytes, before };
    if (await isTooLarge(1)) {
      logger.error(
        fields,
        'The data file is larger than HILUM_RETENTION_MAX_SIZE, and what is left still waits, is a dead letter, or is of the last hour: see hilum queues, or give it more room.',
      );
    } else {
      logger.warn(
        fields,
        'The data file had its greatest size: messages went before their days were over.',
      );
    }
    return before;
  }

  async #giveBack(): Promise<number> {
    const { retention } = this.#options;
    let given = 0;
    while (!this.#isStopping) {
      const { freeBytes, canGiveBack } = await retention.storage();
      if (!canGiveBack || freeBytes <= reserveBytes) break;
      const startedMs = performance.now();
      const piece = await retention.giveBack(Math.min(stepBytes, freeBytes - reserveBytes));
      if (piece === 0) break;
      given += piece;
      await this.#rest(startedMs);
    }
    return given;
  }

  #limits(earlyBefore?: string): readonly RetentionLimit[] {
    const { settings, policies, clock } = this.#options;
    const toLimit = ({ days, deadDays }: RetentionPolicy): RetentionLimit => {
      const before = laterOf(toInstant(days, clock()), earlyBefore);
      const deadBefore = toInstant(deadDays, clock());
      return {
        ...(before === undefined ? {} : { before }),
        ...(deadBefore === undefined ? {} : { deadBefore }),
      };
    };
    return [
      toLimit(settings.policy),
      ...[...policies()].map(([owner, policy]) => ({ interface: owner, ...toLimit(policy) })),
    ];
  }

  #rest(startedMs: number): Promise<void> {
    const tookMs = performance.now() - startedMs;
    return pause((tookMs * (1 - shareOfTime)) / shareOfTime, this.#stopping.signal);
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #instant(): string {
    return new Date(this.#options.clock()).toISOString();
  }
}

function add(tally: Tally, { removed, bytes, kept }: Tally): void {
  tally.removed += removed;
  tally.bytes += bytes;
  tally.kept += kept;
}

function toDays({
  days = null,
  deadDays = null,
}: {
  days?: number | null;
  deadDays?: number | null;
}) {
  return { days, deadDays };
}

function toInstant(days: number | undefined, now: number): string | undefined {
  return days === undefined ? undefined : new Date(now - days * dayMs).toISOString();
}

function laterOf(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one > other ? one : other;
}
