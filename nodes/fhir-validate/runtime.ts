import type { Node, NodeAPI } from 'node-red';
import { openFhirValidator } from '../../connectors/file/fhir-schema.ts';
import { HilumError } from '../../core/errors.ts';
import { isValid, type Issue } from '../../core/issue.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { isWired } from '../shared/contribution.ts';
import { parseResource } from '../shared/fhir.ts';
import type { NodeConfig } from '../shared/node.ts';
import { PacedStatus, toShort } from '../shared/status.ts';
import { invalidOutput, type, type FhirValidateConfig } from './definition.ts';

/** `fhir validate`: valid resources out of the first output, others out of the second, else they fail. */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(type, function (this: Node, config: NodeConfig<FhirValidateConfig>): void {
    RED.nodes.createNode(this, config);
    const status = new PacedStatus(this);
    const sendInvalid = isWired(config.wires, invalidOutput);
    this.on('input', (message: FlowMessage, send, done) => {
      const { name, issues } = findIssues(message.payload);
      message.issues = [...(message.issues ?? []), ...issues];
      const worst = issues.find((issue) => !isValid([issue]));
      if (worst === undefined) {
        const text = (): string => RED._('fhir-validate.status.ok', { type: name });
        status.show({ fill: 'green', shape: 'dot', text });
        send([message, null]);
        done();
        return;
      }
      status.show({ fill: 'red', shape: 'dot', text: toShort(worst) });
      if (sendInvalid) {
        send([null, message]);
        done();
      } else {
        done(new HilumError('permanent', issues));
      }
    });
  });
}

/** All findings, and what kind of resource it is, for the status. */
function findIssues(payload: unknown): {
  readonly name: string;
  readonly issues: readonly Issue[];
} {
  const parsed = parseResource(payload);
  if (!parsed.ok) return { name: '?', issues: parsed.issues };
  return { name: parsed.resource.resourceType, issues: openFhirValidator()(parsed.resource) };
}
