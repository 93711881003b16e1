import type { Bundle } from '@medplum/fhirtypes';
import type { NodeAPI } from 'node-red';
import { validateFully } from '../../connectors/file/conformance.ts';
import { openFhirValidator } from '../../connectors/file/fhir-schema.ts';
import { contentTypes } from '../../core/envelope.ts';
import { HilumError } from '../../core/errors.ts';
import { isValid, type Issue } from '../../core/issue.ts';
import { type Explanation, findFaults, toBlamed } from '../../core/mapping/gate.ts';
import type { Mapper } from '../../core/mapping/mapper.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { requireFields } from '../shared/contribution.ts';
import { toHeldCodes } from '../shared/held.ts';
import { messageTypeOf, requireMessage, withType } from '../shared/hl7.ts';
import { requireChoice } from '../shared/mapping-choice.ts';
import { findMappings } from '../shared/mappings.ts';
import type { NodeConfig } from '../shared/node.ts';
import { registerMapping, toLeftOver } from '../shared/register-mapping.ts';
import { fields, type, type Hl7MapConfig } from './definition.ts';

/** `hl7 map`: HL7 v2 in, a FHIR transaction as JSON text out. */
export default function register(RED: NodeAPI): void {
  registerMapping<Hl7MapConfig, Prepared>(RED, {
    type,
    prepare: (config) => prepare(RED, config),
    map: (message, prepared) => {
      const mapped = map(message, prepared);
      const finish = (findings: readonly Issue[]): string => {
        replacePayload(message, mapped, findings);
        const { messageType, resource } = mapped;
        const entries = resource.entry?.length ?? 0;
        return RED._('hl7-map.status.mapped', { type: messageType, entries });
      };
      const { resource, explain } = mapped;
      if (prepared.validation === 'schema') {
        return finish(findFaults({ resource }, openFhirValidator(), explain));
      }
      return validateFully(resource, prepared.profiles).then((found) =>
        finish(toBlamed(found, explain)),
      );
    },
  });
}

interface Prepared {
  readonly mapper: Mapper;
  readonly node: string;
  readonly layers: readonly string[];
  /** Decides about the map instead of the message's own type. */
  readonly messageType: string | undefined;
  readonly zone: string | undefined;
  readonly validation: 'schema' | 'full';
  readonly profiles: readonly string[];
  readonly warnsOfLeftOver: boolean;
}

/** What became of a message, before it is checked. */
interface Mapped {
  readonly messageType: string;
  readonly resource: Bundle;
  readonly issues: readonly Issue[];
  readonly explain: () => Explanation;
}

/** Throws a HilumError where the configuration is faulty, or names what the mappings do not have. */
function prepare(RED: NodeAPI, config: NodeConfig<Hl7MapConfig>): Prepared {
  const read = requireFields(config, fields, process.env);
  const { mapping: messageType, layers, pin, zone, validation, profiles } = read;
  const mappings = findMappings(RED);
  const mapper = mappings.mapper(layers);
  requireChoice({ layers, messageType, pin }, mappings);
  const warnsOfLeftOver = config.unconsumed === 'warn';
  return {
    ...{ mapper, node: config.id, layers, messageType, zone },
    ...{ validation, profiles, warnsOfLeftOver },
  };
}

/** Throws a permanent HilumError with the reasons where no Bundle comes of it. */
function map(message: FlowMessage, prepared: Prepared): Mapped {
  const { mapper, node, layers, messageType, zone, warnsOfLeftOver } = prepared;
  const hl7 = withType(requireMessage(message.payload), messageType);
  const options = zone === undefined ? {} : { zone };
  const { resource, issues, unconsumed, held } = mapper.map(hl7, options);
  const found = [...issues, ...(warnsOfLeftOver ? unconsumed.map(toLeftOver('field')) : [])];
  if (resource === null || held.length > 0) {
    throw new HilumError('permanent', found, { held: toHeldCodes(held, { node, layers }) });
  }
  return {
    messageType: messageTypeOf(hl7),
    resource,
    issues: found,
    explain: () => mapper.map(hl7, { ...options, provenance: true }),
  };
}

/** The Bundle in the place of the message; throws a permanent HilumError where its check has found an error. */
function replacePayload(message: FlowMessage, mapped: Mapped, findings: readonly Issue[]): void {
  if (!isValid(findings)) throw new HilumError('permanent', findings);
  message.payload = JSON.stringify(mapped.resource);
  message.contentType = contentTypes.fhirJson;
  message.issues = [...(message.issues ?? []), ...mapped.issues, ...findings];
}
