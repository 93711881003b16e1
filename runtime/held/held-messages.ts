import type { Mandate } from '../../console/api/administration.ts';
import type { UnmappedCodes, UnmappedDecision, UnmappedView } from '../../console/api/unmapped.ts';
import { buildError } from '../../core/errors.ts';
import type { HeldGroup } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { putBack } from '../admin/decide.ts';
import { describeMandate } from '../admin/mandate.ts';
import type { Stores } from '../broker.ts';
import type { Clock } from '../clock.ts';
import type { DeployedCodes } from './deployed-codes.ts';
import { LettingGo, usualPace, type Pace } from './letting-go.ts';
import { Returned } from './returned.ts';
import { withEach } from './with-each.ts';
import { toItemId, toWorkItems } from './work-items.ts';

interface Options {
  readonly stores: Pick<Stores, 'broker' | 'ledger' | 'intake'>;
  readonly logger: Logger;
  readonly clock: Clock;
  /** What is deployed now: another object after each deploy. */
  readonly deployed: () => Promise<DeployedCodes>;
  /** Resolves when the workers of the last deploy have taken over, as far as that is known here. */
  readonly settled: () => Promise<void>;
  /** The queues of the flows that are deployed, and whether whoever consumes them keeps an order. */
  readonly queues: () => ReadonlyMap<string, { readonly isOrdered: boolean }>;
  /** Of these nothing is taken. */
  readonly paused: () => readonly string[];
  /** Whoever consumes the queue takes up what is set aside of the key. */
  readonly onRelease: (queue: string, key: string) => void;
  readonly labelOf: (owner: string) => string | undefined;
  readonly pace?: Partial<Pace>;
}

/** For so long after a deploy it is looked for often. */
const youngMs = 120_000;
const tickMs = 1_000;

/** What somebody has decided about an item, for the messages that were held by then. */
interface Request {
  readonly decision: UnmappedDecision;
  readonly mandate: Mandate;
  /** Up to which place, by their group: each is tried once. */
  readonly tried: Map<string, number>;
}

/**
 * Lets messages that are held for codes go on by themselves once what is deployed has the codes, the one that was set aside
 * first before the others, some at a time. All that it knows is in the ledger, and whoever is killed goes on where it was;
 * but not what somebody has decided and is not carried out yet.
 */
export class HeldMessages implements UnmappedCodes {
  readonly #options: Options;
  readonly #pace: Pace;
  readonly #stopping = new AbortController();
  readonly #requests = new Map<string, Request>();
  readonly #returned: Returned;
  readonly #lettingGo: LettingGo;
  #working: Promise<void> | undefined;
  /** Of the last look. */
  #codes: DeployedCodes | undefined;
  #deployedAt = -Infinity;
  #lookedAt = -Infinity;
  /** The last look has left some that may go. */
  #hasMore = false;
  #isWarned = false;
  /** Nothing that was decided about is kept out of its queue, for certain. */
  #isAllBack: boolean;

