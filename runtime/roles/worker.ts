import { setImmediate } from 'node:timers/promises';
import { findFailure, HilumError } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import { openMappings } from '../../connectors/file/mapping-files.ts';
import { openStores } from '../broker.ts';
import { findIn } from '../deploy/kept-profiles.ts';
import { usesMappings } from '../deploy/mapping-version.ts';
import { answerContext } from '../flow/context-answer.ts';
import { watchEnds } from '../flow/ends.ts';
import { WorkerFlowRuntime } from '../flow/flow-runtime.ts';
import { startHeadless } from '../flow/headless.ts';
import { findNotStarted } from '../flow/not-started.ts';
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
    name: config.spoolName,
    onState: (state) => {
      tell({ type: 'connection', part: 'broker', state });
      flowRuntime?.announce(state === 'connected' ? 'connected' : 'disconnected');
    },
  });
  await Promise.all(config.definitions.queues.map((queue) => stores.broker.declare(queue)));
  const mappings = openMappings(config.mappingsDirectory);
  // Faulty ones end the worker before it takes a message. Who maps nothing does without: it takes some tenths of a second.
  if (usesMappings(config.flows)) mappings.mapper([]);
  const findProfile = findIn(config.profiles);

  const startErrors: Issue[] = [];
  let isStarting = true;
  const onLog = (event: LogEvent): void => {
    tracker?.onLog(event);
    if (event.level > logLevel.warn) return;
    if (isStarting && event.level <= logLevel.error) startErrors.push(...toStartErrors(event));
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
    flows: config.flows,
    credentials: config.credentials,
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
        mappings,
        findProfile,
        logger,
        clock: Date.now,
        queues: config.definitions.queues,
        paused: config.paused,
        standsBy: config.standsBy,
        revision: config.revision,
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
  const ids = new Set(config.flows.map(({ id }) => id));
  // What a node says as soon as it has started is heard: a function's setup fails a moment later.
  await setImmediate();
  isStarting = false;
  for (const issue of findNotStarted(red, config.flows)) {
    logger.error({ node: issue.location }, issue.message);
    startErrors.push(issue);
  }
  if (config.standsBy && startErrors.length > 0) throw new HilumError('permanent', startErrors);

  return {
    handle: (message) => {
      if (message.type === 'inject') {
        red.nodes.getNode(message.nodeId)?.receive(message.message);
      }
      if (message.type === 'release') flowRuntime?.release(message.queue, message.key);
      if (message.type === 'paused') flowRuntime?.pause(message.queues);
      if (message.type === 'revision') flowRuntime?.reached(message.revision);
      if (message.type === 'take') flowRuntime?.take(message.queue);
      if (message.type === 'debug') setDebug(red, message.nodeId, message.active);
      if (message.type === 'context') {
        const { question } = message;
        answerContext(red, question, { group: config.group, ids }).then(
          (value) => {
            if (value === undefined) return;
            tell({ type: 'context', event: { ask: question.ask, value: toPlain(value) } });
          },
          (error: unknown) => {
            logger.warn({ err: error }, 'A context was not read.');
          },
        );
      }
    },
    stop: async () => {
      await flowRuntime?.drain(drainMs, (queue) => {
        tell({ type: 'released', queue });
      });
      await red.stop();
      await stores.close();
    },
  };
});

/** What a node could not start for: it has seen no message yet, so its words quote none. */
function toStartErrors({ id, msg }: LogEvent): readonly Issue[] {
  if (id === undefined) return [];
  const text = msg instanceof Error ? msg.message : String(msg);
  const message = `The node did not start: ${text}`;
  return [{ code: 'node-not-started', severity: 'error', location: id, message }];
}

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
function toPlain(event: unknown): object {
  try {
    return JSON.parse(JSON.stringify(event)) as object;
  } catch {
    return {};
  }
}
