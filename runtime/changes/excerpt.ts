import type { Excerpt } from '../../core/payload-changes.ts';

/** Compared at once, which is much quicker than one by one. */
const chunk = 4_096;

/** What is between the first and the last place at which two texts differ. */
export function findExcerpt(before: string, after: string): Excerpt {
  const shorter = Math.min(before.length, after.length);
  let at = 0;
  while (at + chunk <= shorter && before.slice(at, at + chunk) === after.slice(at, at + chunk)) {
    at += chunk;
  }
  while (at < shorter && before.charCodeAt(at) === after.charCodeAt(at)) at += 1;
  const [left, right] = [before.length, after.length];
  const rest = shorter - at;
  let same = 0;
  while (
    same + chunk <= rest &&
    before.slice(left - same - chunk, left - same) ===
      after.slice(right - same - chunk, right - same)
  ) {
    same += chunk;
  }
  while (same < rest && before.charCodeAt(left - 1 - same) === after.charCodeAt(right - 1 - same)) {
    same += 1;
  }
  return { at, before: before.slice(at, left - same), after: after.slice(at, right - same) };
}
