import { buildError } from '../../core/errors.ts';
import { openMllpConnection } from './connection.ts';
import type { ConnectOptions } from './connection.ts';

/** A plain MLLP sender on one connection: for the command line and for tests. */
export interface MllpClient {
  /**
   * Sends the message and resolves with the bytes of its answer. May be called before the one before is
   * answered: answers are credited in the order of sending. Rejects with HilumError `answer-timeout` or
   * `connection-lost` (ambiguous: the partner may have it), `connection-closed` (transient) when it was
   * closed before sending. After a timeout the connection is closed, for a late answer would be credited
   * to the wrong message.
   */
  send(bytes: Uint8Array): Promise<Uint8Array>;
  /** False when the connection is gone. */
  readonly isOpen: boolean;
  close(): void;
}

interface Waiting {
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  readonly patience: NodeJS.Timeout;
}

/**
 * Connects, and rejects as {@link openMllpConnection} does.
 * @param options.timeoutMs for each answer, from its sending on; default 30 s
 */
export async function openMllpClient(
  options: ConnectOptions & { readonly timeoutMs?: number },
): Promise<MllpClient> {
  const connection = await openMllpConnection(options);
  const timeoutMs = options.timeoutMs ?? 30_000;
  const where = `${options.host}:${options.port}`;
  const waiting: Waiting[] = [];

  function failAll(code: string, message: string): void {
    for (const { reject, patience } of waiting.splice(0)) {
      clearTimeout(patience);
      reject(buildError('ambiguous', code, message));
    }
  }

  connection.onMessage = (bytes) => {
    const first = waiting.shift();
    if (first === undefined) return;
    clearTimeout(first.patience);
    first.resolve(bytes);
  };
  connection.onClose = (reason) =>
    failAll(
      'connection-lost',
      `Expected an answer from ${where}, but ${reason}. The message may have arrived: look there before repeating it.`,
    );

  return {
    send(bytes) {
      if (!connection.isOpen) {
        const message = `The connection to ${where} is closed: nothing was sent. Connect again.`;
        return Promise.reject(buildError('transient', 'connection-closed', message));
      }
      return new Promise((resolve, reject) => {
        const patience = setTimeout(() => {
          failAll(
            'answer-timeout',
            `Expected an answer from ${where} within ${timeoutMs} ms, but none came. The message may have arrived: look there before repeating it.`,
          );
          connection.destroy();
        }, timeoutMs);
        waiting.push({ resolve, reject, patience });
        connection.write(bytes);
      });
    },
    get isOpen() {
      return connection.isOpen;
    },
    close: () => connection.end(),
  };
}