  constructor(options: Options) {
    this.#options = options;
    this.#isAllBack = options.stores.intake !== undefined;
    this.#pace = { ...usualPace, ...options.pace };
    this.#returned = new Returned(options.clock);
    this.#lettingGo = new LettingGo({
      ...options,
      pace: this.#pace,
      stopping: this.#stopping.signal,
    });
  }

  start(): void {
    this.#working ??= this.#work();
  }

  /** Idempotent. What is under way is the workers'. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  async list(): Promise<readonly UnmappedView[]> {
    const { stores, deployed, labelOf } = this.#options;
    const items = toWorkItems(await stores.ledger.held());
    if (items.length === 0) return [];
    const codes = await deployed();
    return items.map(({ held, ...item }) => {
      const label = labelOf(item.interface);
      const add = codes.findRow(held);
      return {
        ...item,
        ...(label === undefined ? {} : { interfaceLabel: label }),
        isMapped: !codes.isAwaited(held),
        ...(add === undefined ? {} : { add }),
      };
    });
  }

  async decide(id: string, decision: UnmappedDecision, mandate: Mandate): Promise<number> {
    const { stores, logger } = this.#options;
    const item = toWorkItems(await stores.ledger.held()).find((each) => each.id === id);
    if (item === undefined) {
      throw buildError(
        'permanent',
        'unmapped-unknown',
        'Expected a code for which messages are held, found none of this id; see hilum mapping unmapped.',
      );
    }
    this.#requests.set(id, { decision, mandate, tried: new Map() });
    this.#lookedAt = -Infinity;
    const { interface: owner, table, messages } = item;
    const fields = { interface: owner, table, messages, decision, by: mandate.by };
    logger.info(fields, 'Somebody has decided about messages that are held for a code.');
    return messages;
  }

  async #work(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await withEach([() => this.#putBack(), () => this.#lookInTime()], (step) => step());
        this.#isWarned = false;
      } catch (error) {
        this.#warn(error);
      }
      await this.#lettingGo.wait(tickMs);
    }
  }

  /** What a crash, or a broker that was away, may have kept out of its queue. */
  async #putBack(): Promise<void> {
    if (this.#isAllBack) return;
    const { stores, queues, logger } = this.#options;
    await withEach(queues(), async ([queue, { isOrdered }]) => {
      const messages = isOrdered ? 0 : await putBack(queue, stores);
      if (messages > 0) logger.info({ queue, messages }, 'Held messages are put back.');
    });
    this.#isAllBack = true;
  }

  async #lookInTime(): Promise<void> {
    if (await this.#isTime()) await this.look();
  }

  async #isTime(): Promise<boolean> {
    const now = performance.now();
    const codes = await this.#options.deployed();
    if (codes !== this.#codes) {
      await this.#options.settled();
      this.#codes = codes;
      this.#deployedAt = performance.now();
      this.#returned.clear();
      return true;
    }
    const { soonMs, everyMs } = this.#pace;
    if (this.#hasMore) return true;
    return now - this.#lookedAt >= (now - this.#deployedAt < youngMs ? soonMs : everyMs);
  }

  /**
   * Lets go on what may, but so many of a group as one look may. Rejects where ledger, broker or the mapping files cannot
   * be read; where that is so of one queue alone, the others had their turn.
   */
  async look(): Promise<void> {
    const { stores, deployed, queues, paused } = this.#options;
    this.#lookedAt = performance.now();
    this.#hasMore = false;
    const requests = [...this.#requests];
    const groups = await stores.ledger.held();
    const codes = groups.length === 0 ? undefined : await deployed();
    const left = new Set(groups);
    const letGo = async (group: HeldGroup): Promise<boolean> => {
      if (this.#stopping.signal.aborted || codes === undefined) return false;
      const request = requests.find(([id]) => hasItem(group, id))?.[1];
      const isMapped = !group.codes.some((held) => codes.isAwaited(held));
      const queue = queues().get(group.queue);
      if (request?.decision === 'skip') return this.#giveUp(group, request.mandate);
      if (queue === undefined || !(isMapped || request !== undefined)) return true;
      return !paused().includes(group.queue) && (await this.#goOn(group, { ...queue, request }));
    };
    const lettingGo = withEach(groups, async (group) => {
      if (await letGo(group)) left.delete(group);
    });
    await lettingGo.finally(() => this.#forget(requests, [...left]));
  }

  /** What was decided about none of the groups that are left. */
  #forget(requests: readonly (readonly [string, Request])[], left: readonly HeldGroup[]): void {
    for (const [id, request] of requests) {
      const isDone = !left.some((group) => hasItem(group, id));
      if (isDone && this.#requests.get(id) === request) this.#requests.delete(id);
    }
  }

  /** Whether all have gone on that are due: some may take too long, or be too many for one look. */
  async #goOn(
    group: HeldGroup,
    of: { readonly isOrdered: boolean; readonly request: Request | undefined },
  ): Promise<boolean> {
    const { isOrdered, request } = of;
    const summary =
      request === undefined ? 'its codes are mapped' : describeMandate(request.mandate);
    const figures = { went: 0, waitAgain: 0, underWay: 0 };
    let isThrough = true;
    const name = JSON.stringify([group.queue, group.codes]);
    for await (const page of this.#lettingGo.pagesOf(group, request?.tried.get(name))) {
      const due = request === undefined ? page.filter(({ id }) => this.#returned.isDue(id)) : page;
      if (due.length === 0) continue;
      request?.tried.set(name, due.at(-1)?.place ?? 0);
      this.#isAllBack &&= isOrdered || this.#options.stores.intake !== undefined;
      const { again, slow } = await this.#lettingGo.tryAgain(group.queue, due, {
        isOrdered,
        summary,
      });
      this.#isAllBack = true;
      for (const id of again) this.#returned.add(id);
      figures.went += due.length - again.length - slow.length;
      figures.waitAgain += again.length;
      figures.underWay += slow.length;
      const isFull = figures.went + figures.waitAgain >= this.#pace.perLook;
      this.#hasMore ||= isFull;
      isThrough = slow.length === 0 && !isFull;
      if (!isThrough) break;
    }
    if (Object.values(figures).some((count) => count > 0)) {
      const { interface: owner, queue } = group;
      const tables = [...new Set(group.codes.map(({ table }) => table))];
      const text =
        request === undefined
          ? 'Held messages went on: their codes are mapped.'
          : 'Held messages were tried again.';
      this.#options.logger.info({ interface: owner, queue, tables, ...figures }, text);
    }
    return isThrough;
  }

  /** Whether none is left. */
  async #giveUp(group: HeldGroup, mandate: Mandate): Promise<boolean> {
    const summary = describeMandate(mandate);
    let messages = 0;
    for await (const page of this.#lettingGo.pagesOf(group)) {
      await this.#lettingGo.giveUp(group.queue, page, summary);
      messages += page.length;
      if (messages >= this.#pace.perLook) break;
    }
    const { queue } = group;
    this.#options.logger.info({ queue, messages, by: mandate.by }, 'Held messages were given up.');
    this.#hasMore ||= messages >= this.#pace.perLook;
    return messages < this.#pace.perLook;
  }

  /** Said once for as long as it lasts. */
  #warn(error: unknown): void {
    if (this.#isWarned) return;
    this.#isWarned = true;
    this.#options.logger.warn({ err: error }, 'Held messages cannot go on now; trying again.');
  }
}

const hasItem = ({ interface: owner, codes }: HeldGroup, id: string): boolean =>
  codes.some((held) => toItemId(owner, held) === id);
