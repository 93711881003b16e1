import type { Node, NodeAPI } from 'node-red';
import { queueNames } from '../../core/interface.ts';
import { ownerId, type NodeConfig } from '../shared/node.ts';
import { runSource } from '../shared/source.ts';
import { type, type QueueInConfig } from './definition.ts';

/** `queue in`: every event of the topics that it is subscribed to. */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(type, function (this: Node, config: NodeConfig<QueueInConfig>): void {
    RED.nodes.createNode(this, config);
    runSource(RED, this, queueNames.subscription(ownerId(this)));
  });
}
