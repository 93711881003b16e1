import type { Node, NodeAPI } from 'node-red';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { textOf } from '../shared/contribution.ts';
import { toError, type NodeConfig } from '../shared/node.ts';
import { PacedStatus, showFailure } from '../shared/status.ts';
import { Collector, type Waiting } from './collector.ts';
import { defaults, fields, type, type Hl7BatchConfig } from './definition.ts';
import { joinMessages } from './join.ts';
import { splitMessage } from './split.ts';

/** `hl7 batch`: a batch into its messages, or messages into a batch. */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(type, function (this: Node, config: NodeConfig<Hl7BatchConfig>): void {
    RED.nodes.createNode(this, config);
    if (config.mode === 'join') runJoin(RED, this, config);
    else runSplit(RED, this, config);
  });
}

function runSplit(RED: NodeAPI, node: Node, config: Hl7BatchConfig): void {
  const status = new PacedStatus(node);
  node.on('input', (message: FlowMessage, send, done) => {
    try {
      const messages = splitMessage(message, config);
      const text = RED._('hl7-batch.status.split', { count: messages.length });
      status.show({ fill: 'green', shape: 'dot', text });
      for (const each of messages) send(each);
      done();
    } catch (error) {
      showFailure(status, error);
      done(toError(error));
    }
  });
}

function runJoin(RED: NodeAPI, node: Node, config: Hl7BatchConfig): void {
  const status = new PacedStatus(node);
  const finish = (waiting: readonly Waiting[]): void => {
    try {
      const { envelope } = config;
      const joined = joinMessages(
        waiting.map(({ message }) => message),
        { envelope, clock: Date.now },
      );
      const text = RED._('hl7-batch.status.joined', { count: waiting.length });
      status.show({ fill: 'green', shape: 'dot', text });
      waiting.at(-1)?.send(joined);
      for (const { done } of waiting) done();
    } catch (error) {
      showFailure(status, error);
      for (const { done } of waiting) done(toError(error));
    }
  };
  const collector = new Collector({
    ...config,
    count: readNumber('count', config),
    timeoutMs: readNumber('timeoutSeconds', config) * 1000,
    onComplete: finish,
  });
  node.on('input', (message: FlowMessage, send, done) => {
    collector.take({ message, send, done });
    if (collector.held === 0) return;
    const text = RED._('hl7-batch.status.waiting', { count: collector.held });
    status.show({ fill: 'yellow', shape: 'ring', text });
  });
  node.on('close', () => {
    collector.stop();
  });
}

function readNumber(name: 'count' | 'timeoutSeconds', config: Hl7BatchConfig): number {
  const parsed = fields[name](textOf(config[name]));
  return parsed.ok ? parsed.value : Number(defaults[name]);
}
