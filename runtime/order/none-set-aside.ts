import { hash } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';

/**
 * Of which queues this machine knows that no message is set aside in the ledger: their consumer may begin although the
 * ledger is away. It is never known wrongly: what is to be set aside is noted first.
 */
export interface NoneSetAside {
  /** Nobody but the processes of this machine takes from the queues; where others may, nothing is known. */
  readonly isSole: boolean;
  /** False where it is not known. Never rejects. */
  isKnown(queue: string): Promise<boolean>;
  /** The ledger says so, to whoever alone takes from the queue. Never rejects: what cannot be kept is not known. */
  keep(queue: string): Promise<void>;
  /** Resolves when it counts no more, over a crash of the machine too: before the first is set aside. */
  forget(queue: string): Promise<void>;
}

/**
 * An empty file for each such queue. `ledger`: what is said of one ledger says nothing of another.
 */
export function openNoneSetAside(options: {
  readonly directory: string;
  readonly ledger: string;
  readonly isSole: boolean;
}): NoneSetAside {
  const { directory, isSole } = options;
  const suffix = `.${hash('sha256', options.ledger, 'hex').slice(0, 16)}.none-set-aside`;
  const fileOf = (queue: string): string =>
    path.join(directory, `${encodeURIComponent(queue)}${suffix}`);
  /** Of these some may be set aside, since this process has begun. */
  const forgotten = new Map<string, Promise<void>>();
  /** One change after the other: what is kept at this moment is forgotten after that. */
  let changing: Promise<unknown> = Promise.resolve();
  const change = (work: () => Promise<void>): Promise<void> => {
    const changed = changing.then(work);
    changing = changed.catch(() => undefined);
    return changed;
  };
  const create = async (queue: string): Promise<void> => {
    if (forgotten.has(queue)) return;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await (await open(fileOf(queue), 'a', 0o600)).close();
  };
  const remove = async (queue: string): Promise<void> => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await rm(fileOf(queue), { force: true });
    await syncFolder(directory);
  };
  return {
    isSole,
    isKnown: async (queue) => {
      if (!isSole || forgotten.has(queue)) return false;
      const file = await open(fileOf(queue), 'r').catch(() => undefined);
      await file?.close();
      return file !== undefined && !forgotten.has(queue);
    },
    keep: (queue) => (isSole ? change(() => create(queue)).catch(() => undefined) : done),
    forget: (queue) => {
      const known = forgotten.get(queue);
      if (known !== undefined) return known;
      const forgetting = change(() => remove(queue)).catch((error: unknown) => {
        // Tried again by whoever asks next.
        forgotten.delete(queue);
        throw error;
      });
      forgotten.set(queue, forgetting);
      return forgetting;
    },
  };
}

const done = Promise.resolve();

async function syncFolder(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
