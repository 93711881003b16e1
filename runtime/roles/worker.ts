import { findFailure } from '../../core/errors.ts';
import { openMapper } from '../../connectors/file/mapping-files.ts';
import { openStores } from '../broker.ts';
import { selectTabs, workerName } from '../deploy/groups.ts';
import { watchEnds } from '../flow/ends.ts';
import { WorkerFlowRuntime } from '../flow/flow-runtime.ts';
import { startHeadless } from '../flow/headless.ts';
import { logLevel, type LogEvent, type NodeRed } from '../node-red.ts';
import { runChild, tell } from '../process/child.ts';
import { workerDirectory } from '../settings.ts';
import { NodeWarnings } from '../settlement/node-warnings.ts';
import { SettlementTracker } from '../settlement/tracker.ts';

/** Messages of one source in the flow at a time. */
const window = 64;
const flowTimeoutMs = 120_000;
const drainMs = 10_000;

runChild('worker', async ({ settings, config, logger }) => {
  let tracker: SettlementTracker | undefined;
  let flowRuntime: WorkerFlowRuntime | undefined;
  watchEnds(() => flowRuntime?.running, settings);
  const stores = await openStores(settings, logger, {
    name: workerName(config.group),
    onState: (state) => {
      tell({ type: 'connection', part: 'broker', state });
      flowRuntime?.announce(state === 'connected' ? 'connected' : 'disconnected');
    },
  });
  await Promise.all(config.definitions.queues.map((queue) => stores.broker.declare(queue)));
  const mapper = openMapper(settings.mappingsDirectory);

  const onLog = (event: LogEvent): void => {
    tracker?.onLog(event);
    if (event.level > logLevel.warn) return;
    if (event.id === undefined) {
      logger.warn({}, `Node-RED: ${String(event.msg)}`);
      return;
    }
    // The text may quote a message: what is logged is where it happened.
    const issues = findFailure(event.msg)?.issues;
    logger.warn({ node: event.id, type: event.type, flow: event.z, issues }, 'A node complained.');
  };
  const red: NodeRed = await startHeadless({
    userDirectory: workerDirectory(settings, config.group),
    dataDirectory: settings.dataDirectory,
    flowsDirectory: settings.flowsDirectory,
    credentialSecret: config.credentialSecret,
    select: (flows) => selectTabs(flows, config.tabs),
    startTimeoutMs: 20_000,
    onLog,
    flowRuntime: (runtime) => {
      tracker = new SettlementTracker(
        runtime,
        new NodeWarnings({ events: runtime.events, logger }),
      );
      flowRuntime = new WorkerFlowRuntime({
        ...stores,
        tracker,
        mapper,
        logger,
        clock: Date.now,
        queues: config.definitions.queues,
        paused: config.paused,
        onCulprit: () => {
          tell({ type: 'culprit' });
        },
        ...(config.culprits === undefined ? {} : { culprits: config.culprits }),
        window,
        flowTimeoutMs,
        changeBytes: settings.changeBytes,
      });
      return flowRuntime;
    },
  });
  forwardToEditor(red);

  return {
    handle: (message) => {
      if (message.type === 'inject') red.nodes.getNode(message.nodeId)?.receive();
      if (message.type === 'release') flowRuntime?.release(message.queue, message.key);
      if (message.type === 'paused') flowRuntime?.pause(message.queues);
      if (message.type === 'debug') setDebug(red, message.nodeId, message.active);
    },
    stop: async () => {
      await flowRuntime?.drain(drainMs);
      await red.stop();
      await stores.close();
    },
  };
});

/** Status and debug output of the flows, shown in the editor although they run here. */
function forwardToEditor(red: NodeRed): void {
  red.events.on('node-status', (event: object) => {
    tell({ type: 'node-status', event: toPlain(event) });
  });
  red.events.on('comms', (event: object) => {
    tell({ type: 'comms', event: toPlain(event) });
  });
}

function setDebug(red: NodeRed, nodeId: string, active: boolean): void {
  const node = red.nodes.getNode(nodeId) as { active?: boolean } | null;
  if (node !== null) node.active = active;
}

/** Events may hold nodes and functions, which no channel carries; what cannot be copied is not shown. */
function toPlain(event: object): object {
  try {
    return JSON.parse(JSON.stringify(event)) as object;
  } catch {
    return {};
  }
}
