import type { Node, NodeAPI } from 'node-red';
import { openFhirValidator } from '../../connectors/file/fhir-schema.ts';
import { contentTypes } from '../../core/envelope.ts';
import { HilumError } from '../../core/errors.ts';
import type { Hl7Message } from '../../core/hl7v2/message.ts';
import type { Issue } from '../../core/issue.ts';
import { findFaults } from '../../core/mapping/gate.ts';
import type { Mapper } from '../../core/mapping/mapper.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { requireFields } from '../shared/contribution.ts';
import { toHeldCodes } from '../shared/held.ts';
import { messageTypeOf, requireMessage, withType } from '../shared/hl7.ts';
import { requireChoice } from '../shared/mapping-choice.ts';
import { findMappings } from '../shared/mappings.ts';
import { serveMappings } from '../shared/mapping-server.ts';
import { attempt, type NodeConfig } from '../shared/node.ts';
import { PacedStatus, showFailure } from '../shared/status.ts';
import { fields, type, type Hl7MapConfig } from './definition.ts';

/** `hl7 map`: HL7 v2 in, a FHIR transaction as JSON text out. */
export default function register(RED: NodeAPI): void {
  serveMappings(RED);
  RED.nodes.registerType(type, function (this: Node, config: NodeConfig<Hl7MapConfig>): void {
    RED.nodes.createNode(this, config);
    const status = new PacedStatus(this);
    // At once, so that faulty mappings show before the first message fails for them.
    const prepared = attempt(() => prepare(RED, config));
    if (!prepared.ok) {
      showFailure(status, prepared.error);
      // A worker that was to take over with it does not: every message would fail.
      this.error(prepared.error);
    }
    this.on('input', (message: FlowMessage, send, done) => {
      const mapped = attempt(() => {
        if (!prepared.ok) throw prepared.error;
        return replacePayload(message, prepared.value);
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

interface Prepared {
  readonly mapper: Mapper;
  readonly node: string;
  readonly layers: readonly string[];
  /** Decides about the map instead of the message's own type. */
  readonly messageType: string | undefined;
  readonly zone: string | undefined;
  readonly warnsOfLeftOver: boolean;
}

/** Throws a HilumError where the configuration is faulty, or names what the mappings do not have. */
function prepare(RED: NodeAPI, config: NodeConfig<Hl7MapConfig>): Prepared {
  const { mapping, layers, pin, zone } = requireFields(config, fields, process.env);
  const mappings = findMappings(RED);
  const mapper = mappings.mapper(layers);
  requireChoice({ layers, messageType: mapping, pin }, mappings);
  const warnsOfLeftOver = config.unconsumed === 'warn';
  return { mapper, node: config.id, layers, messageType: mapping, zone, warnsOfLeftOver };
}

/** The Bundle in the place of the message; throws a permanent HilumError with the reasons where there is none. */
function replacePayload(
  message: FlowMessage,
  { mapper, node, layers, messageType, zone, warnsOfLeftOver }: Prepared,
): { readonly type: string; readonly entries: number } {
  const hl7: Hl7Message = withType(requireMessage(message.payload), messageType);
  const options = zone === undefined ? {} : { zone };
  const mapped = mapper.map(hl7, options);
  const { resource, issues, unconsumed, held } = mapped;
  const left = warnsOfLeftOver ? unconsumed.map(toLeftOver) : [];
  const found = [...issues, ...left];
  if (resource === null || held.length > 0) {
    throw new HilumError('permanent', found, { held: toHeldCodes(held, { node, layers }) });
  }
  const faults = findFaults(mapped, openFhirValidator(), () => {
    return mapper.map(hl7, { ...options, provenance: true }).provenance;
  });
  if (faults.length > 0) throw new HilumError('permanent', faults);
  message.payload = JSON.stringify(resource);
  message.contentType = contentTypes.fhirJson;
  message.issues = [...(message.issues ?? []), ...found];
  return { type: messageTypeOf(hl7), entries: resource.entry?.length ?? 0 };
}

function toLeftOver(location: string): Issue {
  return {
    code: 'source-unconsumed',
    severity: 'warning',
    location,
    message: 'The field has a value and no rule reads it: map it, or name it as ignored.',
  };
}
