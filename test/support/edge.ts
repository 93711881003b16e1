import path from 'node:path';
import { connectOwner, type OwnerClient } from '../../connectors/sqlite/client.ts';
import { openOwner, type Owner } from '../../connectors/sqlite/owner.ts';
import type { ListenerDefinition } from '../../core/interface.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { UniqueIntake } from '../../core/ports/intake.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { Edge } from '../../runtime/edge/edge.ts';
import type { Inlet } from '../../runtime/edge/store-attempt.ts';
import type { LedgerSpool } from '../../runtime/spool/ledger-spool.ts';
import type { EndpointState } from '../../runtime/process/messages.ts';
import { makeTempFolder } from './temp.ts';

export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** The real stores of one data file, in this process. */
export interface TestStores {
  readonly owner: Owner;
  /** Where the owner is reached. */
  readonly socket: string;
  readonly stores: OwnerClient;
  close(): Promise<void>;
}

export async function openTestStores(name: string): Promise<TestStores> {
  const folder = makeTempFolder(name);
  const socket = path.join(folder, 'owner.sock');
  const owner = await openOwner({ file: path.join(folder, 'hilum.db'), socket, logger: silent });
  const stores = await connectOwner({ socket, logger: silent });
  return {
    owner,
    socket,
    stores,
    close: async () => {
      await stores.close();
      await owner.close();
    },
  };
}

/** What a listener of a test is without being told; its queue is `in.<id>`. */
export function buildListener(settings: Partial<ListenerDefinition> = {}): ListenerDefinition {
  const id = settings.id ?? 'listener';
  return {
    kind: 'mllp',
    id,
    interface: 'lab',
    label: 'Laboratory',
    host: '127.0.0.1',
    port: 0,
    acknowledge: 'received',
    queue: `in.${id}`,
    maxFrameBytes: 64 * 1024 * 1024,
    idleTimeoutMs: 0,
    ...settings,
  };
}

/** An edge with these listeners, and the ports that the system chose for them. */
export async function openTestEdge(
  parts: {
    readonly broker: Broker;
    readonly ledger: Ledger;
    readonly clock?: () => number;
    readonly logger?: Logger;
    readonly intake?: UniqueIntake;
    readonly ledgerSpool?: LedgerSpool;
    readonly inlet?: Inlet;
    readonly drainMs?: number;
    readonly paceAbove?: number;
    readonly paceTimes?: { readonly lookMs: number; readonly standstillMs: number };
  },
  ...listeners: readonly ListenerDefinition[]
): Promise<{ readonly edge: Edge; readonly ports: readonly number[] }> {
  const endpoints: EndpointState[] = [];
  const edge = new Edge({
    logger: silent,
    clock: Date.now,
    ...parts,
    listenAgainMs: 100,
    onEndpoint: (endpoint) => endpoints.push(endpoint),
  });
  const queues = listeners.map(({ queue, interface: owner }) => ({
    name: queue,
    interface: owner,
  }));
  await edge.apply({ listeners, senders: [], queues });
  const ports = listeners.map(({ id }) =>
    Number(
      endpoints
        .findLast(({ nodeId }) => nodeId === id)
        ?.detail.split(':')
        .at(-1),
    ),
  );
  return { edge, ports };
}

/** The real thing, but for these methods. */
export function overrideIn<T extends object>(real: T, methods: Partial<T>): T {
  return new Proxy(real, {
    get: (target, name) => {
      const own = Reflect.get(methods, name) as unknown;
      const value = own ?? Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
