const unitsMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A duration as settings have it (`90s`, `15m`, `2h`, `3d`) in milliseconds; undefined where it is none. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d{1,6})([smhd])$/.exec(text.trim());
  const unitMs = unitsMs[match?.[2] ?? ''];
  return unitMs === undefined ? undefined : Number(match?.[1]) * unitMs;
}

/** In the largest unit that divides it: `15m`, `90s`; under a second as milliseconds. */
export function formatDuration(ms: number): string {
  const units = [...Object.entries(unitsMs)].reverse();
  const [name, size] = units.find(([, each]) => ms >= each && ms % each === 0) ?? ['ms', 1];
  return `${ms / size}${name}`;
}
