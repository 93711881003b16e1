import { hash } from 'node:crypto';
import type { UnmappedDecision } from '../../console/api/unmapped.ts';
import { packHeld } from '../../core/held-code.ts';
import type { HeldGroup, HeldMessage } from '../../core/ports/ledger.ts';
import type { Kept } from '../admin/kept.ts';
import { toItemId } from './work-items.ts';

/** What somebody has decided about the messages that were held for a code by then, and how far that is carried out. */
export interface Decision {
  /** Of the work item. */
  readonly id: string;
  readonly decision: UnmappedDecision;
  readonly by: string;
  readonly reason?: string;
  /** ISO 8601 instant. What is held, or held again, after it waits for another decision. */
  readonly at: string;
  /** How many were held by then, and with how many that is done. */
  readonly messages: number;
  readonly done: number;
  /** Up to which place, by group: what lies before it is done or was held later. */
  readonly reached: Readonly<Record<string, number>>;
}

/** How often how far it is carried out is written at most: whoever is killed looks at so much again. */
const writeEveryMs = 1_000;

/**
 * What is decided and not carried out yet, kept so that whoever runs the console next goes on with it. Which messages are
 * still due is asked of the ledger: those that are held since before the decision.
 */
export class Decisions {
  readonly #kept: Kept;
  #standing: ReadonlyMap<string, Decision> = new Map();
  #writing: Promise<void> = Promise.resolve();
  #isWritten = true;
  #writtenAt = -Infinity;

  constructor(kept: Kept) {
    this.#kept = kept;
  }

  /** Reads what another process may have left. Rejects where it cannot be read: nobody is to decide over it. */
  async load(): Promise<void> {
    const known = this.#standing;
    await this.flush();
    const text = await this.#kept.read();
    // It has gone on meanwhile, and what was read may be from before: what others have decided is read the next time.
    if (this.#standing !== known) return;
    try {
      const list = text === undefined ? [] : (JSON.parse(text) as readonly Decision[]);
      this.#standing = new Map(list.map((each) => [each.id, each]));
    } catch (cause) {
      throw new Error(
        `A list of decisions about held messages was expected in ${this.#kept.where} and cannot be read; mend it, or remove it: what it decided is then to be decided again.`,
        { cause },
      );
    }
  }

  list(): readonly Decision[] {
    return [...this.#standing.values()];
  }

  find(id: string): Decision | undefined {
    return this.#standing.get(id);
  }

  /** What was decided last about one of the codes of a group. */
  of(group: HeldGroup): Decision | undefined {
    const found = group.codes.flatMap((held) => this.find(toItemId(group.interface, held)) ?? []);
    return found.reduce<Decision | undefined>(
      (last, each) => (last === undefined || each.at > last.at ? each : last),
      undefined,
    );
  }

  /**
   * Durable when it resolves. In the place of what was decided about the same item before, which holds on where this
   * rejects: nobody is to carry out what was answered with an error.
   */
  async add(decision: Decision): Promise<void> {
    await this.load();
    const { id, at } = decision;
    const before = this.#standing.get(id);
    this.#set(id, decision);
    try {
      await this.flush();
    } catch (error) {
      if (this.#standing.get(id)?.at === at) this.#set(id, before);
      throw error;
    }
  }

  /** So many more of a group are done, up to this place. Written now and then, and by {@link flush}. */
  async advance(
    { id, at }: Decision,
    group: HeldGroup,
    to: { readonly done: number; readonly place: number },
  ): Promise<void> {
    const known = this.#standing.get(id);
    // Somebody has decided otherwise meanwhile.
    if (known?.at !== at) return;
    const reached = { ...known.reached, [toGroupName(group)]: to.place };
    this.#set(id, { ...known, done: known.done + to.done, reached });
    if (performance.now() - this.#writtenAt >= writeEveryMs) await this.flush();
  }

  /** It is carried out. */
  async remove({ id, at }: Decision): Promise<void> {
    if (this.#standing.get(id)?.at !== at) return;
    this.#set(id, undefined);
    await this.flush();
  }

  /** What there is is durable when it resolves. */
  async flush(): Promise<void> {
    if (!this.#isWritten) this.#write();
    await this.#writing.catch((error: unknown) => {
      this.#isWritten = false;
      throw error;
    });
  }

  #set(id: string, decision: Decision | undefined): void {
    const next = new Map(this.#standing);
    if (decision === undefined) next.delete(id);
    else next.set(id, decision);
    this.#standing = next;
    this.#isWritten = false;
  }

  #write(): void {
    this.#isWritten = true;
    this.#writtenAt = performance.now();
    // One after the other, each with what holds by then.
    this.#writing = this.#writing
      .catch(() => undefined)
      .then(() => this.#kept.write(`${JSON.stringify(this.list(), null, 2)}\n`));
    // Whoever flushes hears of it.
    this.#writing.catch(() => undefined);
  }
}

/** From where on messages of the group may be due. */
export const toReached = ({ reached }: Decision, group: HeldGroup): number =>
  reached[toGroupName(group)] ?? 0;

/** Whether the decision is about it: it is held since before. */
export const isMeant = ({ at }: Decision, message: HeldMessage): boolean => message.heldAt <= at;

/** It names no code: what is decided is kept where people may read it. */
const toGroupName = ({ queue, codes }: HeldGroup): string =>
  hash('sha256', JSON.stringify([queue, packHeld(codes)]), 'hex').slice(0, 16);
