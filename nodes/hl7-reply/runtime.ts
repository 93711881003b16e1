import type { Node, NodeAPI } from 'node-red';
import { buildError } from '../../core/errors.ts';
import type { FlowMessage, ReplyOutcome } from '../../core/ports/flow-runtime.ts';
import { buildRuntimeMissing, findFlowRuntime, toError, type NodeConfig } from '../shared/node.ts';
import { PacedStatus, showFailure, showRuntimeMissing } from '../shared/status.ts';
import { toResponse, type as typeName, type Hl7ReplyConfig } from './definition.ts';

/**
 * `hl7 reply`: answers the partner whose connection waits for this flow. Where nobody waits it says so and the
 * message goes on: what was acknowledged must not fail for an answer that nobody needs.
 */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(typeName, function (this: Node, config: NodeConfig<Hl7ReplyConfig>): void {
    RED.nodes.createNode(this, config);
    const runtime = findFlowRuntime(RED);
    if (runtime === undefined) {
      showRuntimeMissing(RED, this);
      this.on('input', (_message, _send, done) => {
        done(buildRuntimeMissing(typeName));
      });
      return;
    }
    const status = new PacedStatus(this);
    const show = (outcome: ReplyOutcome): void => {
      if (outcome.kind === 'answered') {
        status.show({ fill: 'green', shape: 'dot', text: outcome.answer });
        return;
      }
      const key = outcome.kind === 'unawaited' ? 'hl7-reply.unawaited' : 'hl7-reply.repeated';
      status.show({ fill: 'yellow', shape: 'ring', text: RED._(`${key}.status`) });
      this.warn(RED._(`${key}.warning`));
    };
    this.on('input', (message: FlowMessage, send, done) => {
      const response = toResponse(config, message['reply']);
      const replying =
        response === undefined
          ? Promise.reject(buildCodeError())
          : runtime.reply(message, response);
      replying.then(
        (outcome) => {
          show(outcome);
          send(message);
          done();
        },
        (error: unknown) => {
          showFailure(status, error);
          done(toError(error));
        },
      );
    });
  });
}

function buildCodeError(): Error {
  return buildError(
    'permanent',
    'reply-code-invalid',
    'Expected AA, AE or AR in msg.reply.code, found something else; mend the node before this one.',
  );
}
