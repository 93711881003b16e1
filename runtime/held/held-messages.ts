import type { Mandate } from '../../console/api/administration.ts';
import type {
  HeldFigures,
  UnmappedCodes,
  UnmappedDecision,
  UnmappedView,
} from '../../console/api/unmapped.ts';
import { buildError } from '../../core/errors.ts';
import type { HeldGroup } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Kept } from '../admin/kept.ts';
import type { PuttingBack } from '../admin/putting-back.ts';
import type { Stores } from '../broker.ts';
import type { Clock } from '../clock.ts';
import { toInstant } from '../ids.ts';
import { Decisions, type Decision } from './decisions.ts';
import type { DeployedCodes } from './deployed-codes.ts';
import { Figures } from './figures.ts';
import { GroupWork, type Outcome } from './group-work.ts';
import { HeldGroups } from './held-groups.ts';
import { Lanes, type Lane } from './lanes.ts';
import { LettingGo, usualPace, type Pace } from './letting-go.ts';
import { Returned } from './returned.ts';
import { withEach } from './with-each.ts';
import { toItemId, toWorkItems } from './work-items.ts';

interface Options {
  readonly stores: Pick<Stores, 'broker' | 'ledger' | 'intake'>;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Where it is kept what somebody has decided and is not carried out yet. */
  readonly kept: Kept;
  readonly puttingBack: PuttingBack;
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
/** Whoever asks for figures gives up soon. */
const figuresMs = 2_000;

/** What one look has found. */
interface Look {
  readonly groups: readonly HeldGroup[];
  readonly codes: DeployedCodes;
  readonly decisions: readonly Decision[];
  /** Of these nobody who was decided about is left. */
  readonly passed: Set<HeldGroup>;
}

/**
 * Lets messages that are held for codes go on by themselves once what is deployed has the codes, the one that was set aside
 * first before the others, some at a time, and carries out what somebody has decided about them. All that it knows is in
 * the ledger and with what operators have decided: whoever is killed goes on where it was.
 */
export class HeldMessages implements UnmappedCodes {
  readonly #options: Options;
  readonly #pace: Pace;
  readonly #stopping = new AbortController();
  readonly #groups: HeldGroups;
  readonly #decisions: Decisions;
  readonly #returned: Returned;
  readonly #figures = new Figures();
  readonly #lettingGo: LettingGo;
  readonly #groupWork: GroupWork;
  readonly #lanes: Lanes;
  #working: Promise<void> | undefined;
  /** Of the last look. */
  #codes: DeployedCodes | undefined;
  #deployedAt = -Infinity;
  #lookedAt = -Infinity;
  /** The last look has left some that may go. */
  #hasMore = false;
  #isWarned = false;

  constructor(options: Options) {
    const { clock, kept, puttingBack } = options;
    this.#options = options;
    this.#pace = { ...usualPace, ...options.pace };
    this.#returned = new Returned(clock);
    this.#groups = new HeldGroups(options.stores.ledger);
    this.#decisions = new Decisions(kept);
    this.#lanes = new Lanes(() => toInstant(clock()));
    const parts = {
      figures: this.#figures,
      pace: this.#pace,
      decisions: this.#decisions,
      returned: this.#returned,
    };
    const stopping = this.#stopping.signal;
    const onDoubt = (queue: string): void => puttingBack.doubt(queue);
    this.#lettingGo = new LettingGo({ ...options, ...parts, stopping, onDoubt });
    this.#groupWork = new GroupWork({ ...options, ...parts, lettingGo: this.#lettingGo });
  }

  start(): void {
    this.#working ??= this.#work();
  }

  /** Idempotent. What is under way is the workers'. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
    await Promise.allSettled(this.#lanes.running.map(({ done }) => done));
    // Else the next one looks at some again.
    await this.#decisions.flush().catch(() => undefined);
  }

  async list(limit = Infinity): Promise<readonly UnmappedView[]> {
    const { deployed, labelOf } = this.#options;
    const groups = await this.#groups.read();
    const items = toWorkItems(groups).slice(0, limit);
    if (items.length === 0) return [];
    const codes = await deployed();
    const silent = new Map(
      groups.flatMap((group) => {
        const since = this.#lanes.silentSince(group.queue);
        if (since === undefined) return [];
        return group.codes.map((held) => [toItemId(group.interface, held), since] as const);
      }),
    );
    return items.map(({ held, ...item }) => {
      const label = labelOf(item.interface);
      const add = codes.findRow(held);
      const decision = this.#decisions.find(item.id);
      const silentSince = silent.get(item.id);
      return {
        ...item,
        ...(label === undefined ? {} : { interfaceLabel: label }),
        isMapped: !codes.isAwaited(held),
        ...(add === undefined ? {} : { add }),
        ...(decision === undefined ? {} : { decided: toDecided(decision) }),
        ...(silentSince === undefined ? {} : { silentSince }),
      };
    });
  }

  async figures(): Promise<HeldFigures> {
    const groups = await this.#groups.readWithin(figuresMs);
    return this.#figures.read(groups, this.#options.puttingBack.count);
  }

  async decide(id: string, decision: UnmappedDecision, mandate: Mandate): Promise<number> {
    const { logger, clock } = this.#options;
    const item = toWorkItems(await this.#groups.read()).find((each) => each.id === id);
    if (item === undefined) {
      throw buildError(
        'permanent',
        'unmapped-unknown',
        'Expected a code for which messages are held, found none of this id; see hilum mapping unmapped.',
      );
    }
    const { interface: owner, table, messages } = item;
    const at = toInstant(clock());
    await this.#decisions.add({ id, decision, ...mandate, at, messages, done: 0, reached: {} });
    this.#lookedAt = -Infinity;
    const fields = { code: id, interface: owner, table, messages, decision, ...mandate };
    logger.info(fields, 'Somebody has decided about messages that are held for a code.');
    return messages;
  }

  async #work(): Promise<void> {
    const { puttingBack } = this.#options;
    while (!this.#stopping.signal.aborted) {
      try {
        await withEach([() => puttingBack.work(), () => this.#lookInTime()], (step) => step());
        this.#isWarned = false;
      } catch (error) {
        this.#warn(error);
      }
      await this.#lettingGo.wait(tickMs);
    }
  }

  /** Waits for no queue whose flow does not answer: what others may do, or somebody decides, is done meanwhile. */
  async #lookInTime(): Promise<void> {
    if (!(await this.#isTime())) return;
    await this.#look(async (lanes) => {
      await withEach(lanes, ({ untilSilent }) => untilSilent);
      for (const { done } of lanes) done.catch((error: unknown) => this.#warn(error));
    });
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
    await this.#look((lanes) => withEach(lanes, ({ done }) => done));
  }

