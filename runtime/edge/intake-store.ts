import { setTimeout as wait } from 'node:timers/promises';
import type { Envelope } from '../../core/envelope.ts';
import { findFailure } from '../../core/errors.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { Ledger, LedgerEntry } from '../../core/ports/ledger.ts';
import type { Clock } from '../clock.ts';

/** Long enough for the owner to come back, short enough for any sender's patience. */
const storeWithinMs = 8_000;
const storeAgainMs = 250;

/** A listener's messages while the stores are away: whoever came first is stored first. */
export interface Line {
  blocked: Promise<void> | undefined;
}

/** Whether the ledger took the entries, and whether the broker took the message. */
export type Stored = readonly [PromiseSettledResult<void>, PromiseSettledResult<void>];

interface Stores {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly line: Line;
}

/**
 * Makes message and ledger entries durable. What is away for a moment (the owner being started again) is
 * waited for: the same id again changes nothing where it was stored after all.
 */
export async function store(
  { ledger, broker, clock, line }: Stores,
  message: {
    readonly envelope: Envelope;
    readonly queue: string;
    readonly entries: readonly LedgerEntry[];
  },
): Promise<Stored> {
  // In one tick: the embedded broker and the ledger make one transaction of both.
  const tryOnce = (): Promise<Stored> =>
    Promise.allSettled([
      ledger.append(message.entries),
      broker.publish(message.queue, message.envelope),
    ]);
  const deadline = clock() + storeWithinMs;
  await unblocked(line);
  let results = await tryOnce();
  if (!isAway(results)) return results;
  await unblocked(line);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  line.blocked = promise;
  while (isAway(results) && clock() <= deadline) {
    results = await tryOnce();
    if (isAway(results)) await wait(storeAgainMs);
  }
  line.blocked = undefined;
  resolve(undefined);
  return results;
}

async function unblocked(line: Line): Promise<void> {
  while (line.blocked !== undefined) await line.blocked;
}

function isAway(results: Stored): boolean {
  return results.every(
    (result) =>
      result.status === 'rejected' && findFailure(result.reason)?.errorClass === 'transient',
  );
}
