import { connectOwner } from '../../../connectors/sqlite/client.ts';
import type { LedgerEntry } from '../../../core/ports/ledger.ts';
import { openSpool } from '../../../runtime/spool/open-spool.ts';
import { silent } from '../owner.ts';

/** A process that records what it is sent, says when that is durable, and is there to be killed. */
process.once('disconnect', () => process.exit());
process.once('message', ({ socket, directory, name }: Record<string, string>) => {
  void (async () => {
    const { ledger } = await connectOwner({ socket: socket ?? '', logger: silent });
    const settings = { directory: directory ?? '', maxBytes: 1024 * 1024, patienceMs: 200 };
    const spool = await openSpool(name ?? '', { settings, ledger, logger: silent });
    process.on('message', (entries: readonly LedgerEntry[]) => {
      void spool.record(entries).then(() => process.send?.('durable'));
    });
    process.send?.('ready');
  })();
});
