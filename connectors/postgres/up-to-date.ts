import type pg from 'pg';
import type { LedgerAddress } from './address.ts';
import { assertUsable, migrate } from './migrate.ts';
import { openSession, type SessionWishes } from './session.ts';

/**
 * Opens sessions on tables that this program knows: the first of all brings them up to date, on a session of its own, so
 * that no other is held up by how long that takes. Rejects as {@link openSession} does, and with `UnknownSchema` where a
 * newer Hilum has made the tables unusable for this one, also since.
 */
export function buildOpening(
  address: LedgerAddress,
): (wishes?: SessionWishes) => Promise<pg.Client> {
  let isUpToDate = false;
  return async (wishes = {}) => {
    if (!isUpToDate) await bringUpToDate(address);
    isUpToDate = true;
    const client = await openSession(address, wishes);
    try {
      await assertUsable(client);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    return client;
  };
}

async function bringUpToDate(address: LedgerAddress): Promise<void> {
  const client = await openSession(address, { isPatient: true });
  try {
    await migrate(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
