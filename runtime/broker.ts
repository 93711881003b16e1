import type { LedgerAddress } from '../connectors/postgres/address.ts';
import type { PostgresStore } from '../connectors/postgres/open.ts';
import { openRabbitBroker } from '../connectors/rabbitmq/broker.ts';
import { connectOwner } from '../connectors/sqlite/client.ts';
import type { Broker } from '../core/ports/broker.ts';
import type { UniqueIntake } from '../core/ports/intake.ts';
import type { Ledger } from '../core/ports/ledger.ts';
import type { Logger } from '../core/ports/logger.ts';
import type { LedgerRetention } from '../core/ports/retention.ts';
import { ClaimCheckBroker } from './claim-check/claim-check-broker.ts';
import { waitForLedger, type LedgerSpool } from './spool/ledger-spool.ts';
import { asLedgerHere } from './spool/ledger-here.ts';
import { openSpool } from './spool/open-spool.ts';
import type { ConnectionState } from './process/messages.ts';
import type { Settings } from './settings.ts';
import { AwaitedBroker } from './store-and-forward/awaited-broker.ts';
import { StoreAndForward } from './store-and-forward/store-and-forward.ts';
import { withSpooled } from './store-and-forward/with-spooled.ts';

/** The state of Hilum as every process sees it. */
export interface Stores {
  readonly broker: Broker;
  readonly ledger: Ledger;
  /** Where broker and ledger are of one piece. */
  readonly intake?: UniqueIntake;
  readonly retention: LedgerRetention;
  close(): Promise<void>;
}

interface OwnStores extends Stores {
  /** Where this process writes what happens to messages. */
  readonly ledgerSpool: LedgerSpool;
  /** Where intake puts messages, where that is not the broker alone. */
  readonly inlet?: StoreAndForward;
}

interface Wishes {
  /** Whose stores they are. With a name it has a spool of its own for what happens while the ledger is away. */
  readonly name?: string;
  /** It puts messages into queues that are told to be taken while RabbitMQ is away. */
  readonly takesMessages?: boolean;
  /** Told when the broker comes and goes. */
  readonly onState?: (state: ConnectionState) => void;
}

/** A message that the broker has not confirmed by then is spooled, where it may be. */
const spoolAfterMs = 5_000;
/** At the start; a password that is refused is known by then. */
const brokerPatienceMs = 2_000;

/**
 * Connects to the ledger (PostgreSQL where its URL is set, else the embedded one), and to RabbitMQ where its URL is set, else to the embedded broker. Both reconnect by
 * themselves. With RabbitMQ a process with a name starts without the ledger too, and where messages are spooled while
 * RabbitMQ is away every process starts without it.
 */
export async function openStores(
  settings: Settings,
  logger: Logger,
  { name, takesMessages = false, onState = () => undefined }: Wishes = {},
): Promise<OwnStores> {
  const { spool, rabbitmqUrl: url, brokerAway } = settings;
  const isNeeded = url === undefined || name === undefined;
  const owner = await connectOwner({ socket: settings.ownerSocket, logger, isNeeded });
  const postgres =
    settings.ledger &&
    (await openLedger(settings.ledger, { logger, isStrict: name === undefined }));
  const { ledger: store, retention } = postgres ?? owner;
  const spooling = name && (await openSpool(name, { settings: spool, ledger: store, logger }));
  const ledgerSpool = spooling || waitForLedger(store);
  const ledger = spooling
    ? asLedgerHere(store, { ...spool, isSpooling: () => spooling.isSpooling })
    : store;
  const close = async (): Promise<void> => {
    if (spooling) await spooling.close();
    await postgres?.close();
    await owner.close();
  };
  if (url === undefined) {
    onState('connected');
    owner.onState(onState);
    const { broker, intake } = owner;
    return { broker, ledger, intake, retention, ledgerSpool, close };
  }
  const open = () =>
    openRabbitBroker({
      url,
      ...settings.rabbitmq,
      logger,
      onState,
      record: (entries) => ledgerSpool.record(entries),
      ...(brokerAway === 'spool' && takesMessages ? { timeoutMs: spoolAfterMs } : {}),
    });
  const isSpooled = brokerAway === 'spool';
  if (isSpooled) onState('disconnected');
  const rabbit = isSpooled
    ? await AwaitedBroker.open(open, { patienceMs: brokerPatienceMs, logger })
    : await open();
  const parts = { ledger: store, logger, clock: Date.now };
  const remote = new ClaimCheckBroker(rabbit, parts);
  const inlet =
    isSpooled && takesMessages
      ? new StoreAndForward({ ...parts, remote, local: owner.broker, ledgerSpool })
      : undefined;
  return {
    broker: isSpooled ? withSpooled(remote, owner.broker) : remote,
    ledger,
    retention,
    ledgerSpool,
    ...(inlet === undefined ? {} : { inlet }),
    close: async () => {
      await inlet?.stop();
      await remote.close();
      await close();
    },
  };
}

/** Loaded only where it is used: every process has these stores. */
async function openLedger(
  address: LedgerAddress,
  options: { readonly logger: Logger; readonly isStrict: boolean },
): Promise<PostgresStore> {
  const { openPostgres } = await import('../connectors/postgres/open.ts');
  return openPostgres({ address, ...options });
}
