import { connectOwner } from '../../../connectors/sqlite/client.ts';
import type { LedgerEntry } from '../../../core/ports/ledger.ts';
import { openSpool } from '../../../runtime/spool/open-spool.ts';
import { silent } from '../owner.ts';

const recorders = 50;

/**
 * A process that records the same event over and over, without a pause, from its first message on. It says `spooling`
 * and `forwarded` when that begins and ends; then it records no more and says `done`, with how many events were durable.
 */
process.once('disconnect', () => process.exit());
process.once('message', (message: Record<string, string> & { event: LedgerEntry }) => {
  void (async () => {
    const { socket = '', directory = '', name = '', event } = message;
    const { ledger } = await connectOwner({ socket, logger: silent });
    const settings = { directory, maxBytes: 256 * 1024 * 1024, patienceMs: 1_000 };
    const spool = await openSpool(name, { settings, ledger, logger: silent });
    let durable = 0;
    let wasSpooling = false;
    let isDone = false;
    const recordOn = async (): Promise<void> => {
      while (!isDone) {
        await spool.record([event]);
        durable += 1;
        if (spool.isSpooling === wasSpooling) continue;
        wasSpooling = spool.isSpooling;
        process.send?.({ is: wasSpooling ? 'spooling' : 'forwarded' });
        isDone = !wasSpooling;
      }
    };
    process.send?.({ is: 'ready' });
    await Promise.all(Array.from({ length: recorders }, recordOn));
    await spool.forwarded();
    process.send?.({ is: 'done', durable });
  })();
});
