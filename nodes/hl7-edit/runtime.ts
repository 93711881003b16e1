import type { Node, NodeAPI } from 'node-red';
import { buildError, type HilumError } from '../../core/errors.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { messageTypeOf, rewritePayload } from '../shared/hl7.ts';
import { findProperty, toError, type NodeConfig } from '../shared/node.ts';
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
        message.payload = rewritePayload(message.payload, (hl7) => {
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

/** An edit that cannot be read must not quietly do nothing: no message passes until it is mended. */
function buildFaulty(number: number): HilumError {
  const message = `Edit ${number} of the node "hl7 edit" cannot be read; open the node in the editor and mend it.`;
  return buildError('permanent', 'edit-faulty', message);
}
