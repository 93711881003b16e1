import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { HilumError } from '../../core/errors.ts';
import { versions } from '../../core/hl7v2/definitions/versions.ts';
import { toHl7Timestamp } from '../../core/hl7v2/timestamp.ts';
import type { Mappings } from '../../core/mapping/mappings.ts';
import { requireResource } from './fhir.ts';
import {
  choice,
  type FieldParser,
  fieldProblems,
  layerNames,
  mapId,
  messageType,
  optional,
  timeZone,
} from './fields.ts';
import { requireMessage, withType } from './hl7.ts';
import { requireChoice } from './mapping-choice.ts';
import type { MappingOffer, TryAnswer, TryRequest } from './mapping-offer.ts';

/**
 * `wantsEvents`: also the way from FHIR to HL7 v2. Throws a permanent HilumError where a layer is none, or the files are
 * faulty.
 */
export function describeMappings(
  mappings: Mappings,
  { layers, wantsEvents }: { readonly layers: string; readonly wantsEvents: boolean },
): MappingOffer {
  const chosen = read('layers', layerNames, layers);
  requireChoice({ layers: chosen }, mappings);
  const { names } = mappings;
  const version = mappings.version(undefined, chosen) ?? '';
  const maps = mappings.versions(chosen);
  if (!wantsEvents) return { ...names, maps, events: [], version };
  const { events } = mappings.reverse(chosen);
  return { ...names, maps, events, fromFhir: mappings.fromFhir(chosen), version };
}

/** What the message becomes, with where each element comes from. Throws a permanent HilumError where it is none. */
export function tryMapping(mappings: Mappings, request: TryRequest): TryAnswer {
  if (request.isFhir === true) return tryFromFhir(mappings, request);
  const layers = read('layers', layerNames, request.layers);
  const zone = read('zone', optional(timeZone, undefined), request.zone);
  const type = read('mapping', optional(messageType, undefined), request.mapping);
  requireChoice({ layers, messageType: type }, mappings);
  // Pasted text has the line ends of its system, and none of MLLP's characters around it.
  const text = (request.message ?? '').trim().replace(/\r?\n/g, '\r');
  const message = withType(requireMessage(text), type);
  const options = { provenance: true, ...(zone === undefined ? {} : { zone }) };
  return mappings.mapper(layers).map(message, options);
}

function tryFromFhir(mappings: Mappings, request: TryRequest): TryAnswer {
  const layers = read('layers', layerNames, request.layers);
  const map = read('map', optional(mapId, ''), request.map);
  const event = read('event', optional(messageType, undefined), request.event);
  const version = read('version', optional(choice(...versions), undefined), request.version);
  requireChoice({ layers, event, fhirMap: map }, mappings);
  const resource = requireResource(request.message ?? '');
  const toFhir = mappings.fhir(map, layers)?.map(resource);
  if (toFhir !== undefined) return toFhir;
  const { message, ...rest } = mappings.reverse(layers).map(resource, {
    ...{ date: toHl7Timestamp(Date.now()), definitions: openDefinitions(), provenance: true },
    ...(event === undefined ? {} : { event }),
    ...(version === undefined ? {} : { version }),
  });
  return { ...rest, resource: null, ...(message === null ? {} : { message }) };
}

function read<T>(name: string, parse: FieldParser<T>, text: unknown): T {
  const parsed = parse(typeof text === 'string' ? text.trim() : '');
  if (parsed.ok) return parsed.value;
  const message = `${name}: ${fieldProblems[parsed.problem]}`;
  throw new HilumError('permanent', [{ code: parsed.problem, severity: 'error', message }]);
}
