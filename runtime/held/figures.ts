import type { HeldFigures } from '../../console/api/unmapped.ts';
import type { HeldGroup } from '../../core/ports/ledger.ts';
import type { Decision } from './decisions.ts';

/** So many systems are named, over the life of this process. */
const maxSystems = 20;

type How = HeldFigures['released'][number]['how'];

/** What has become of held messages since this process has begun, and the systems by which they are counted. */
export class Figures {
  readonly #released = new Map<string, Map<How, number>>();
  readonly #returned = new Map<string, number>();
  readonly #systems = new Set<string>();

  /** So many went on, or were given up, and of those some were held again. */
  add(
    owner: string,
    by: Decision | undefined,
    of: { readonly went: number; readonly again: number },
  ): void {
    const how = by?.decision ?? 'mapped';
    const counts = this.#released.get(owner) ?? new Map<How, number>();
    counts.set(how, (counts.get(how) ?? 0) + of.went);
    this.#released.set(owner, counts);
    this.#returned.set(owner, (this.#returned.get(owner) ?? 0) + of.again);
  }

  /** Undefined `groups`: it is not known now what is held. */
  read(groups: readonly HeldGroup[] | undefined, putBack: number): HeldFigures {
    const released = [...this.#released].flatMap(([owner, counts]) =>
      [...counts].map(([how, count]) => ({ interface: owner, how, count })),
    );
    const returned = [...this.#returned].map(([owner, count]) => ({ interface: owner, count }));
    if (groups === undefined) return { released, returned, putBack };
    return { ...this.#count(groups), released, returned, putBack };
  }

  #count(groups: readonly HeldGroup[]): Pick<HeldFigures, 'held' | 'oldest'> {
    const held = new Map<string, { interface: string; system: string; messages: number }>();
    const oldest = new Map<string, string>();
    for (const { interface: owner, codes, messages, firstAt } of groups) {
      const system = this.#nameOf(codes[0]?.system);
      const key = JSON.stringify([owner, system]);
      const known = held.get(key) ?? { interface: owner, system, messages: 0 };
      held.set(key, { ...known, messages: known.messages + messages });
      const before = oldest.get(owner);
      if (before === undefined || firstAt < before) oldest.set(owner, firstAt);
    }
    return {
      held: [...held.values()],
      oldest: [...oldest].map(([owner, at]) => ({ interface: owner, at })),
    };
  }

  /** It stands in a message: strangers may read these figures, and there may be any number of them. */
  #nameOf(system: string | undefined): string {
    if (system === undefined) return 'none';
    if (system.startsWith('urn:id:')) return 'local';
    if (!/^(?:https?:\/\/[\w./-]{1,100}|urn:oid:[\d.]{1,100})$/.test(system)) return 'other';
    if (!this.#systems.has(system) && this.#systems.size >= maxSystems) return 'other';
    this.#systems.add(system);
    return system;
  }
}
