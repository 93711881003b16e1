/*
 * By halves, and not by one character after the other: to compare pieces of texts costs next to nothing. Where both
 * texts are the same up to some length they are so up to any lower one.
 */

/** How many characters two texts have in common at their beginning, at most `most`. */
export function countCommonStart(one: string, other: string, most: number): number {
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (one.slice(low, middle) === other.slice(low, middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The same at their end. */
export function countCommonEnd(one: string, other: string, most: number): number {
  const [left, right] = [one.length, other.length];
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    const isSame =
      one.slice(left - middle, left - low) === other.slice(right - middle, right - low);
    if (isSame) low = middle;
    else high = middle - 1;
  }
  return low;
}
