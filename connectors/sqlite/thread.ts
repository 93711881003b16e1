import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { Logger } from '../../core/ports/logger.ts';
import { Database } from './database.ts';
import { GroupCommit } from './group-commit.ts';
import { Session } from './session.ts';

/** What the thread is started with. */
export interface ThreadData {
  readonly file: string;
  readonly socket: string;
  readonly maxFileBytes: number | undefined;
}

/** What the thread tells: that it serves, whether it can write, what to log, that it has closed. */
export type ThreadReport =
  | { readonly kind: 'open' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'closed' }
  /** Why nothing can be written to the file; absent: it can. */
  | { readonly kind: 'storage'; readonly reason: string | undefined }
  | {
      readonly kind: 'log';
      readonly level: keyof Logger;
      readonly fields: object;
      readonly message: string;
    };

// Socket and file in one thread: a request goes to the disk without a hop, and while the disk is flushed
// the main thread of the owner stays free for its supervisor.
if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  const report = (it: ThreadReport): void => port.postMessage(it);
  const log =
    (level: keyof Logger) =>
    (fields: object, message: string): void =>
      report({ kind: 'log', level, fields, message });
  const logger: Logger = {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
  };
  const onStorage = (reason: string | undefined): void => report({ kind: 'storage', reason });
  serve(workerData as ThreadData, logger, onStorage).then(
    (close) => {
      port.once('message', () => {
        close();
        report({ kind: 'closed' });
        port.close();
      });
      report({ kind: 'open' });
    },
    (error: unknown) => {
      report({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
      port.close();
    },
  );
}

async function serve(
  data: ThreadData,
  logger: Logger,
  onStorage: (reason: string | undefined) => void,
): Promise<() => void> {
  // The file's lock first: whoever has it may take over the socket's name.
  const database = new Database(data.file, { maxFileBytes: data.maxFileBytes });
  try {
    const commit = new GroupCommit(database, logger, onStorage);
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      new Session(socket, commit);
    });
    await listen(server, data.socket);
    return () => {
      server.close();
      for (const socket of sockets) socket.pause();
      commit.close();
      for (const socket of sockets) socket.destroySoon();
      database.close();
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Listens where only this user may connect. Throws where somebody else answers already. */
async function listen(server: Server, path: string): Promise<void> {
  if (await isAnswered(path)) {
    throw new Error(
      `A free socket ${path} was expected and a process answers there: end it first.`,
    );
  }
  // Left behind by an owner that was killed.
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
