import type { Broker } from '../../core/ports/broker.ts';
import type { Ledger, LedgerFilter, OrderedPage, Page } from '../../core/ports/ledger.ts';
import type { AlarmReader } from './alarms.ts';
import type { Control } from './control.ts';
import { toMessageView, toTraceView } from './messages.ts';
import { toLiveQueues, toQueueViews, type QueueFacts } from './queues.ts';
import { Rates } from './rates.ts';
import { mostParked } from './views.ts';
import type {
  LiveQueue,
  MessageView,
  ParkedView,
  QueueView,
  StatusView,
  TraceView,
  WaitingView,
} from './views.ts';

export interface ReaderOptions {
  readonly broker: Pick<Broker, 'depths'>;
  readonly ledger: Pick<Ledger, 'trace' | 'find' | 'waiting' | 'parked' | 'ages' | 'counts'>;
  readonly control: Control;
  readonly alarms: AlarmReader;
  readonly clock: () => number;
  readonly version: string;
}

/** Everything the console shows, read from broker, ledger and engine. Looking consumes nothing. */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #rates = new Rates();

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  async queues(): Promise<QueueView[]> {
    return toQueueViews(await this.#facts());
  }

  async liveQueues(): Promise<LiveQueue[]> {
    return toLiveQueues(await this.#facts());
  }

  async messages(filter: LedgerFilter, page: OrderedPage): Promise<MessageView[]> {
    const { ledger, control } = this.#options;
    const summaries = await ledger.find(filter, page);
    const status = control.status();
    return summaries.map((summary) => toMessageView(summary, status));
  }

  /** What waits in a queue, who waits longest first. */
  async waiting(queue: string, page: Page): Promise<WaitingView[]> {
    const { ledger, control } = this.#options;
    const waiting = await ledger.waiting(queue, page);
    const status = control.status();
    return waiting.map((each) => ({ ...toMessageView(each, status), waitsSince: each.since }));
  }

  /**
   * What is set aside, by the message that is first of each key: the key itself is patient data. Of many keys those that
   * are set aside longest.
   */
  async parked(queue?: string): Promise<ParkedView[]> {
    const { ledger } = this.#options;
    const found: ParkedView[] = [];
    for (let after: number | undefined; ;) {
      const { keys, next } = await ledger.parked({
        limit: mostParked - found.length,
        ...(queue === undefined ? {} : { queue }),
        ...(after === undefined ? {} : { after }),
      });
      for (const { key: _key, ...view } of keys) found.push(view);
      if (next === undefined || found.length >= mostParked) return found;
      after = next;
    }
  }

  /** By message id or control id. */
  async trace(id: string): Promise<TraceView | undefined> {
    const { ledger, control } = this.#options;
    const trace = await ledger.trace(id);
    return trace && toTraceView(trace, id, control.status());
  }

  status(): StatusView {
    const { control, alarms, version } = this.#options;
    const { standing } = alarms.view();
    const problems = control.problems();
    const ready = problems.length === 0;
    return { version, ready, problems, ...control.status(), alarms: standing };
  }

  /** Takes a sample for the rates; called every ten seconds also while nobody looks. */
  async sample(): Promise<void> {
    this.#rates.observe(await this.#options.ledger.counts(), this.#options.clock());
  }

  async #facts(): Promise<QueueFacts> {
    const { broker, ledger, control, clock } = this.#options;
    const [depths, ages] = await Promise.all([broker.depths(), ledger.ages(), this.sample()]);
    return { depths, ages, status: control.status(), rates: this.#rates, now: clock() };
  }
}
