import { hash } from 'node:crypto';
import type { HeldCode } from '../../core/held-code.ts';
import type { HeldGroup } from '../../core/ports/ledger.ts';
import type { UnmappedView } from '../../console/api/unmapped.ts';

/** A code of one table, map and interface for which messages are held. */
export interface WorkItem extends Omit<UnmappedView, 'isMapped' | 'add' | 'interfaceLabel'> {
  /** As the first of them has it. */
  readonly held: HeldCode;
}

const maxExamples = 5;

/** The work items of what is held, those first that are waited for longest: a group of messages may wait for several codes. */
export function toWorkItems(groups: readonly HeldGroup[]): readonly WorkItem[] {
  const items = new Map<string, WorkItem>();
  for (const group of groups) {
    for (const held of group.codes) {
      const id = toItemId(group.interface, held);
      const known = items.get(id);
      items.set(id, known === undefined ? begin(id, group, held) : join(known, group, held));
    }
  }
  return [...items.values()].sort((one, other) => compare(one.firstAt, other.firstAt));
}

/** The same for the same code of the same table, map and interface, whichever rule or node asks. */
export function toItemId(owner: string, held: HeldCode): string {
  const { map, table, system, code, isTarget = false } = held;
  const parts = [owner, map ?? null, table, system ?? null, code, isTarget];
  return hash('sha256', JSON.stringify(parts), 'hex').slice(0, 16);
}

function begin(id: string, group: HeldGroup, held: HeldCode): WorkItem {
  const { table, system, code, display, source, isTarget = false } = held;
  const { messages, waiting, firstAt, lastAt, examples } = group;
  return {
    ...{ id, interface: group.interface, rules: [toRule(held)], table },
    ...(system === undefined ? {} : { system }),
    code,
    ...(display === undefined ? {} : { display }),
    ...(waiting === undefined ? {} : { waiting }),
    ...{ isTarget, sources: [source], messages, firstAt, lastAt, examples, held },
  };
}

function join(item: WorkItem, group: HeldGroup, held: HeldCode): WorkItem {
  const { display = held.display, waiting, ...rest } = item;
  const isCounted = waiting !== undefined && group.waiting !== undefined;
  return {
    ...rest,
    ...(isCounted ? { waiting: waiting + group.waiting } : {}),
    ...(display === undefined ? {} : { display }),
    rules: withOne(item.rules, toRule(held)),
    sources: withOne(item.sources, held.source),
    messages: item.messages + group.messages,
    firstAt: compare(group.firstAt, item.firstAt) < 0 ? group.firstAt : item.firstAt,
    lastAt: compare(group.lastAt, item.lastAt) > 0 ? group.lastAt : item.lastAt,
    examples: [...new Set([...item.examples, ...group.examples])].slice(0, maxExamples),
  };
}

const toRule = ({ map, rule = '', node }: HeldCode): string =>
  map === undefined ? node : `${map}#${rule}`;

const withOne = (all: readonly string[], one: string): readonly string[] =>
  all.includes(one) ? all : [...all, one];

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
