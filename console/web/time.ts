const dateTime = new Intl.DateTimeFormat('sv-SE', {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const timeOfDay = new Intl.DateTimeFormat('sv-SE', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** The browser's time zone: every time on the page is in it. */
export const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** `2026-11-22 03:04:05` in the browser's zone; no locale reads day and month the wrong way round. */
export function toDateTime(instant: string): string {
  return dateTime.format(new Date(instant));
}

/** The time alone where it is today, else the date with it. */
export function toShortTime(instant: string, now: number): string {
  const date = new Date(instant);
  const isToday = date.toDateString() === new Date(now).toDateString();
  return (isToday ? timeOfDay : dateTime).format(date);
}

/** An age in its two largest units: `4 s`, `12 min 3 s`, `2 h 5 min`, `3 d 4 h`. */
export function toAge(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [d, h, m, s] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  if (d > 0) return `${d} d ${h} h`;
  if (h > 0) return `${h} h ${m} min`;
  if (m > 0) return m >= 10 ? `${m} min` : `${m} min ${s} s`;
  return `${s} s`;
}

/** Milliseconds since receipt: `+0 ms`, `+850 ms`, `+2.35 s`, `+3 min 20 s`. */
export function toOffset(ms: number): string {
  if (ms < 1000) return `+${Math.round(ms)} ms`;
  return ms < 60_000 ? `+${(ms / 1000).toFixed(2)} s` : `+${toAge(ms / 1000)}`;
}

/** Bytes for people: `812 B`, `3.4 kB`. */
export function toSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000
    ? `${(bytes / 1000).toFixed(1)} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
