import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { buildError, type HilumError } from '../../core/errors.ts';
import { messageTypeOf, requireMessage } from '../shared/hl7.ts';
import { toError, type NodeConfig } from '../shared/node.ts';
import { PacedStatus, showFailure } from '../shared/status.ts';
import {
  findRuleProblem,
  type,
  type Hl7RouteConfig,
  type Rule,
  type RuleProblem,
} from './definition.ts';
import { compileRule, findOutputs } from './match.ts';

/** `hl7 route`: to the first rule that matches, or to all of them, or to "otherwise". */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(type, function (this: Node, config: NodeConfig<Hl7RouteConfig>): void {
    RED.nodes.createNode(this, config);
    const status = new PacedStatus(this);
    const wrong = findFaultyRule(config.rules);
    if (wrong !== undefined) {
      this.status({
        fill: 'red',
        shape: 'ring',
        text: RED._('hl7-route.status.faulty', { ...wrong }),
      });
      this.on('input', (_message, _send, done) => {
        done(buildRuleError(wrong));
      });
      return;
    }
    const matchers = config.rules.map(compileRule);
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

interface FaultyRule {
  readonly number: number;
  readonly problem: RuleProblem;
}

/** A rule that cannot be read must not quietly match nothing: no message passes until it is mended. */
function findFaultyRule(rules: readonly Rule[]): FaultyRule | undefined {
  for (const [index, rule] of rules.entries()) {
    const problem = findRuleProblem(rule);
    if (problem !== undefined) return { number: index + 1, problem };
  }
  return undefined;
}

function buildRuleError({ number, problem }: FaultyRule): HilumError {
  return buildError(
    'permanent',
    `rule-${problem}`,
    `Rule ${number} of the node "hl7 route" cannot be read; open the node in the editor and mend it.`,
  );
}
