import type { Node, NodeAPI } from 'node-red';
import { findFailure } from '../../core/errors.ts';
import type { FlowMessage, FlowRuntime } from '../../core/ports/flow-runtime.ts';
import { buildRuntimeMissing, findFlowRuntime, toError } from './node.ts';
import { PacedStatus, showRuntimeMissing } from './status.ts';

/** Makes one message durable outside of the flow; resolves when it is. */
export type HandOver = (runtime: FlowRuntime, message: FlowMessage) => Promise<void>;

/**
 * Lets the node hand every message over, and send it on once that is durable. The message counts as done
 * only then; a failure is the flow's failure. Without Hilum's runtime every message fails.
 */
export function runHandOver(RED: NodeAPI, node: Node, handOver: HandOver): void {
  const runtime = findFlowRuntime(RED);
  if (runtime === undefined) {
    showRuntimeMissing(RED, node);
    node.on('input', (_message, _send, done) => {
      done(buildRuntimeMissing(node.type));
    });
    return;
  }
  const status = new PacedStatus(node);
  let count = 0;
  const showCount = (): string => RED._('hilum.status.queued', { count });
  node.on('input', (message, send, done) => {
    handOver(runtime, message).then(
      () => {
        count += 1;
        status.show({ fill: 'green', shape: 'dot', text: showCount });
        send(message);
        done();
      },
      (error: unknown) => {
        const code = findFailure(error)?.issues[0]?.code ?? 'unknown';
        status.show({
          fill: 'red',
          shape: 'dot',
          text: RED._('hilum.status.not-queued', { code }),
        });
        done(toError(error));
      },
    );
  });
}
