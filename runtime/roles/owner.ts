import { openOwner } from '../../connectors/sqlite/owner.ts';
import { runChild } from '../process/child.ts';

runChild('owner', async ({ settings, logger }) => {
  const owner = await openOwner({
    file: settings.databaseFile,
    socket: settings.ownerSocket,
    logger,
  });
  return { stop: () => owner.close() };
});
