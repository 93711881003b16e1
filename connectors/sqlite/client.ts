import { buildError } from '../../core/errors.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { UniqueIntake } from '../../core/ports/intake.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { SqliteBroker } from './broker-client.ts';
import { Connection } from './connection.ts';
import type { ConnectionState } from './connection.ts';
import { SqliteLedger } from './ledger-client.ts';

/** Broker and ledger of one data file, over one connection to its owner. */
export interface OwnerClient {
  readonly broker: Broker;
  readonly ledger: Ledger;
  /** Both at once, for messages that come in. */
  readonly intake: UniqueIntake;
  /** Called whenever the connection is lost or there again; it comes back by itself. */
  onState(listener: (state: ConnectionState) => void): void;
  /** Closes broker and ledger, then the connection. Idempotent. */
  close(): Promise<void>;
  /** Ends the connection as a fault would, for tests of what follows. */
  cut(): void;
}

/**
 * Connects to the owner on its socket. Resolves when it answers; rejects with `broker-unavailable` where it
 * does not within `timeoutMs` (default 10 s). From then on a lost connection is replaced by itself.
 */
export async function connectOwner(options: {
  readonly socket: string;
  readonly logger: Logger;
  readonly timeoutMs?: number;
}): Promise<OwnerClient> {
  const { socket, logger, timeoutMs = 10_000 } = options;
  const connection = new Connection(socket, logger);
  const broker = new SqliteBroker(connection, logger);
  const ledger = new SqliteLedger(connection);
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      void connection.close();
      const message = `The owner of the data file was expected to answer on ${socket} within ${timeoutMs} ms and did not: start it first.`;
      reject(buildError('transient', 'broker-unavailable', message));
    }, timeoutMs);
    connection.onState((state) => {
      if (state !== 'connected') return;
      clearTimeout(timer);
      resolve();
    });
    connection.open();
  });
  return {
    broker,
    ledger,
    intake: broker,
    onState: (listener) => connection.onState(listener),
    close: async () => {
      await Promise.all([broker.close(), ledger.close()]);
      await connection.close();
    },
    cut: () => connection.cut(),
  };
}
