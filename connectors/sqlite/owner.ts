import { Worker } from 'node:worker_threads';
import type { Logger } from '../../core/ports/logger.ts';
import type { ThreadData, ThreadReport } from './thread.ts';

/** The one process that has the data file open. */
export interface Owner {
  /** Commits what has arrived, answers it, and lets go of socket and file. Idempotent. */
  close(): Promise<void>;
  /** Rejects when the owner can no longer serve; its process should then end and be started again. */
  readonly failed: Promise<never>;
}

/**
 * Opens the data file (made where it is missing) and serves it on a Unix socket that only this user may
 * connect to. Resolves when clients are served; rejects where another owner has the file or the socket, or
 * a newer version has written it. `maxFileBytes` bounds the file: beyond it, publishing is refused as
 * `broker-unavailable` until messages have gone.
 */
export async function openOwner(options: {
  readonly file: string;
  readonly socket: string;
  readonly logger: Logger;
  readonly maxFileBytes?: number;
  /** Told why nothing can be written to the file, and undefined when it can again. */
  readonly onStorage?: (reason: string | undefined) => void;
}): Promise<Owner> {
  const { file, socket, logger, maxFileBytes, onStorage } = options;
  const data: ThreadData = { file, socket, maxFileBytes };
  const thread = new Worker(new URL('./thread.ts', import.meta.url), {
    workerData: data,
    // What a batch needs is garbage after its commit: more room for it is only memory that is never given back.
    resourceLimits: { maxYoungGenerationSizeMb: 24 },
  });
  const exited = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  let closing: Promise<void> | undefined;

  const failed = new Promise<never>((_, reject) => {
    thread.once('error', reject);
    void exited.then(() => {
      if (closing === undefined) reject(new Error('The data file was closed without being asked.'));
    });
  });
  // Whoever does not look at it has not lost anything: clients see that the owner is gone.
  failed.catch(() => undefined);

  const opened = new Promise<void>((resolve, reject) => {
    thread.on('message', (report: ThreadReport) => {
      if (report.kind === 'open') resolve();
      else if (report.kind === 'failed') reject(new Error(report.message));
      else if (report.kind === 'storage') onStorage?.(report.reason);
      else if (report.kind === 'log') logger[report.level](report.fields, report.message);
    });
  });
  await Promise.race([opened, failed]);
  return {
    failed,
    close: () => (closing ??= closeThread(thread, exited)),
  };
}

async function closeThread(thread: Worker, exited: Promise<void>): Promise<void> {
  thread.postMessage('close');
  await exited;
}
