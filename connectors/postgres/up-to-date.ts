import type { LedgerAddress } from './address.ts';
import { migrate } from './migrate.ts';
import { openSession } from './session.ts';

/** Brings the tables up to date over a connection of its own. Rejects as `openSession` and `migrate` do. */
export async function bringUpToDate(address: LedgerAddress): Promise<void> {
  const client = await openSession(address, { isPatient: true });
  try {
    await migrate(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
