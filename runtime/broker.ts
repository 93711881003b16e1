import { openRabbitBroker } from '../connectors/rabbitmq/broker.ts';
import { connectOwner } from '../connectors/sqlite/client.ts';
import type { Broker } from '../core/ports/broker.ts';
import type { Ledger } from '../core/ports/ledger.ts';
import type { Logger } from '../core/ports/logger.ts';
import { waitForLedger, type Journal } from './journal/journal.ts';
import { asLedgerHere } from './journal/ledger-here.ts';
import { openJournal } from './journal/open-journal.ts';
import type { ConnectionState } from './process/messages.ts';
import type { Settings } from './settings.ts';

/** The state of Hilum as every process sees it. */
export interface Stores {
  readonly broker: Broker;
  readonly ledger: Ledger;
  close(): Promise<void>;
}

interface OwnStores extends Stores {
  /** Where this process writes what happens to messages. */
  readonly journal: Journal;
}

/**
 * Connects to the ledger, and to RabbitMQ where its URL is set, else to the embedded broker. Both
 * reconnect by themselves; `onState` tells when the broker comes and goes. A process with a name has a spool of its
 * own for what happens while the ledger is slow or away; with RabbitMQ it starts without the ledger too.
 */
export async function openStores(
  settings: Settings,
  logger: Logger,
  {
    name,
    onState = () => undefined,
  }: { readonly name?: string; readonly onState?: (state: ConnectionState) => void } = {},
): Promise<OwnStores> {
  const isEmbedded = settings.rabbitmqUrl === undefined;
  const isNeeded = isEmbedded || name === undefined;
  const owner = await connectOwner({ socket: settings.ownerSocket, logger, isNeeded });
  const { spool } = settings;
  const spooling =
    name === undefined
      ? undefined
      : await openJournal(name, { settings: spool, ledger: owner.ledger, logger });
  const journal = spooling ?? waitForLedger(owner.ledger);
  const ledger =
    spooling === undefined
      ? owner.ledger
      : asLedgerHere(owner.ledger, { ...spool, isSpooling: () => spooling.isSpooling });
  const close = async (): Promise<void> => {
    await spooling?.close();
    await owner.close();
  };
  if (settings.rabbitmqUrl === undefined) {
    owner.onState(onState);
    return { broker: owner.broker, ledger, journal, close };
  }
  const broker = await openRabbitBroker({
    url: settings.rabbitmqUrl,
    logger,
    onState,
    record: (entries) => journal.record(entries),
  });
  return {
    broker,
    ledger,
    journal,
    close: async () => {
      await broker.close();
      await close();
    },
  };
}
