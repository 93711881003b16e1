import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/** What the thread is started with: the path of the data file. */
export type CheckpointThreadData = string;

/** A checkpoint is over; `failed` in SQLite's own words. */
export interface CheckpointReport {
  readonly failed?: string;
}

// A connection of its own: a passive checkpoint waits for nobody and keeps nobody waiting.
if (parentPort !== null) {
  const port = parentPort;
  const database = new DatabaseSync(workerData as CheckpointThreadData);
  port.on('message', () => {
    let report: CheckpointReport = {};
    try {
      database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch (error) {
      report = { failed: error instanceof Error ? error.message : 'unknown error' };
    }
    port.postMessage(report);
  });
}
