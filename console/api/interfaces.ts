import type { Mandate } from './administration.ts';
import type { Control, InterfaceStatus, ListenerStatus, SenderStatus } from './control.ts';
import type { Reader } from './reader.ts';

/**
 * Stops and starts single interfaces: the runtime implements it and hands it in. Durable when it resolves, and over
 * restarts. Rejects with HilumError (permanent) `interface-missing` where none has this id.
 */
export interface InterfaceControl {
  /** Its listeners close, its flow and its senders take nothing more; what is under way is finished. */
  stop(id: string, mandate: Mandate): Promise<void>;
  /** Also one that was stopped since it kept ending its worker. */
  start(id: string, mandate: Mandate): Promise<void>;
}

/** `GET /api/interfaces`: an interface with all that belongs to it. */
export interface InterfaceView extends InterfaceStatus {
  readonly listeners: readonly ListenerStatus[];
  readonly senders: readonly SenderStatus[];
  /** Messages that wait or are worked on, in all of its queues together. */
  readonly waiting: number;
  readonly dead: number;
  /** Since when the oldest of them waits; null where none does. */
  readonly oldestAt: string | null;
  /** When its newest message came, ISO 8601 UTC; null where there is none. */
  readonly lastMessageAt: string | null;
}

/** By name. */
export async function readInterfaces(options: {
  readonly reader: Reader;
  readonly control: Pick<Control, 'status'>;
}): Promise<InterfaceView[]> {
  const { reader, control } = options;
  const { interfaces, listeners, senders } = control.status();
  const queues = Map.groupBy(await reader.queues(), (queue) => queue.interface);
  const views = interfaces.map(async (status): Promise<InterfaceView> => {
    const own = queues.get(status.id) ?? [];
    const [last] = await reader.messages({ interface: status.id }, { limit: 1 });
    return {
      ...status,
      listeners: listeners.filter((each) => each.interface === status.id),
      senders: senders.filter((each) => each.interface === status.id),
      waiting: own.reduce((sum, { ready, unsettled }) => sum + ready + unsettled, 0),
      dead: own.reduce((sum, { dead }) => sum + dead, 0),
      oldestAt: own.flatMap(({ oldestAt }) => oldestAt ?? []).toSorted()[0] ?? null,
      lastMessageAt: last?.receivedAt ?? null,
    };
  });
  const sorted = await Promise.all(views);
  return sorted.toSorted((left, right) => left.label.localeCompare(right.label));
}
