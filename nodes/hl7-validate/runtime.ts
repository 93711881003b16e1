import type { Node, NodeAPI } from 'node-red';
import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { HilumError } from '../../core/errors.ts';
import { validate } from '../../core/hl7v2/validate.ts';
import { isValid, type Issue } from '../../core/issue.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { isWired } from '../shared/contribution.ts';
import { messageTypeOf, parsePayload } from '../shared/hl7.ts';
import type { NodeConfig } from '../shared/node.ts';
import { PacedStatus, toShort } from '../shared/status.ts';
import { invalidOutput, type, type Hl7ValidateConfig } from './definition.ts';

/** `hl7 validate`: valid messages out of the first output, others out of the second, else they fail. */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(type, function (this: Node, config: NodeConfig<Hl7ValidateConfig>): void {
    RED.nodes.createNode(this, config);
    const status = new PacedStatus(this);
    const sendInvalid = isWired(config.wires, invalidOutput);
    this.on('input', (message: FlowMessage, send, done) => {
      const { type: messageType, issues } = check(message.payload);
      message.issues = [...(message.issues ?? []), ...issues];
      if (isValid(issues)) {
        const text = RED._('hl7-validate.status.ok', { type: messageType });
        status.show({ fill: 'green', shape: 'dot', text });
        send([message, null]);
        done();
        return;
      }
      const worst = issues.find(({ severity }) => severity === 'fatal' || severity === 'error');
      const text = worst === undefined ? messageType : toShort(worst);
      status.show({ fill: 'red', shape: 'dot', text });
      if (sendInvalid) {
        send([null, message]);
        done();
      } else {
        done(new HilumError('permanent', issues));
      }
    });
  });
}

/** Every finding once: the parser and the validator may report the same line. */
function check(payload: unknown): { readonly type: string; readonly issues: readonly Issue[] } {
  const result = parsePayload(payload);
  if (!result.ok) return { type: '?', issues: result.issues };
  const findings = [...result.issues, ...validate(result.message, openDefinitions())].map(
    (issue) => [`${issue.code} ${issue.location ?? ''} ${issue.message}`, issue] as const,
  );
  const issues = [...new Map(findings).values()];
  return { type: messageTypeOf(result.message), issues };
}
