import type { Node, NodeAPI } from 'node-red';
import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { buildError, HilumError } from '../../core/errors.ts';
import type { Hl7Message } from '../../core/hl7v2/message.ts';
import { rewriteMessage } from '../../core/hl7v2/rewrite.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { messageTypeOf, requireMessage } from '../shared/hl7.ts';
import { toError, type NodeConfig } from '../shared/node.ts';
import { PacedStatus, showFailure } from '../shared/status.ts';
import { applyEdits } from './apply.ts';
import { findEditProblem, type, type Hl7EditConfig } from './definition.ts';

/** `hl7 edit`: the message with values set, copied, added and taken away; every other byte as it was. */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(type, function (this: Node, config: NodeConfig<Hl7EditConfig>): void {
    RED.nodes.createNode(this, config);
    const status = new PacedStatus(this);
    const faulty = config.edits.findIndex((edit) => findEditProblem(edit) !== undefined);
    this.on('input', (message: FlowMessage, send, done) => {
      try {
        if (faulty !== -1) throw buildFaulty(faulty + 1);
        let shown = (): Record<string, string | number> => ({});
        message.payload = rewrite(message.payload, (hl7) => {
          const readProperty = (name: string) => findProperty(RED, message, name);
          const { message: edited, made } = applyEdits(hl7, config, readProperty);
          shown = () => ({ type: messageTypeOf(edited), count: made });
          return edited;
        });
        const text = (): string => RED._('hl7-edit.status.edited', shown());
        status.show({ fill: 'green', shape: 'dot', text });
        send(message);
        done();
      } catch (error) {
        showFailure(status, error);
        done(toError(error));
      }
    });
  });
}

/** A property such as `patient.id`; undefined also where there is no `patient`, for which Node-RED throws. */
function findProperty(RED: NodeAPI, message: FlowMessage, name: string): unknown {
  try {
    return RED.util.getMessageProperty(message, name);
  } catch {
    return undefined;
  }
}

/** Text stays text; bytes stay bytes, in the message's own character set. */
function rewrite(payload: unknown, edit: (message: Hl7Message) => Hl7Message): unknown {
  if (!(payload instanceof Uint8Array)) return edit(requireMessage(payload)).text;
  const result = rewriteMessage(payload, edit, { definitions: openDefinitions() });
  if (!result.ok) throw new HilumError('permanent', result.issues);
  return Buffer.from(result.bytes);
}

/** An edit that cannot be read must not quietly do nothing: no message passes until it is mended. */
function buildFaulty(number: number): HilumError {
  const message = `Edit ${number} of the node "hl7 edit" cannot be read; open the node in the editor and mend it.`;
  return buildError('permanent', 'edit-faulty', message);
}
