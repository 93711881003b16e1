import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { messageTypeOf, requireMessage } from '../shared/hl7.ts';
import { toError, type NodeConfig } from '../shared/node.ts';
import { PacedStatus, showFailure } from '../shared/status.ts';
import { type, type Hl7RouteConfig } from './definition.ts';
import { compileRule, findOutputs } from './match.ts';

/** `hl7 route`: to the first rule that matches, or to all of them, or to "otherwise". */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(type, function (this: Node, config: NodeConfig<Hl7RouteConfig>): void {
    RED.nodes.createNode(this, config);
    const matchers = config.rules.map(compileRule);
    const status = new PacedStatus(this);
    this.on('input', (message, send, done) => {
      try {
        const hl7 = requireMessage(message.payload);
        const outputs = findOutputs(hl7, matchers, config.all);
        const numbers = outputs.map((output) => output + 1).join(', ');
        const text = RED._('hl7-route.status.routed', {
          type: messageTypeOf(hl7),
          outputs: outputs[0] === matchers.length ? RED._('hl7-route.otherwise') : numbers,
        });
        status.show({ fill: 'green', shape: 'dot', text });
        const sent: (NodeMessage | null)[] = Array.from(
          { length: matchers.length + 1 },
          () => null,
        );
        for (const output of outputs) sent[output] = message;
        send(sent);
        done();
      } catch (error) {
        showFailure(status, error);
        done(toError(error));
      }
    });
  });
}
