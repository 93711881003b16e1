import { openStores } from '../broker.ts';
import { Edge } from '../edge/edge.ts';
import { runChild, tell } from '../process/child.ts';

runChild('edge', async ({ settings, config, logger }) => {
  const stores = await openStores(settings, logger, (state) => {
    tell({ type: 'connection', part: 'broker', state });
  });
  const edge = new Edge({
    ...stores,
    logger,
    clock: Date.now,
    onEndpoint: (endpoint) => {
      tell({ type: 'endpoint', endpoint });
    },
  });
  await edge.apply(config.definitions);
  return {
    handle: (message) => {
      if (message.type !== 'definitions') return;
      edge.apply(message.definitions).catch((error: unknown) => {
        logger.error({ err: error }, 'The new definitions could not be applied.');
      });
    },
    stop: async () => {
      await edge.stop();
      await stores.close();
    },
  };
});
