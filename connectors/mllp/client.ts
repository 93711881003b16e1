import { buildError, findFailure } from '../../core/errors.ts';
import { defaultAnswerPolicy } from '../../core/hl7v2/acknowledgment-outcome.ts';
import { readHeader } from '../../core/hl7v2/header.ts';
import type { MllpSenderDefinition } from '../../core/interface.ts';
import type { Envelope } from '../../core/envelope.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { Destination } from '../../core/ports/destination.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { openMllpConnection } from './connection.ts';
import type { ConnectOptions } from './connection.ts';
import { exchange } from './exchange.ts';
import { createLateAnswers } from './late-answers.ts';
import { formatEndpoint } from './peer-address.ts';
import { createConnectionPool } from './pool.ts';
import type { ConnectionPool, Lease } from './pool.ts';
import { createTlsClient } from './tls-client.ts';

/** A plain MLLP sender on one connection: for the command line and for tests. */
export interface MllpClient {
  /**
   * Sends the message and resolves with the bytes of its answer. May be called before the one before is
   * answered: answers are credited in the order of sending. Rejects with HilumError `answer-timeout` or
   * `connection-lost` (ambiguous: the partner may have it), `connection-closed` (transient) when it was
   * closed before sending. After a timeout the connection is closed, for a late answer would be credited
   * to the wrong message.
   * @param isAnswer what it is false of is passed over, such as a second acknowledgment of an earlier message
   */
  send(bytes: Uint8Array, isAnswer?: (answer: Uint8Array) => boolean): Promise<Uint8Array>;
  /** False when the connection is gone. */
  readonly isOpen: boolean;
  close(): void;
}

interface Waiting {
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  readonly patience: NodeJS.Timeout;
  readonly isAnswer: (answer: Uint8Array) => boolean;
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
    const [first] = waiting;
    if (first?.isAnswer(bytes) !== true) return;
    waiting.shift();
    clearTimeout(first.patience);
    first.resolve(bytes);
  };
  connection.onClose = ({ reason }) =>
    failAll(
      'connection-lost',
      `Expected an answer from ${where}, but ${reason}. The message may have arrived: look there before repeating it.`,
    );

  return {
    send(bytes, isAnswer = () => true) {
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
        waiting.push({ resolve, reject, patience, isAnswer });
        connection.write(bytes);
      });
    },
    get isOpen() {
      return connection.isOpen;
    },
    close: () => connection.end(),
  };
}

/** How long an answer may be late and still be recognised, at most. */
const longestGraceMs = 60_000;

/**
 * Delivers over up to `definition.concurrency` connections, one message at a time on each:
 * - `delivered`: AA or CA with our control id, the acknowledgment's bytes are the answer; where a commit
 *   block stands for it (release 2), a positive one.
 * - `transient`: nothing was sent or read (refused, unreachable, TLS failed, stopped), AR, CR, or a
 *   negative commit block again and again.
 * - `ambiguous`: sent, and the answer is missing, late or unreadable, or the connection broke.
 * - `permanent`: AE or CE, or a CA without the application's acknowledgment where that is awaited.
 * Which code is which is the definition's to say: this is what it says by default. An outage is where nothing was
 * answered at all, and a negative commit block: the partner cannot store.
 * What was answered late is the outcome of the next attempt of the same envelope, which is not sent again.
 */
export function createMllpDestination(
  definition: MllpSenderDefinition,
  { logger }: { readonly logger: Logger },
): Destination {
  const { host, port, timeoutMs, commit } = definition;
  const where = formatEndpoint({ host, port });
  const graceMs = Math.min(timeoutMs, longestGraceMs);
  const policy = definition.acknowledgment ?? defaultAnswerPolicy;
  const late = createLateAnswers({ graceMs, where, policy, logger });
  const pool = openPool(definition, { logger, onConnect: () => late.makeRoom() });

  async function attempt(envelope: Envelope, signal: AbortSignal): Promise<Outcome> {
    const answeredLate = late.take(envelope.id);
    if (answeredLate !== undefined) return answeredLate;
    let lease: Lease;
    try {
      lease = await pool.take(signal);
    } catch (error) {
      const { issues } = findFailure(error) ?? buildError('transient', 'connection-failed', where);
      return { kind: 'transient', issues, isOutage: true };
    }
    const read = readHeader(envelope.body);
    const header = read.ok ? read.header : undefined;
    const request = { body: envelope.body, header, policy, timeoutMs, where, signal, commit };
    const { outcome, connection } = await exchange(lease.connection, request);
    if (connection === 'linger') {
      late.await(lease.connection, { id: envelope.id, header });
      lease.release('hand-over');
    } else {
      lease.release(connection);
    }
    return outcome;
  }

  return {
    async deliver(envelope, signal) {
      const outcome = await attempt(envelope, signal);
      const about = { id: envelope.id, sender: definition.id, outcome: outcome.kind };
      logger.debug(about, 'Sent by MLLP');
      return outcome;
    },
    close() {
      late.close();
      pool.close();
      return Promise.resolve();
    },
  };
}

function openPool(
  definition: MllpSenderDefinition,
  { logger, onConnect }: { readonly logger: Logger; readonly onConnect: () => void },
): ConnectionPool {
  const { host, port, timeoutMs, connectTimeoutMs = Math.min(timeoutMs, 10_000) } = definition;
  const about = { sender: definition.id };
  const tls = definition.tls && createTlsClient(definition.tls, { logger, about });
  const to = { host, port, connectTimeoutMs, ...(tls === undefined ? {} : { tls }) };
  const closesAfterUse = definition.connections === 'one-per-message';
  return createConnectionPool(to, { size: definition.concurrency, closesAfterUse, onConnect });
}
