import type { HeldGroup } from '../../core/ports/ledger.ts';
import type { HeldCursor, HeldPart } from './protocol.ts';

const maxGroups = 10_000;

/** The groups of all parts, asked one after the other, those first that were set aside first. */
export async function readHeldGroups(
  ask: (after: HeldCursor | undefined) => Promise<HeldPart>,
): Promise<readonly HeldGroup[]> {
  const found: { readonly first: number; group: HeldGroup }[] = [];
  for (let after: HeldCursor | undefined; ;) {
    const part = await ask(after);
    for (const { first, group, isRest } of part.found) {
      const last = found.at(-1);
      if (isRest && last !== undefined) last.group = join(last.group, group);
      // The last of it has gone on meanwhile.
      else if (group.messages > 0) found.push({ first, group });
    }
    after = part.next;
    const isWithin = after?.place !== undefined;
    if (after === undefined || (found.length >= maxGroups && !isWithin)) break;
  }
  return found
    .sort((one, other) => one.first - other.first)
    .slice(0, maxGroups)
    .map(({ group }) => group);
}

/** A group that is too large for one part. */
function join(group: HeldGroup, rest: HeldGroup): HeldGroup {
  if (rest.messages === 0) return group;
  const { waiting: _waiting, ...known } = group;
  return { ...known, messages: group.messages + rest.messages, lastAt: rest.lastAt };
}
