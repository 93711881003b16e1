import { type HeldCode, toField } from '../../core/held-code.ts';
import type { UnmappedHeld } from '../../core/mapping/run.ts';

/** Codes for which a mapper holds the message, as the node that maps tells them. */
export function toHeldCodes(
  held: readonly UnmappedHeld[],
  by: { readonly node: string; readonly layers: readonly string[]; readonly isTarget?: boolean },
): readonly HeldCode[] {
  const { node, layers, isTarget = false } = by;
  return held.map(({ location = '', ...rest }) => ({
    ...rest,
    node,
    layers: layers.join(','),
    source: toField(location),
    ...(isTarget ? { isTarget } : {}),
  }));
}
