import type { Envelope } from '../../core/envelope.ts';
import type { Broker } from '../../core/ports/broker.ts';

/**
 * Moves a message that was set aside in the ledger to the dead letters of its queue. The queue first, and then what
 * `record` tells the ledger: a crash in between leaves it set aside, and a second dead letter of its id when it is given
 * up again, never none.
 */
export async function deadLetterParked(
  broker: Broker,
  { queue, envelope }: { readonly queue: string; readonly envelope: Envelope },
  record: () => Promise<void>,
): Promise<void> {
  await broker.publish(`${queue}.dead`, envelope);
  await record();
}
