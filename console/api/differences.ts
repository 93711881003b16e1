import type { Difference } from '../../core/hl7v2/compare.ts';

const maxDifferences = 200;
const maxValueLength = 200;

/** The first of them, each value cut, and how many there are. */
export function cutDifferences(differences: readonly Difference[]): {
  readonly differences: readonly Difference[];
  readonly total: number;
} {
  return { differences: differences.slice(0, maxDifferences).map(cut), total: differences.length };
}

function cut({ location, before, after }: Difference): Difference {
  return {
    location,
    ...(before === undefined ? {} : { before: shorten(before) }),
    ...(after === undefined ? {} : { after: shorten(after) }),
  };
}

function shorten(value: string): string {
  return value.length <= maxValueLength ? value : `${value.slice(0, maxValueLength)}…`;
}
