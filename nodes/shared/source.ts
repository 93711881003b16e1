import type { Node, NodeAPI } from 'node-red';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { findFlowRuntime } from './node.ts';
import { PacedStatus, showRuntimeMissing } from './status.ts';

/**
 * Lets the node send every message of the queue into the flow, and show how many there were. Without
 * Hilum's runtime it only says that it needs it.
 */
export function runSource(RED: NodeAPI, node: Node, queue: string): void {
  const runtime = findFlowRuntime(RED);
  if (runtime === undefined) {
    showRuntimeMissing(RED, node);
    return;
  }
  const status = new PacedStatus(node);
  let count = 0;
  const showCount = (): string => RED._('hilum.status.received', { count });
  const source = runtime.consume(queue, (message: FlowMessage) => {
    count += 1;
    status.show({ fill: 'green', shape: 'dot', text: showCount });
    node.send(message);
  });
  status.show({ fill: 'yellow', shape: 'ring', text: RED._('hilum.status.connecting') });
  source.onState((state) => {
    status.show(
      state === 'connected'
        ? { fill: 'green', shape: 'dot', text: showCount }
        : { fill: 'red', shape: 'ring', text: RED._('hilum.status.disconnected') },
    );
  });
  node.on('close', () => {
    source.stop();
  });
}
