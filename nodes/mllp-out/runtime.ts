import type { Node, NodeAPI } from 'node-red';
import { runDestination } from '../shared/destination.ts';
import type { NodeConfig } from '../shared/node.ts';
import { type, type MllpOutConfig } from './definition.ts';

/** `mllp out`: into the outbound queue; the edge sends it over MLLP. */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(type, function (this: Node, config: NodeConfig<MllpOutConfig>): void {
    RED.nodes.createNode(this, config);
    runDestination(RED, this, config);
  });
}
