import type { Node, NodeAPI } from 'node-red';
import { resolveEnv } from '../shared/environment.ts';
import { runHandOver } from '../shared/hand-over.ts';
import { ownerId, type NodeConfig } from '../shared/node.ts';
import { type, type QueueOutConfig } from './definition.ts';

/** `queue out`: an event for whoever is subscribed to its topic. */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(type, function (this: Node, config: NodeConfig<QueueOutConfig>): void {
    RED.nodes.createNode(this, config);
    const topic = resolveEnv(config.topic.trim(), process.env);
    const id = ownerId(this);
    runHandOver(RED, this, (runtime, message) => runtime.publishEvent(message, topic, id));
  });
}
