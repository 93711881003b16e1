import type { NodeAPI } from 'node-red';
import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { contentTypes } from '../../core/envelope.ts';
import { HilumError } from '../../core/errors.ts';
import { toHl7Timestamp } from '../../core/hl7v2/timestamp.ts';
import { isValid } from '../../core/issue.ts';
import type { FhirMapper } from '../../core/mapping/fhir-map.ts';
import type { ReverseMapper, ReverseOptions } from '../../core/mapping/reverse.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { requireFields } from '../shared/contribution.ts';
import { requireResource } from '../shared/fhir.ts';
import type { Validation } from '../shared/fhir-validation.ts';
import { toHeldCodes } from '../shared/held.ts';
import { requireChoice } from '../shared/mapping-choice.ts';
import { findMappings } from '../shared/mappings.ts';
import type { NodeConfig } from '../shared/node.ts';
import { registerMapping, toLeftOver } from '../shared/register-mapping.ts';
import { fields, type, type FhirMapConfig } from './definition.ts';
import { replaceByFhir } from './to-fhir.ts';

/** `fhir map`: a FHIR resource or Bundle in; out comes an HL7 v2 message as text, or FHIR of another profile as JSON. */
export default function register(RED: NodeAPI): void {
  registerMapping<FhirMapConfig, Prepared>(RED, {
    type,
    prepare: (config) => prepare(RED, config),
    map: (message, prepared) =>
      prepared.fhir === undefined
        ? replacePayload(message, prepared)
        : replaceByFhir(message, { ...prepared, mapper: prepared.fhir }),
  });
}

interface Prepared {
  /** To FHIR; undefined: to HL7 v2. */
  readonly fhir: FhirMapper | undefined;
  readonly mapper: ReverseMapper;
  readonly node: string;
  readonly layers: readonly string[];
  readonly options: Omit<ReverseOptions, 'date'>;
  readonly validation: Validation;
  readonly profiles: readonly string[];
  readonly warnsOfLeftOver: boolean;
}

/** Throws a HilumError where the configuration is faulty, or names what the mappings do not have. */
function prepare(RED: NodeAPI, config: NodeConfig<FhirMapConfig>): Prepared {
  const read = requireFields(config, fields, process.env);
  const { map, event, layers, pin, version, validation, profiles } = read;
  const mappings = findMappings(RED);
  const mapper = mappings.reverse(layers);
  requireChoice({ layers, event, pin, fhirMap: map }, mappings);
  const options = {
    ...(event === undefined ? {} : { event }),
    ...(version === undefined ? {} : { version }),
    sender: toParty(read.sendingApplication, read.sendingFacility),
    receiver: toParty(read.receivingApplication, read.receivingFacility),
    definitions: openDefinitions(),
  };
  return {
    ...{ fhir: mappings.fhir(map, layers), mapper, node: config.id, layers, options },
    ...{ validation, profiles, warnsOfLeftOver: config.unconsumed === 'warn' },
  };
}

const toParty = (
  application: string | undefined,
  facility: string | undefined,
): NonNullable<ReverseOptions['sender']> => ({
  ...(application === undefined ? {} : { application }),
  ...(facility === undefined ? {} : { facility }),
});

/** The message in the place of the resource, and its event; throws a permanent HilumError where there is none. */
function replacePayload(
  message: FlowMessage,
  { mapper, node, layers, options, warnsOfLeftOver }: Prepared,
): string {
  const resource = requireResource(message.payload);
  // The time it came in: a flow that runs again makes the same message, with the same control id.
  const { receivedAt } = message.envelope ?? {};
  const date = toHl7Timestamp(receivedAt === undefined ? Date.now() : Date.parse(receivedAt));
  const {
    message: text,
    event = '',
    issues,
    unconsumed,
    held,
  } = mapper.map(resource, {
    ...options,
    date,
  });
  const found = [...issues, ...(warnsOfLeftOver ? unconsumed.map(toLeftOver('element')) : [])];
  if (text === null || held.length > 0 || !isValid(issues)) {
    const codes = toHeldCodes(held, { node, layers, isTarget: true });
    throw new HilumError('permanent', found, { held: codes });
  }
  message.payload = text;
  message.contentType = contentTypes.hl7v2;
  message.issues = [...(message.issues ?? []), ...found];
  return event;
}
