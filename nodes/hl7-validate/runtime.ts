import type { Node, NodeAPI } from 'node-red';
import { HilumError } from '../../core/errors.ts';
import { isValid, type Issue } from '../../core/issue.ts';
import type { FlowMessage, FlowRuntime } from '../../core/ports/flow-runtime.ts';
import { isWired } from '../shared/contribution.ts';
import { messageTypeOf, parsePayload } from '../shared/hl7.ts';
import { findFlowRuntime, toError, type NodeConfig } from '../shared/node.ts';
import { PacedStatus, showFailure, toShort } from '../shared/status.ts';
import { compileCheck, type Check } from './check.ts';
import { invalidOutput, type, type Hl7ValidateConfig } from './definition.ts';

/** `hl7 validate`: valid messages out of the first output, others out of the second, else they fail. */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(type, function (this: Node, config: NodeConfig<Hl7ValidateConfig>): void {
    RED.nodes.createNode(this, config);
    const status = new PacedStatus(this);
    const sendInvalid = isWired(config.wires, invalidOutput);
    // At once, so that a faulty profile shows before the first message fails for it.
    const prepared = prepare(config, findFlowRuntime(RED)?.findProfile);
    if (prepared.error !== undefined) {
      showFailure(status, prepared.error);
      // A worker that was to take over with it does not: every message would fail.
      this.error(prepared.error);
    }
    this.on('input', (message: FlowMessage, send, done) => {
      if (prepared.check === undefined) {
        showFailure(status, prepared.error);
        done(prepared.error);
        return;
      }
      const { typeOf, issues } = findIssues(message.payload, prepared.check);
      message.issues = [...(message.issues ?? []), ...issues];
      if (isValid(issues)) {
        const text = (): string => RED._('hl7-validate.status.ok', { type: typeOf() });
        status.show({ fill: 'green', shape: 'dot', text });
        send([message, null]);
        done();
        return;
      }
      const worst = issues.find(({ severity }) => severity === 'fatal' || severity === 'error');
      const text = worst === undefined ? typeOf() : toShort(worst);
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

type Prepared =
  | { readonly check: Check; readonly error?: undefined }
  | { readonly check?: undefined; readonly error: Error };

function prepare(config: Hl7ValidateConfig, findProfile: FlowRuntime['findProfile']): Prepared {
  try {
    return { check: compileCheck(config, process.env, findProfile) };
  } catch (error) {
    return { error: toError(error) };
  }
}

/** Every finding once: the parser and the validator may report the same line. */
function findIssues(
  payload: unknown,
  check: Check,
): { readonly typeOf: () => string; readonly issues: readonly Issue[] } {
  const result = parsePayload(payload);
  if (!result.ok) return { typeOf: () => '?', issues: result.issues };
  const findings = [...result.issues, ...check(result.message)].map(
    (issue) => [`${issue.code} ${issue.location ?? ''} ${issue.message}`, issue] as const,
  );
  const typeOf = (): string => messageTypeOf(result.message);
  return { typeOf, issues: findings.length === 0 ? [] : [...new Map(findings).values()] };
}
