/** Does the work for every item, for at most `limit` at a time. Rejects with the first that failed; the others go on. */
export async function inTurns<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const workers = Array.from({ length: Math.min(limit, items.length) }, async () => {
    // One iterator for all: each item is taken once.
    for (const item of rest) await work(item);
  });
  await Promise.all(workers);
}
