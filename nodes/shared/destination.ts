import type { Node, NodeAPI } from 'node-red';
import { queueNames } from '../../core/interface.ts';
import { isWired } from './contribution.ts';
import { runHandOver } from './hand-over.ts';
import { findFlowRuntime, ownerId, type NodeConfig } from './node.ts';
import { answerOutput, type SenderConfig } from './sender.ts';

/**
 * Lets the node put messages into its outbound queue and, where its second output is wired, send what
 * the partner answered: a message of its own, correlated with the one that it answers.
 */
export function runDestination(RED: NodeAPI, node: Node, config: NodeConfig<SenderConfig>): void {
  const id = ownerId(node);
  const destination = { nodeId: id, queue: queueNames.outbound(id) };
  runHandOver(RED, node, (runtime, message) => runtime.send(message, destination));
  if (!isWired(config.wires, answerOutput)) return;
  const answers = findFlowRuntime(RED)?.consume(queueNames.answers(id), (answer) => {
    node.send([null, answer]);
  });
  node.on('close', () => {
    answers?.stop();
  });
}
