import type { HeldGroup } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { describeMandate } from '../admin/mandate.ts';
import { isMeant, toReached, type Decision, type Decisions } from './decisions.ts';
import type { Figures } from './figures.ts';
import type { LettingGo, Pace } from './letting-go.ts';
import type { Returned } from './returned.ts';

/** What became of a group in one look: all that are due are through, more are, or their flow takes none. */
export type Outcome = 'through' | 'full' | 'silent';

interface Options {
  readonly logger: Logger;
  readonly pace: Pace;
  readonly lettingGo: LettingGo;
  readonly decisions: Decisions;
  readonly returned: Returned;
  readonly figures: Figures;
}

/** Works on the messages of one group for one look. */
export class GroupWork {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Since their codes are mapped, or somebody has decided so. */
  async goOn(
    group: HeldGroup,
    of: {
      readonly isOrdered: boolean;
      readonly decision: Decision | undefined;
      readonly onSilent: () => void;
    },
  ): Promise<Outcome> {
    const { pace, lettingGo, decisions, returned } = this.#options;
    const { decision } = of;
    const summary = decision === undefined ? 'its codes are mapped' : describeMandate(decision);
    const figures = { went: 0, waitAgain: 0, underWay: 0 };
    let outcome: Outcome = 'through';
    const pages = lettingGo.pagesOf(group, {
      from: decision === undefined ? 0 : toReached(decision, group),
      isDue: (message) =>
        decision === undefined ? returned.isDue(message.id) : isMeant(decision, message),
    });
    for await (const { due, place } of pages) {
      const { again, slow } = await lettingGo.tryAgain(group.queue, due, { ...of, summary });
      if (decision !== undefined) {
        await decisions.advance(decision, group, { done: due.length, place });
      }
      for (const id of again) returned.add(id);
      this.#count(group, decision, { went: due.length, again: again.length });
      figures.went += due.length - again.length - slow.length;
      figures.waitAgain += again.length;
      figures.underWay += slow.length;
      if (figures.went + figures.waitAgain >= pace.perLook) outcome = 'full';
      if (slow.length > 0) outcome = 'silent';
      if (outcome !== 'through') break;
    }
    if (Object.values(figures).some((count) => count > 0)) {
      const text =
        decision === undefined
          ? 'Held messages went on: their codes are mapped.'
          : 'Held messages were tried again.';
      this.#log(text, group, { ...figures, ...(decision === undefined ? {} : toFields(decision)) });
    }
    return outcome;
  }

  /** As somebody has decided. */
  async giveUp(group: HeldGroup, decision: Decision): Promise<Outcome> {
    const { pace, lettingGo, decisions } = this.#options;
    const summary = describeMandate(decision);
    let messages = 0;
    const pages = lettingGo.pagesOf(group, {
      from: toReached(decision, group),
      isDue: (message) => isMeant(decision, message),
    });
    for await (const { due, place } of pages) {
      await lettingGo.giveUp(group.queue, due, summary);
      await decisions.advance(decision, group, { done: due.length, place });
      this.#count(group, decision, { went: due.length, again: 0 });
      messages += due.length;
      if (messages >= pace.perLook) break;
    }
    if (messages > 0) {
      this.#log('Held messages were given up.', group, { messages, ...toFields(decision) });
    }
    return messages < pace.perLook ? 'through' : 'full';
  }

  #count(group: HeldGroup, ...of: [Decision | undefined, { went: number; again: number }]): void {
    this.#options.figures.add(group.interface, ...of);
  }

  #log(text: string, { interface: owner, queue, codes }: HeldGroup, fields: object): void {
    const tables = [...new Set(codes.map(({ table }) => table))];
    this.#options.logger.info({ interface: owner, queue, tables, ...fields }, text);
  }
}

const toFields = ({ id, by, at }: Decision): object => ({ code: id, by, decidedAt: at });
