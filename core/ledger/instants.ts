/** Sorts ISO 8601 instants of whatever precision; negative where `left` is earlier. */
export function compareInstants(left: string, right: string): number {
  if (left === right) return 0;
  if (left.length === right.length || left === '' || right === '') return left < right ? -1 : 1;
  return Date.parse(left) - Date.parse(right);
}

/** The later of two. */
export function laterOf(left: string, right: string): string {
  return compareInstants(left, right) >= 0 ? left : right;
}
