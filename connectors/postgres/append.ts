import type pg from 'pg';
import type { Append } from './appended.ts';
import { isRepeatable } from './failures.ts';
import type { Interfaces } from './interfaces.ts';
import { beginLocked } from './lock-touched.ts';
import { sendTogether } from './pipelined.ts';
import { Senders } from './senders.ts';
import { runAsOne } from './statement.ts';
import { Work } from './work.ts';
import { endParkings, toChanges } from './write-touched.ts';

/** The connection that a process writes with, by pipelined statements. */
export interface WriteSession {
  readonly client: pg.Client;
  /** Nobody else has it while this connection lives. */
  readonly writer: number;
}

const maxTries = 10;

/**
 * Writes appends in one transaction. What follows from their events is worked out here, by the rules that every ledger
 * has, over the rows of the messages, which are locked meanwhile. A batch that is there already is not written again.
 */
export async function writeAppends(
  session: WriteSession,
  appends: readonly Append[],
  interfaces: Interfaces,
): Promise<void> {
  await interfaces.know(session.client, appends);
  for (let tries = 1; ; tries += 1) {
    try {
      await transact(session, appends, interfaces);
      return;
    } catch (error) {
      // Where the connection is gone, so is the transaction.
      await session.client.query('ROLLBACK').catch(() => undefined);
      if (tries === maxTries || !isRepeatable(error)) throw error;
    }
  }
}

/** Two trips: what is there is locked and read, and what becomes of it is written. */
async function transact(
  { client, writer }: WriteSession,
  appends: readonly Append[],
  interfaces: Interfaces,
): Promise<void> {
  const locked = await beginLocked(client, appends, interfaces);
  const work = new Work(locked.touched, locked.nextNumber);
  const senders = new Senders(locked.senders);
  for (const { entries, batch } of appends) {
    if (batch !== undefined && !senders.take(batch)) continue;
    for (const entry of entries) work.take(entry);
  }
  const changes = [
    ...toChanges(work, { interfaces, writer }),
    ...senders.toChanges(locked.nextNumber()),
  ];
  await sendTogether(client, () => [
    endParkings(client, work.touched),
    runAsOne(client, changes),
    senders.forgetOldest(client),
    client.query('COMMIT'),
  ]);
}
