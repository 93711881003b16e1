import type { WebSocket } from 'ws';
import type { Logger } from '../../core/ports/logger.ts';
import type { Reader } from './reader.ts';
import { signedOutCode, type LiveMessage, type StatusView } from './views.ts';

export interface LiveOptions {
  readonly reader: Reader;
  readonly clock: () => number;
  readonly logger: Logger;
  /** How often to look, while anybody watches. */
  readonly tickMs: number;
  /** After this long without a change a heartbeat tells the page that it is still connected. */
  readonly heartbeatMs: number;
}

interface Watcher {
  readonly socket: WebSocket;
  /** Whether its session still stands; asked before everything that is sent. */
  readonly isAdmitted: () => boolean;
  sentAt: number;
  answered: boolean;
}

const newestMessages = 100;
/** How old the memory and the event loop of processes may be on the page. */
const figuresEveryMs = 5_000;
/** A page that does not read gets no more until it has: snapshots are whole, so nothing is missed. */
const maxBufferedBytes = 1_000_000;

/** Tells everybody who watches what changed: one look per tick for all of them, none while nobody does. */
export class Live {
  readonly #options: LiveOptions;
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #compared = '';
  #newest: LiveMessage | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  watch(socket: WebSocket, isAdmitted: () => boolean): void {
    const watcher: Watcher = { socket, isAdmitted, sentAt: 0, answered: true };
    this.#watchers.add(watcher);
    socket.on('pong', () => (watcher.answered = true));
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#stop();
    });
    if (this.#newest !== undefined) this.#send(watcher, this.#newest);
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => void this.#tick(), this.#options.tickMs);
      void this.#tick();
    }
  }

  close(): void {
    this.#stop();
    for (const { socket } of this.#watchers) socket.terminate();
    this.#watchers.clear();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#compared = '';
    this.#newest = undefined;
  }

  async #tick(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const { message, compared } = await this.#look();
      if (this.#timer === undefined) return;
      const changed = compared !== this.#compared;
      this.#compared = compared;
      this.#newest = message;
      for (const watcher of [...this.#watchers]) this.#tell(watcher, message, changed);
    } finally {
      this.#looking = false;
    }
  }

  #tell(watcher: Watcher, message: LiveMessage, changed: boolean): void {
    if (!watcher.isAdmitted()) {
      closeSignedOut(watcher.socket);
      return;
    }
    const now = this.#options.clock();
    if (changed || watcher.sentAt === 0) this.#send(watcher, message);
    else if (now - watcher.sentAt >= this.#options.heartbeatMs) {
      if (!watcher.answered) watcher.socket.terminate();
      watcher.answered = false;
      watcher.socket.ping();
      this.#send(watcher, { type: 'heartbeat', at: message.at });
    }
  }

  #send(watcher: Watcher, message: LiveMessage): void {
    const { socket } = watcher;
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > maxBufferedBytes) {
      // Forgotten as sent, so that the next look sends it the whole again.
      watcher.sentAt = 0;
      return;
    }
    watcher.sentAt = this.#options.clock();
    socket.send(JSON.stringify(message));
  }

  /** What to send, and what it is compared by: not by what moves with the clock alone. */
  async #look(): Promise<{ readonly message: LiveMessage; readonly compared: string }> {
    const { reader, clock, logger } = this.#options;
    try {
      const [queues, messages] = await Promise.all([
        reader.liveQueues(),
        reader.messages({}, { limit: newestMessages }),
      ]);
      const at = new Date(clock()).toISOString();
      const status = reader.status();
      const compared = JSON.stringify([
        withoutFigures(status, clock()),
        queues.map((queue) => ({ ...queue, oldestAgeSeconds: null })),
        messages,
      ]);
      return { message: { type: 'snapshot', at, status, queues, messages }, compared };
    } catch (error) {
      const message = error instanceof Error ? error.message : 'Ledger or broker does not answer.';
      if (this.#newest?.type !== 'fault') logger.warn({ err: error }, 'live data unavailable');
      const at = new Date(clock()).toISOString();
      return { message: { type: 'fault', at, message }, compared: `fault ${message}` };
    }
  }
}

/** Memory and event loop are never the same twice: they are news once in a while only. */
function withoutFigures(status: StatusView, now: number): object {
  const processes = status.processes.map(
    ({ memoryMiB: _memory, heapMiB: _heap, eventLoop, ...rest }) => ({
      ...rest,
      figuresOf: eventLoop === undefined ? 0 : Math.floor(now / figuresEveryMs),
    }),
  );
  return { ...status, processes };
}

/** Closes with the code that sends the page to the login. */
export function closeSignedOut(socket: WebSocket): void {
  socket.close(signedOutCode, 'signed out');
}