  /** Works on the groups of each queue, one after the other, and on all queues at the same time. */
  async #look(until: (lanes: readonly Lane[]) => Promise<void>): Promise<void> {
    const { deployed } = this.#options;
    this.#lookedAt = performance.now();
    this.#hasMore = false;
    await withEach(
      [
        () => this.#decisions.load(),
        async () => {
          const decisions = this.#decisions.list();
          const groups = await this.#groups.read();
          const codes = groups.length === 0 ? nothingDeployed : await deployed();
          const look: Look = { groups, codes, decisions, passed: new Set() };
          await this.#conclude(look);
          const started = [...Map.groupBy(groups, ({ queue }) => queue)].flatMap(
            ([queue, ofQueue]) =>
              this.#lanes.start(queue, (lane) => this.#runLane(lane, ofQueue, look)) ?? [],
          );
          this.#lanes.forgetSilent(new Set(groups.map(({ queue }) => queue)));
          await until(started);
        },
      ],
      (step) => step(),
    );
  }

  async #runLane(lane: Lane, groups: readonly HeldGroup[], look: Look): Promise<void> {
    // What is given up waits for no flow.
    const isSkipped = (group: HeldGroup): boolean => this.#decisions.of(group)?.decision === 'skip';
    const [first, then] = [groups.filter(isSkipped), groups.filter((each) => !isSkipped(each))];
    await withEach([...first, ...then], async (group) => {
      const outcome = await this.#workOn(group, look, lane);
      // Whoever stops meanwhile has seen some of it alone.
      const isStopping = this.#stopping.signal.aborted;
      if (outcome === 'through' && !isStopping) look.passed.add(group);
      if (outcome === 'full') this.#hasMore = true;
    }).finally(() => this.#conclude(look));
  }

  /** Undefined where nothing is to be done with it now. */
  async #workOn(group: HeldGroup, look: Look, lane: Lane): Promise<Outcome | undefined> {
    const { queues, paused } = this.#options;
    if (this.#stopping.signal.aborted) return undefined;
    const decision = this.#decisions.of(group);
    if (decision?.decision === 'skip') return this.#groupWork.giveUp(group, decision);
    const isMapped = !group.codes.some((held) => look.codes.isAwaited(held));
    const queue = queues().get(group.queue);
    if (queue === undefined || !(isMapped || decision !== undefined)) return 'through';
    // Of a queue that does not answer no more are sent into it.
    if (lane.isSilent || paused().includes(group.queue)) return undefined;
    const outcome = await this.#groupWork.goOn(group, {
      ...{ ...queue, decision },
      onSilent: () => this.#lanes.silence(lane),
    });
    if (outcome !== 'silent') this.#lanes.answers(lane);
    // Those that came after the decision.
    if (isMapped && decision !== undefined) this.#hasMore = true;
    return outcome;
  }

  /** What was decided about none of the groups that are left is carried out. */
  async #conclude({ groups, decisions, passed }: Look): Promise<void> {
    for (const decision of decisions) {
      if (groups.some((group) => !passed.has(group) && hasItem(group, decision.id))) continue;
      const known = this.#decisions.find(decision.id);
      if (known?.at !== decision.at) continue;
      await this.#decisions.remove(decision);
      const { id, by, done, messages } = known;
      const fields = { code: id, decision: known.decision, by, messages, done };
      this.#options.logger.info(fields, 'What somebody has decided about held messages is done.');
    }
  }

  /** Said once for as long as it lasts. */
  #warn(error: unknown): void {
    if (this.#isWarned) return;
    this.#isWarned = true;
    this.#options.logger.warn({ err: error }, 'Held messages cannot go on now; trying again.');
  }
}

const nothingDeployed: DeployedCodes = { isAwaited: () => true, findRow: () => undefined };

const hasItem = ({ interface: owner, codes }: HeldGroup, id: string): boolean =>
  codes.some((held) => toItemId(owner, held) === id);

const toDecided = ({ decision, by, reason, at, messages, done }: Decision) => ({
  ...{ decision, by, at },
  ...(reason === undefined ? {} : { reason }),
  left: Math.max(0, messages - done),
});
