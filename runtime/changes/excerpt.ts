import { countCommonEnd, countCommonStart } from '../../core/common-ends.ts';
import type { Excerpt } from '../../core/payload-changes.ts';

/** What is between the first and the last place at which two texts differ. */
export function findExcerpt(before: string, after: string): Excerpt {
  const shorter = Math.min(before.length, after.length);
  const at = countCommonStart(before, after, shorter);
  const same = countCommonEnd(before, after, shorter - at);
  return {
    at,
    before: before.slice(at, before.length - same),
    after: after.slice(at, after.length - same),
  };
}
