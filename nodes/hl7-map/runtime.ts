import type { Node, NodeAPI } from 'node-red';
import { contentTypes } from '../../core/envelope.ts';
import { HilumError, buildError } from '../../core/errors.ts';
import type { Hl7Message } from '../../core/hl7v2/message.ts';
import type { Issue } from '../../core/issue.ts';
import type { Mapper, MappingResult } from '../../core/mapping/mapper.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { textOf } from '../shared/contribution.ts';
import { messageTypeOf, requireMessage } from '../shared/hl7.ts';
import { findFlowRuntime, toError, type NodeConfig } from '../shared/node.ts';
import { PacedStatus, showFailure } from '../shared/status.ts';
import { fields, type, type Hl7MapConfig } from './definition.ts';
import { loadShippedMapper } from './mapper.ts';

/** `hl7 map`: HL7 v2 in, a FHIR transaction as JSON text out. */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(type, function (this: Node, config: NodeConfig<Hl7MapConfig>): void {
    RED.nodes.createNode(this, config);
    const status = new PacedStatus(this);
    const handedIn = findFlowRuntime(RED)?.mapper;
    const opening = handedIn === undefined ? loadShippedMapper() : Promise.resolve(handedIn);
    const fail = (error: unknown): void => {
      showFailure(status, error);
    };
    // At once, so that faulty mappings show before the first message fails for them.
    opening.catch(fail);
    const replace = (message: FlowMessage, mapper: Mapper): void => {
      const hl7 = withType(requireMessage(message.payload), textOf(config.mapping));
      const { entries } = replacePayload(message, mapper.map(hl7), config.unconsumed);
      const text = RED._('hl7-map.status.mapped', { type: messageTypeOf(hl7), entries });
      status.show({ fill: 'green', shape: 'dot', text });
    };
    this.on('input', (message: FlowMessage, send, done) => {
      opening
        .then((mapper) => {
          replace(message, mapper);
        })
        .then(
          () => {
            send(message);
            done();
          },
          (error: unknown) => {
            fail(error);
            done(toError(error));
          },
        );
    });
  });
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

/** The Bundle in the place of the message; throws a permanent HilumError with the reasons where there is none. */
function replacePayload(
  message: FlowMessage,
  { resource, issues, unconsumed }: MappingResult,
  whatIsLeft: Hl7MapConfig['unconsumed'],
): { readonly entries: number } {
  const left = whatIsLeft === 'warn' ? unconsumed.map(toLeftOver) : [];
  const found = [...issues, ...left];
  if (resource === null) throw new HilumError('permanent', found);
  message.payload = JSON.stringify(resource);
  message.contentType = contentTypes.fhirJson;
  message.issues = [...(message.issues ?? []), ...found];
  return { entries: resource.entry?.length ?? 0 };
}

function toLeftOver(location: string): Issue {
  return {
    code: 'source-unconsumed',
    severity: 'warning',
    location,
    message: 'The field has a value and no rule reads it: map it, or name it as ignored.',
  };
}
