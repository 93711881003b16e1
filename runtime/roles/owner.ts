import { openOwner } from '../../connectors/sqlite/owner.ts';
import { runChild, tell } from '../process/child.ts';

runChild('owner', async ({ settings, logger }) => {
  const owner = await openOwner({
    file: settings.databaseFile,
    socket: settings.ownerSocket,
    logger,
    onStorage: (reason) => {
      tell({ type: 'storage', state: { reason } });
    },
  });
  owner.failed.catch((error: unknown) => {
    // The supervisor starts it again; its clients reconnect.
    logger.error({ err: error }, 'The ledger and the embedded broker failed.');
    process.exit(1);
  });
  return { stop: () => owner.close() };
});
