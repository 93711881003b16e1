import type { Node, NodeAPI } from 'node-red';
import { contentTypes } from '../../core/envelope.ts';
import { HilumError, buildError } from '../../core/errors.ts';
import type { Hl7Message } from '../../core/hl7v2/message.ts';
import type { Issue } from '../../core/issue.ts';
import type { Mapper } from '../../core/mapping/mapper.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { textOf } from '../shared/contribution.ts';
import { messageTypeOf, requireMessage } from '../shared/hl7.ts';
import { findFlowRuntime, toError, type NodeConfig } from '../shared/node.ts';
import { PacedStatus, showFailure } from '../shared/status.ts';
import { fields, type, type Hl7MapConfig } from './definition.ts';
import { openShippedMapper } from './mapper.ts';

/** `hl7 map`: HL7 v2 in, a FHIR transaction as JSON text out. */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(type, function (this: Node, config: NodeConfig<Hl7MapConfig>): void {
    RED.nodes.createNode(this, config);
    const status = new PacedStatus(this);
    // At once, so that faulty mappings show before the first message fails for them.
    const mapper = attempt(() => findFlowRuntime(RED)?.mapper ?? openShippedMapper());
    if (!mapper.ok) showFailure(status, mapper.error);
    this.on('input', (message: FlowMessage, send, done) => {
      const mapped = attempt(() => {
        if (!mapper.ok) throw mapper.error;
        return replacePayload(message, config, mapper.value);
      });
      if (!mapped.ok) {
        showFailure(status, mapped.error);
        done(mapped.error);
        return;
      }
      const text = RED._('hl7-map.status.mapped', { ...mapped.value });
      status.show({ fill: 'green', shape: 'dot', text });
      send(message);
      done();
    });
  });
}

type Attempt<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Error };

function attempt<T>(action: () => T): Attempt<T> {
  try {
    return { ok: true, value: action() };
  } catch (error) {
    return { ok: false, error: toError(error) };
  }
}

/** The Bundle in the place of the message; throws a permanent HilumError with the reasons where there is none. */
function replacePayload(
  message: FlowMessage,
  config: Hl7MapConfig,
  mapper: Mapper,
): { readonly type: string; readonly entries: number } {
  const hl7 = withType(requireMessage(message.payload), textOf(config.mapping));
  const { resource, issues, unconsumed, held } = mapper.map(hl7);
  const left = config.unconsumed === 'warn' ? unconsumed.map(toLeftOver) : [];
  const found = [...issues, ...left];
  // What waits for a code is given up as it is: set aside where the queue keeps an order, else a dead letter.
  if (resource === null || held.length > 0) throw new HilumError('permanent', found);
  message.payload = JSON.stringify(resource);
  message.contentType = contentTypes.fhirJson;
  message.issues = [...(message.issues ?? []), ...found];
  return { type: messageTypeOf(hl7), entries: resource.entry?.length ?? 0 };
}

/** The message as one of another type, which decides about its map; as it is where the text is empty. */
function withType(message: Hl7Message, text: string): Hl7Message {
  const parsed = fields.mapping(text);
  if (!parsed.ok) {
    const expected = `Expected a message type such as ORU^R01 in "Map as", found "${text}".`;
    throw buildError('permanent', parsed.problem, expected);
  }
  if (parsed.value === undefined) return message;
  const [code = '', trigger = ''] = parsed.value.split('^');
  return message.set('MSH-9.1', code).set('MSH-9.2', trigger);
}

function toLeftOver(location: string): Issue {
  return {
    code: 'source-unconsumed',
    severity: 'warning',
    location,
    message: 'The field has a value and no rule reads it: map it, or name it as ignored.',
  };
}
