/** How many bytes of what a flow's nodes change are kept of each message; 0: nothing. */
const usualKiB = 16;
const maxKiB = 1_024;

export const changesSetting = 'HILUM_CHANGES';

/** Reads `HILUM_CHANGES`: KiB for each message, or `off`; with a problem in words where it is neither. */
export function readChangeBound(find: (name: string) => string | undefined): {
  readonly maxBytes: number;
  readonly problems: readonly string[];
} {
  const text = find(changesSetting)?.trim() ?? '';
  if (text === '') return { maxBytes: usualKiB * 1024, problems: [] };
  if (text === 'off') return { maxBytes: 0, problems: [] };
  const kiB = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (kiB >= 1 && kiB <= maxKiB) return { maxBytes: kiB * 1024, problems: [] };
  const expected = `expected KiB from 1 to ${maxKiB}, or off`;
  return { maxBytes: 0, problems: [`${changesSetting}: ${expected}, found "${text}".`] };
}
