/** Waits for every one, also where one fails: statements are sent without waiting, and none is left behind. */
export async function all<const T extends readonly unknown[]>(
  promises: T,
): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  const settled = await Promise.allSettled(promises);
  // Of the first that failed the others are but the consequence.
  for (const each of settled) if (each.status === 'rejected') throw each.reason;
  return settled.map((each) => (each.status === 'fulfilled' ? each.value : undefined)) as {
    -readonly [Index in keyof T]: Awaited<T[Index]>;
  };
}
