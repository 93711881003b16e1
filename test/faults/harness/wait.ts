/** How often something is asked again; short against every bound. */
const againMs = 50;

/**
 * Asks until the answer is as wanted. Rejects when that takes longer than `withinMs`, saying what was awaited
 * and what was answered last. An `ask` that rejects counts as an answer: what is asked may be away for a while.
 */
export async function waitFor<T>(
  what: string,
  ask: () => T | Promise<T>,
  options: { readonly wanted: (answer: T) => boolean; readonly withinMs: number },
): Promise<T> {
  const deadline = performance.now() + options.withinMs;
  for (;;) {
    let last: string;
    try {
      const answer = await ask();
      if (options.wanted(answer)) return answer;
      last = JSON.stringify(answer);
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    if (performance.now() > deadline) {
      throw new Error(`Awaited for ${options.withinMs} ms: ${what}. The last state: ${last}`);
    }
    await pause(againMs);
  }
}

/** Rejects, saying what was awaited, when the promise takes longer. */
export async function within<T>(what: string, promise: Promise<T>, withinMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Awaited for ${withinMs} ms: ${what}.`)), withinMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** For the time that a fault is to last, or until it is to come: never in place of an event. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
