import type { Mandate } from '../../console/api/administration.ts';
import type { Envelope } from '../../core/envelope.ts';
import type { LedgerEntry } from '../../core/ports/ledger.ts';
import type { Stores } from '../broker.ts';
import type { Clock } from '../clock.ts';
import { deriveId } from '../derived-id.ts';
import { toInstant } from '../ids.ts';
import { describeMandate } from './mandate.ts';

/**
 * Puts a copy of a message into another queue and withdraws it from its own. The copy's id follows from both, so that
 * a move that was cut short and is repeated makes no second one. False where the ledger has no such message.
 */
export async function moveMessage(
  id: string,
  route: { readonly from: string; readonly to: string },
  options: { readonly stores: Stores; readonly clock: Clock; readonly mandate: Mandate },
): Promise<boolean> {
  const { broker, ledger } = options.stores;
  const origin = await ledger.read(id);
  if (origin === undefined) return false;
  const at = toInstant(options.clock());
  const copy: Envelope = {
    ...origin,
    id: deriveId(origin.id, 'move', route.to),
    causationId: origin.id,
    receivedAt: at,
    attempt: 1,
  };
  const who = describeMandate(options.mandate);
  const entries: readonly LedgerEntry[] = [
    { type: 'message', envelope: copy },
    {
      type: 'event',
      event: {
        messageId: copy.id,
        kind: 'queued',
        at,
        queue: route.to,
        summary: `moved from ${route.from}, ${who}`,
      },
    },
    {
      type: 'event',
      event: {
        messageId: origin.id,
        kind: 'withdrawn',
        at,
        queue: route.from,
        summary: `moved to ${route.to} as ${copy.id}, ${who}`,
      },
    },
  ];
  // The copy is stored before its origin is withdrawn: never is there none.
  await broker.publish(route.to, copy);
  await ledger.append(entries);
  return true;
}
