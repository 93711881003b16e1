import type { Node, NodeAPI } from 'node-red';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { findFlowRuntime, type NodeConfig } from '../shared/node.ts';
import { PacedStatus } from '../shared/status.ts';
import { buildReasons, type as typeName, type RejectConfig } from './definition.ts';

/** `reject`: the message is dead-lettered with the node's reason once its flow has completed. */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(typeName, function (this: Node, config: NodeConfig<RejectConfig>): void {
    RED.nodes.createNode(this, config);
    const runtime = findFlowRuntime(RED);
    const status = new PacedStatus(this);
    let count = 0;
    this.on('input', (message: FlowMessage, _send, done) => {
      const reasons = buildReasons(config, message.issues);
      runtime?.reject(message, reasons);
      count += 1;
      const code = reasons[0]?.code ?? '';
      status.show({
        fill: 'red',
        shape: 'dot',
        text: () => RED._('hilum.status.rejected', { code, count }),
      });
      done();
    });
  });
}
