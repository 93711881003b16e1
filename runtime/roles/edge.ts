import { openStores } from '../broker.ts';
import type { InterfaceDefinitions } from '../../core/interface.ts';
import { pause } from '../consuming.ts';
import { Edge } from '../edge/edge.ts';
import { runChild, tell } from '../process/child.ts';
import type { ToChild } from '../process/messages.ts';
import { findIn } from '../deploy/kept-profiles.ts';
import { backoffMs } from '../retry-policy.ts';

type Wanted = Omit<Extract<ToChild, { readonly type: 'definitions' }>, 'type'>;

runChild('edge', async ({ settings, config, logger }) => {
  const stores = await openStores(settings, logger, {
    name: 'edge',
    takesMessages: true,
    onState: (state) => tell({ type: 'connection', part: 'broker', state }),
  });
  const edge = new Edge({
    ...stores,
    logger,
    clock: Date.now,
    listenAgainMs: 5_000,
    paceAbove: settings.paceAbove,
    onEndpoint: (endpoint) => {
      tell({ type: 'endpoint', endpoint });
    },
  });
  edge.pause(config.paused);
  await edge.apply(config.definitions, findIn(config.profiles), config.revision);
  let wanted: InterfaceDefinitions = config.definitions;
  const stopping = new AbortController();
  const applyUntilDone = async ({ definitions, profiles, revision }: Wanted): Promise<void> => {
    wanted = definitions;
    for (let attempt = 1; wanted === definitions && !stopping.signal.aborted; attempt += 1) {
      try {
        await edge.apply(definitions, findIn(profiles), revision);
        return;
      } catch (error) {
        logger.error({ err: error }, 'The new definitions could not be applied yet.');
        await pause(backoffMs(attempt), stopping.signal);
      }
    }
  };
  return {
    handle: (message) => {
      if (message.type === 'definitions') void applyUntilDone(message);
      if (message.type === 'release') edge.release(message.queue, message.key);
      if (message.type === 'paused') edge.pause(message.queues);
    },
    stop: async () => {
      stopping.abort();
      await edge.stop();
      await stores.close();
    },
  };
});
