import type { Node, NodeAPI } from 'node-red';
import { queueNames } from '../../core/interface.ts';
import { ownerId, type NodeConfig } from '../shared/node.ts';
import { runSource } from '../shared/source.ts';
import { type, type MllpInConfig } from './definition.ts';

/** `mllp in`: the edge listens and fills the inbound queue; this node is its consumer. */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(type, function (this: Node, config: NodeConfig<MllpInConfig>): void {
    RED.nodes.createNode(this, config);
    runSource(RED, this, queueNames.inbound(ownerId(this)));
  });
}
