import { HilumError } from '../../core/errors.ts';
import type { Mappings } from '../../core/mapping/mappings.ts';
import {
  type FieldParser,
  fieldProblems,
  layerNames,
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
  const events = wantsEvents ? mappings.reverse(chosen).events : [];
  return { ...names, maps: mappings.versions(chosen), events, version };
}

/** What the message becomes, with where each element comes from. Throws a permanent HilumError where it is none. */
export function tryMapping(mappings: Mappings, request: TryRequest): TryAnswer {
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

function read<T>(name: string, parse: FieldParser<T>, text: unknown): T {
  const parsed = parse(typeof text === 'string' ? text.trim() : '');
  if (parsed.ok) return parsed.value;
  const message = `${name}: ${fieldProblems[parsed.problem]}`;
  throw new HilumError('permanent', [{ code: parsed.problem, severity: 'error', message }]);
}
