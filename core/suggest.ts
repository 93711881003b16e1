/** ` Did you mean "usage"?` where one of the known words is close to what was written, else `''`. */
export function suggest(written: string, known: Iterable<string>): string {
  const word = written.slice(0, maxLength).toUpperCase();
  let best: string | undefined;
  // A third of it may be wrong; of a single letter that would be anything.
  let least = word.length < 2 ? 0 : Math.ceil(word.length / 3) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const distance = measure(word, candidate.toUpperCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best === undefined ? '' : ` Did you mean "${best}"?`;
}

/** As {@link suggest}, behind a sentence that has no full stop yet: `. Did you mean "usage"?`. */
export function suggestMeant(written: string, known: Iterable<string>): string {
  const hint = suggest(written, known);
  return hint === '' ? '' : `.${hint}`;
}

const maxLength = 80;

/** Edit distance, neighbours exchanged counting as one edit. */
function measure(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let cost = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (isSame ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
