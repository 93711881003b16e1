import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectOwner } from '../../../connectors/sqlite/client.ts';
import type { OwnerClient } from '../../../connectors/sqlite/client.ts';
import type { Logger } from '../../../core/ports/logger.ts';

/** Says nothing: what a test expects to go wrong is not news. */
export const quietLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** An owner in a process of its own on a folder of its own, that can be killed and started again. */
export class OwnerFixture {
  readonly folder = mkdtempSync(join(tmpdir(), 'hilum-sqlite-'));
  readonly file = join(this.folder, 'hilum.db');
  readonly socket = join(this.folder, 'hilum.sock');
  #process: ChildProcess | undefined;
  #clients: OwnerClient[] = [];

  /** The owner's process, while it runs. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async start(maxFileBytes?: number): Promise<void> {
    const limit = maxFileBytes === undefined ? [] : [String(maxFileBytes)];
    const owner = fork(
      join(import.meta.dirname, 'owner-process.ts'),
      [this.file, this.socket, ...limit],
      { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] },
    );
    this.#process = owner;
    const exited = once(owner, 'exit').then(() => {
      throw new Error('The owner ended before it was open.');
    });
    await Promise.race([once(owner, 'message'), exited]);
    exited.catch(() => undefined);
  }

  async connect(): Promise<OwnerClient> {
    const client = await connectOwner({ socket: this.socket, logger: quietLogger });
    this.#clients.push(client);
    return client;
  }

  /** kill -9; resolves when the process is gone. */
  async kill(): Promise<void> {
    const owner = this.#process;
    if (owner === undefined) return;
    this.#process = undefined;
    const exited = once(owner, 'exit');
    owner.kill('SIGKILL');
    await exited;
  }

  /** Ends the owner as its supervisor would. */
  async end(): Promise<void> {
    const owner = this.#process;
    if (owner === undefined) return;
    this.#process = undefined;
    const exited = once(owner, 'exit');
    owner.disconnect();
    await exited;
  }

  /** Takes the data away from an owner that has ended. */
  removeFile(): void {
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.file + suffix, { force: true });
  }

  /** Closes the clients; the owner stays. */
  async disconnect(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close()));
  }

  async close(): Promise<void> {
    await this.disconnect();
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
