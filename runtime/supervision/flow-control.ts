import type { Mandate } from '../../console/api/administration.ts';
import type { InterfaceStatus } from '../../console/api/control.ts';
import type { InterfaceControl } from '../../console/api/interfaces.ts';
import { buildError } from '../../core/errors.ts';
import type { FlowNode, InterfaceDefinitions } from '../../core/interface.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Kept } from '../admin/kept.ts';
import { StoppedInterfaces } from '../admin/stopped-interfaces.ts';
import type { Clock } from '../clock.ts';
import { groupOf } from '../deploy/groups.ts';
import { toInstant } from '../ids.ts';
import { Arrangement, type Measure } from './arrangement.ts';
import type { QuickEnd } from './crash-loop.ts';

interface Options {
  readonly logger: Logger;
  readonly clock: Clock;
  /** As they are deployed. */
  readonly flows: () => readonly FlowNode[];
  /** {@link FlowControl.flows} and {@link FlowControl.select} say something else now: edge and workers go by it. */
  readonly onChange: () => Promise<void>;
  /** A flow that ended its worker is tried again after this long, in milliseconds. Default: 15 minutes. */
  readonly againMs?: number;
}

/** Whoever mends something outside of Hilum need not tell it; and it costs others nothing to see. */
const usualAgainMs = 15 * 60_000;

/** Which interfaces run: all that are deployed, but for those that an operator or their own crashes have stopped. */
export class FlowControl implements InterfaceControl {
  readonly #options: Options;
  readonly #arrangement: Arrangement;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Those that operators have stopped. */
  #stopped: StoppedInterfaces | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#arrangement = new Arrangement(options.clock);
  }

  /** First of all: reads which interfaces operators have stopped, and keeps that there. */
  async open(kept: Kept): Promise<void> {
    this.#stopped = await StoppedInterfaces.open(kept);
  }

  /** Operators may have decided something else, elsewhere. */
  async reload(): Promise<void> {
    await this.#stopped?.reload();
  }

  /** The flows as they are to run. */
  get flows(): readonly FlowNode[] {
    return this.#arrangement.arrange(this.#options.flows(), this.#stoppedIds);
  }

  /** The flows of a deploy as they are to run: what has crashed begins anew with it. */
  arrange(flows: readonly FlowNode[]): readonly FlowNode[] {
    return new Arrangement(this.#options.clock).arrange(flows, this.#stoppedIds);
  }

  /** What the edge is to do: an operator who stops an interface closes its listeners and senders too. */
  select(definitions: InterfaceDefinitions): InterfaceDefinitions {
    const stopped = this.#stoppedIds;
    const runs = (each: { readonly interface: string }): boolean => !stopped.has(each.interface);
    return {
      ...definitions,
      listeners: definitions.listeners.filter(runs),
      senders: definitions.senders.filter(runs),
    };
  }

  /** A worker of this group keeps ending. */
  async onCrashLoop(group: string, ends: readonly QuickEnd[]): Promise<void> {
    const measure = this.#arrangement.onCrashLoop(group, { flows: this.flows, ends });
    this.#log(group, measure);
    if (measure.kind === 'stopped') this.#tryAgainLater(measure.tabs);
    await this.#options.onChange();
  }

  /** Everything that crashed begins anew with a deploy. */
  deployed(): void {
    this.#forgetTimers();
    this.#arrangement.forget();
  }

  /** Nothing is tried again any more. */
  close(): void {
    this.#forgetTimers();
  }

  /** A flow that kept ending its worker begins anew. */
  async tryAgain(id: string): Promise<void> {
    if (this.#arrangement.start(id)) await this.#options.onChange();
  }

  async stop(id: string, { by, reason }: Mandate): Promise<void> {
    this.#requireInterface(id);
    const { clock, logger, onChange } = this.#options;
    const since = toInstant(clock());
    await this.#stopped?.add({
      interface: id,
      by,
      since,
      ...(reason === undefined ? {} : { reason }),
    });
    logger.info({ interface: id, by }, 'An interface was stopped.');
    await onChange();
  }

  async start(id: string, { by }: Mandate): Promise<void> {
    this.#requireInterface(id);
    const { logger, onChange } = this.#options;
    this.#arrangement.start(id);
    await this.#stopped?.remove(id);
    logger.info({ interface: id, by }, 'An interface was started.');
    await onChange();
  }

  /** Each interface with its worker group, and why it does not run where it does not. */
  statuses(): readonly InterfaceStatus[] {
    const { flows } = this.#options;
    const groups = new Map(this.flows.map((tab) => [tab.id, groupOf(tab)]));
    return flows()
      .filter(({ type }) => type === 'tab')
      .map((tab) => {
        const base = { id: tab.id, label: labelOf(tab), group: groups.get(tab.id) ?? groupOf(tab) };
        const byOperator = this.#stopped?.find(tab.id);
        if (byOperator !== undefined) {
          const { by, since, reason } = byOperator;
          const why = `Stopped by ${by}${reason === undefined ? '' : `: ${reason}`}. Start it with hilum interfaces start.`;
          return {
            ...base,
            state: 'stopped' as const,
            cause: 'operator' as const,
            since,
            reason: why,
          };
        }
        if (tab['disabled'] === true) return { ...base, state: 'disabled' as const };
        const crashed = this.#arrangement.stopped.get(tab.id);
        return crashed === undefined
          ? { ...base, state: 'running' as const }
          : { ...base, state: 'stopped' as const, cause: 'crash' as const, ...crashed };
      });
  }

  /** What is not as it should be although all others run, a line for each flow. */
  notes(): readonly string[] {
    return this.statuses()
      .filter(({ cause }) => cause === 'crash')
      .map(({ label, reason = '' }) => `The flow "${label}" is stopped. ${reason}`);
  }

  #tryAgainLater(tabs: readonly string[]): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      const started = tabs.filter((tab) => this.#arrangement.start(tab));
      if (started.length === 0) return;
      this.#options.logger.info(
        { interfaces: started },
        'Flows that were stopped are tried again.',
      );
      void this.#options.onChange();
    }, this.#options.againMs ?? usualAgainMs);
    timer.unref();
    this.#timers.add(timer);
  }

  get #stoppedIds(): ReadonlySet<string> {
    return this.#stopped?.ids() ?? new Set();
  }

  #forgetTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #requireInterface(id: string): void {
    if (this.#options.flows().some((node) => node.type === 'tab' && node.id === id)) return;
    throw buildError(
      'permanent',
      'interface-missing',
      'Expected the id of an interface that is deployed, found no such; see hilum interfaces list.',
    );
  }

  #log(group: string, measure: Measure): void {
    const { logger } = this.#options;
    if (measure.kind === 'split') {
      logger.error(
        { group, parts: measure.parts },
        'A worker keeps ending, and it is not known by which of its flows: each part gets a worker of its own.',
      );
      return;
    }
    for (const tab of measure.tabs) {
      const reason = this.#arrangement.stopped.get(tab)?.reason;
      logger.error(
        { group, interface: tab, reason },
        'A flow is stopped: it keeps ending its worker.',
      );
    }
  }
}

function labelOf(tab: FlowNode): string {
  const label = tab['label'];
  return typeof label === 'string' && label !== '' ? label : tab.id;
}
