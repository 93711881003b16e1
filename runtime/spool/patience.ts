import { buildError } from '../../core/errors.ts';

/** What is asked, or a transient `ledger-unavailable` where that takes longer; what comes of it then is nobody's. */
export async function within<T>(patienceMs: number, asked: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(buildLate(patienceMs)), patienceMs);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}

function buildLate(patienceMs: number): Error {
  return buildError(
    'transient',
    'ledger-unavailable',
    `An answer of the ledger was expected within ${patienceMs} ms and none came: its process is slow or stopped.`,
  );
}
