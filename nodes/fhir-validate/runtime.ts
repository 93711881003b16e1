import type { Node, NodeAPI } from 'node-red';
import { validateFully } from '../../connectors/file/conformance.ts';
import { openFhirValidator } from '../../connectors/file/fhir-schema.ts';
import { HilumError } from '../../core/errors.ts';
import { isValid, type Issue } from '../../core/issue.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { isWired, requireFields } from '../shared/contribution.ts';
import { parseResource, type ResourceResult } from '../shared/fhir.ts';
import { attempt, toError, type NodeConfig } from '../shared/node.ts';
import { PacedStatus, showFailure, toShort } from '../shared/status.ts';
import { fields, invalidOutput, type, type FhirValidateConfig } from './definition.ts';

/** `fhir validate`: valid resources out of the first output, others out of the second, else they fail. */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(type, function (this: Node, config: NodeConfig<FhirValidateConfig>): void {
    RED.nodes.createNode(this, config);
    const status = new PacedStatus(this);
    const sendInvalid = isWired(config.wires, invalidOutput);
    const prepared = attempt(() => requireFields(config, fields, process.env));
    if (!prepared.ok) {
      showFailure(status, prepared.error);
      this.error(prepared.error);
    }
    this.on('input', (message: FlowMessage, send, done) => {
      if (!prepared.ok) {
        done(prepared.error);
        return;
      }
      const parsed = parseResource(message.payload);
      const finish = (issues: readonly Issue[]): void => {
        message.issues = [...(message.issues ?? []), ...issues];
        const worst = issues.find((issue) => !isValid([issue]));
        if (worst === undefined) {
          const name = parsed.ok ? parsed.resource.resourceType : '?';
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
      };
      const { validation, profiles } = prepared.value;
      if (!parsed.ok || validation === 'schema') {
        finish(checkBySchema(parsed));
        return;
      }
      // What keeps it from being checked says nothing of the resource: it is tried again, or a dead letter.
      validateFully(parsed.resource, profiles).then(finish, (error: unknown) => {
        showFailure(status, error);
        done(toError(error));
      });
    });
  });
}

const checkBySchema = (parsed: ResourceResult): readonly Issue[] =>
  parsed.ok ? openFhirValidator()(parsed.resource) : parsed.issues;
