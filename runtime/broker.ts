import { openRabbitBroker } from '../connectors/rabbitmq/broker.ts';
import { connectOwner } from '../connectors/sqlite/client.ts';
import type { Broker } from '../core/ports/broker.ts';
import type { UniqueIntake } from '../core/ports/intake.ts';
import type { Ledger } from '../core/ports/ledger.ts';
import type { Logger } from '../core/ports/logger.ts';
import type { ConnectionState } from './process/messages.ts';
import type { Settings } from './settings.ts';

/** The state of Hilum as every process sees it. */
export interface Stores {
  readonly broker: Broker;
  readonly ledger: Ledger;
  /** Where broker and ledger are of one piece. */
  readonly intake?: UniqueIntake;
  close(): Promise<void>;
}

/**
 * Connects to the ledger, and to RabbitMQ where its URL is set, else to the embedded broker. Both
 * reconnect by themselves; `onState` tells when the broker comes and goes.
 */
export async function openStores(
  settings: Settings,
  logger: Logger,
  onState: (state: ConnectionState) => void = () => undefined,
): Promise<Stores> {
  const owner = await connectOwner({ socket: settings.ownerSocket, logger });
  if (settings.rabbitmqUrl === undefined) {
    owner.onState(onState);
    const { broker, ledger, intake } = owner;
    return { broker, ledger, intake, close: () => owner.close() };
  }
  const broker = await openRabbitBroker({
    url: settings.rabbitmqUrl,
    logger,
    onState,
    record: (entries) => owner.ledger.append(entries),
  });
  return {
    broker,
    ledger: owner.ledger,
    close: async () => {
      await broker.close();
      await owner.close();
    },
  };
}
