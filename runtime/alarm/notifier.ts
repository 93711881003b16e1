import { postJson, toPlace, type WebhookAddress } from '../../connectors/webhook/webhook.ts';
import type { AlarmTestView, ReceiverView } from '../../console/api/alarms.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import { pause } from '../consuming.ts';
import type { Notification } from './notification.ts';

interface Options {
  /** Absent: nothing is posted, and nothing waits. */
  readonly address: WebhookAddress | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  /** What an earlier process could not post. */
  readonly pending: readonly Notification[];
  /** Resolves when what is pending now is kept. */
  readonly keep: () => Promise<void>;
  /** Before the n-th attempt for one notification, 1-based. */
  readonly delayMs?: (attempt: number) => number;
  readonly timeoutMs?: number;
}

/** Beyond this many the oldest is given up: whoever was away for so long looks at what stands. */
const maxPending = 200;
const usualTimeoutMs = 10_000;
/** A post that is under way when Hilum stops may be taken: it would be told twice. */
const stopPatienceMs = 2_000;

/** Doubles from one second to five minutes. */
function usualDelayMs(attempt: number): number {
  return Math.min(300_000, 1_000 * 2 ** Math.min(attempt - 1, 16));
}

/** Posts notifications one after the other, for as long as the receiver takes to take them. */
export class Notifier {
  readonly #options: Options;
  /** No more posts. */
  readonly #stopping = new AbortController();
  /** Nor any answer. */
  readonly #leaving = new AbortController();
  #pending: readonly Notification[];
  #dropped = 0;
  #away: { readonly reason: string; readonly since: string } | undefined;
  #sending: Promise<void> | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#pending = options.address === undefined ? [] : options.pending;
  }

  get pending(): readonly Notification[] {
    return this.#pending;
  }

  view(): ReceiverView {
    const { address } = this.#options;
    return {
      ...(address === undefined ? {} : { to: toPlace(address.url) }),
      pending: this.#pending.length,
      dropped: this.#dropped,
      ...this.#away,
    };
  }

  /** Takes them up; `start` posts them. The oldest are given up where too many wait. */
  add(notifications: readonly Notification[]): void {
    if (this.#options.address === undefined) return;
    const all = [...this.#pending, ...notifications];
    this.#pending = all.slice(-maxPending);
    for (const { id, event } of all.slice(0, -maxPending)) {
      this.#drop({ id, event }, `More than ${maxPending} wait.`);
    }
  }

  /** Posts what is pending, in the background. */
  start(): void {
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
      // Added in the moment in which the last one had gone.
      if (this.#pending.length > 0 && !this.#stopping.signal.aborted) this.start();
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const patience = setTimeout(() => this.#leaving.abort(), stopPatienceMs);
    await this.#sending;
    clearTimeout(patience);
  }

  /** One post, now and once, beside those that wait. */
  async test(notification: Notification): Promise<AlarmTestView> {
    const { address } = this.#options;
    if (address === undefined) {
      return { taken: false, message: 'No receiver is set: set HILUM_ALARM_URL and start again.' };
    }
    const { kind, message } = await this.#post(address, notification);
    return { taken: kind === 'taken', message };
  }

  async #send(): Promise<void> {
    const { address, keep, delayMs = usualDelayMs } = this.#options;
    const isStopping = (): boolean => this.#stopping.signal.aborted;
    if (address === undefined) return;
    let attempt = 0;
    while (!isStopping()) {
      const [next] = this.#pending;
      if (next === undefined) return;
      const { kind, message } = await this.#post(address, next);
      if (kind === 'away') {
        if (!isStopping()) this.#noteAway(address, message);
        attempt += 1;
        await pause(delayMs(attempt), this.#stopping.signal);
        continue;
      }
      attempt = 0;
      this.#noteBack(address);
      this.#pending = this.#pending.filter((each) => each !== next);
      if (kind === 'refused') this.#drop(next, message);
      await keep();
    }
  }

  #post(address: WebhookAddress, notification: Notification) {
    const { timeoutMs = usualTimeoutMs } = this.#options;
    return postJson(address, notification, { timeoutMs, signal: this.#leaving.signal });
  }

  #noteAway({ url }: WebhookAddress, reason: string): void {
    if (this.#away?.reason === reason) return;
    const since = this.#away?.since ?? new Date(this.#options.clock()).toISOString();
    this.#away = { reason, since };
    this.#options.logger.warn(
      { receiver: toPlace(url), reason, pending: this.#pending.length },
      'The receiver of alarms takes no notification; they wait, and are tried again every 5 min at the longest.',
    );
  }

  #noteBack({ url }: WebhookAddress): void {
    if (this.#away === undefined) return;
    this.#away = undefined;
    this.#options.logger.info(
      { receiver: toPlace(url) },
      'The receiver of alarms takes notifications again.',
    );
  }

  #drop({ id, event }: Pick<Notification, 'id' | 'event'>, reason: string): void {
    this.#dropped += 1;
    this.#options.logger.error(
      { alarm: id, event, reason },
      'A notification of an alarm was given up; see what stands with hilum alarm.',
    );
  }
}
