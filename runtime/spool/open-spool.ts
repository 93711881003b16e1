import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { SpoolFile } from '../../connectors/spool/spool-file.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { forwardSpool } from './forward-spool.ts';
import { FileSpool } from './file-spool.ts';

/** Where and how much a process spools for the ledger. */
export interface SpoolSettings {
  /** Folder of a file for each process. */
  readonly directory: string;
  /** How large each may grow. */
  readonly maxBytes: number;
  /** How long the ledger may take to answer before it counts as away. */
  readonly patienceMs: number;
}

const suffix = '.spool';
/** An earlier process of the same name may still be ending. */
const lockWithinMs = 20_000;
const lockAgainMs = 100;
const orphansAgainMs = 5_000;

/**
 * Opens the spool of the process of this name, one process at a time. Rejects where another one still has it after
 * 20 s, or the disk cannot be used.
 */
export async function openSpool(
  name: string,
  options: { readonly settings: SpoolSettings; readonly ledger: Ledger; readonly logger: Logger },
): Promise<FileSpool> {
  const { settings, ledger, logger } = options;
  const { patienceMs } = settings;
  const file = fileOf(name, settings);
  const deadline = performance.now() + lockWithinMs;
  for (;;) {
    const spool = await SpoolFile.open({ ...settings, file, logger });
    if (spool !== undefined) {
      return new FileSpool({ ledger, spool, name, patienceMs, logger });
    }
    if (performance.now() > deadline) {
      throw new Error(
        `${file} was expected to be free and another process has it: end that first.`,
      );
    }
    await wait(lockAgainMs);
  }
}

/**
 * Forwards what processes left behind that are no more, such as the worker of a group that no flow is in, and removes
 * their files. `isInUse` knows the names of those that run or will run again. Goes on until `stopping`.
 */
export async function adoptOrphans(options: {
  readonly settings: SpoolSettings;
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly isInUse: (name: string) => boolean;
  readonly stopping: AbortSignal;
}): Promise<void> {
  const { settings, stopping, logger } = options;
  while (!stopping.aborted) {
    try {
      for (const name of await listNames(settings)) {
        if (!options.isInUse(name)) await adopt(name, options);
      }
    } catch (error) {
      logger.error({ err: error }, 'What ended processes left for the ledger cannot be read yet.');
    }
    await wait(orphansAgainMs, undefined, { ref: false, signal: stopping }).catch(() => undefined);
  }
}

async function adopt(
  name: string,
  options: {
    readonly settings: SpoolSettings;
    readonly ledger: Ledger;
    readonly logger: Logger;
    readonly stopping: AbortSignal;
  },
): Promise<void> {
  const { settings, ledger, logger, stopping } = options;
  const spool = await SpoolFile.open({ ...settings, file: fileOf(name, settings), logger });
  // It has not ended yet.
  if (spool === undefined) return;
  if (!spool.isEmpty) {
    logger.info({ name, bytes: spool.bytes }, 'An ended process left entries for the ledger.');
    await forwardSpool({ spool, ledger, logger, closing: stopping });
  }
  await spool.close({ remove: spool.isEmpty });
}

async function listNames({ directory }: SpoolSettings): Promise<readonly string[]> {
  const files = await readdir(directory).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  return files
    .filter((file) => file.endsWith(suffix))
    .map((file) => decodeURIComponent(file.slice(0, -suffix.length)));
}

function fileOf(name: string, { directory }: SpoolSettings): string {
  return path.join(directory, `${encodeURIComponent(name)}${suffix}`);
}
