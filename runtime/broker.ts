import { toPlace, type LedgerAddress } from '../connectors/postgres/address.ts';
import type { PostgresStore } from '../connectors/postgres/open.ts';
import { openRabbitBroker } from '../connectors/rabbitmq/broker.ts';
import { connectOwner, type OwnerClient } from '../connectors/sqlite/client.ts';
import type { Broker } from '../core/ports/broker.ts';
import type { UniqueIntake } from '../core/ports/intake.ts';
import type { Ledger } from '../core/ports/ledger.ts';
import type { Logger } from '../core/ports/logger.ts';
import type { LedgerRetention } from '../core/ports/retention.ts';
import { ClaimCheckBroker } from './claim-check/claim-check-broker.ts';
import { openNoneSetAside, type NoneSetAside } from './order/none-set-aside.ts';
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
  /** What consumers that keep an order may go by while the ledger is away. */
  readonly noneSetAside: NoneSetAside;
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
 * Whether somebody must own the data file: for the embedded broker, the ledger beside it, and what is spooled while
 * RabbitMQ is away.
 */
export function needsOwner({ ledger, brokerAway }: Settings): boolean {
  return ledger === undefined || brokerAway === 'spool';
}

/**
 * Connects to the ledger, which is in PostgreSQL where its URL is set, and to RabbitMQ where its URL is set, else to the
 * embedded broker. All reconnect by themselves. With RabbitMQ a process with a name starts without the ledger too, and
 * where messages are spooled while RabbitMQ is away every process starts without it.
 */
export async function openStores(
  settings: Settings,
  logger: Logger,
  wishes: Wishes = {},
): Promise<OwnStores> {
  const { name, onState = () => undefined } = wishes;
  const { spool, rabbitmqUrl } = settings;
  const isNeeded = rabbitmqUrl === undefined || name === undefined;
  const owner = needsOwner(settings)
    ? await connectOwner({ socket: settings.ownerSocket, logger, isNeeded })
    : undefined;
  const postgres =
    settings.ledger &&
    (await openLedger(settings.ledger, { logger, isStrict: name === undefined }));
  const { ledger: store, retention } = postgres ?? required(owner);
  const spooling = name && (await openSpool(name, { settings: spool, ledger: store, logger }));
  const ledgerSpool = spooling || waitForLedger(store);
  const ledger = spooling
    ? asLedgerHere(store, { ...spool, isSpooling: () => spooling.isSpooling })
    : store;
  const noneSetAside = openNoneSetAside({
    ...spool,
    ledger: settings.ledger === undefined ? settings.databaseFile : toPlace(settings.ledger),
    isSole: settings.role === 'all',
  });
  const close = async (): Promise<void> => {
    if (spooling) await spooling.close();
    await postgres?.close();
    await owner?.close();
  };
  if (rabbitmqUrl !== undefined) {
    const local = { owner, store, ledgerSpool };
    const { close: closeBroker, ...rest } = await openBroker(settings, local, {
      ...wishes,
      logger,
    });
    return {
      ...{ ...rest, ledger, retention, ledgerSpool, noneSetAside },
      close: async () => {
        await closeBroker();
        await close();
      },
    };
  }
  const here = required(owner);
  const { broker, intake } = here;
  onState('connected');
  here.onState(onState);
  return { broker, ledger, intake, retention, ledgerSpool, noneSetAside, close };
}

/** RabbitMQ, and what takes messages in its place while it is away. */
async function openBroker(
  { rabbitmqUrl: url = '', rabbitmq, brokerAway }: Settings,
  local: {
    readonly owner: OwnerClient | undefined;
    readonly store: Ledger;
    readonly ledgerSpool: LedgerSpool;
  },
  { logger, takesMessages = false, onState = () => undefined }: Wishes & { logger: Logger },
): Promise<Pick<OwnStores, 'broker' | 'inlet' | 'close'>> {
  const { owner, store, ledgerSpool } = local;
  const isSpooled = brokerAway === 'spool';
  const open = () =>
    openRabbitBroker({
      url,
      ...rabbitmq,
      logger,
      onState,
      record: (entries) => ledgerSpool.record(entries),
      ...(isSpooled && takesMessages ? { timeoutMs: spoolAfterMs } : {}),
    });
  const parts = { ledger: store, logger, clock: Date.now };
  if (!isSpooled) {
    const remote = new ClaimCheckBroker(await open(), parts);
    return { broker: remote, close: () => remote.close() };
  }
  onState('disconnected');
  const rabbit = await AwaitedBroker.open(open, { patienceMs: brokerPatienceMs, logger });
  const remote = new ClaimCheckBroker(rabbit, parts);
  const here = required(owner).broker;
  const inlet = takesMessages
    ? new StoreAndForward({ ...parts, remote, local: here, ledgerSpool })
    : undefined;
  return {
    broker: withSpooled(remote, here),
    ...(inlet === undefined ? {} : { inlet }),
    close: async () => {
      await inlet?.stop();
      await remote.close();
    },
  };
}

/** Where {@link needsOwner} says so there is one. */
function required(owner: OwnerClient | undefined): OwnerClient {
  if (owner === undefined) throw new Error('The owner of the data file was expected to run.');
  return owner;
}

/** Loaded only where it is used: every process has these stores. */
async function openLedger(
  address: LedgerAddress,
  options: { readonly logger: Logger; readonly isStrict: boolean },
): Promise<PostgresStore> {
  const { openPostgres } = await import('../connectors/postgres/open.ts');
  return openPostgres({ address, ...options });
}
