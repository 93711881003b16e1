import { contributeFrom } from '../shared/contribution.ts';
import { layerNames, mappingVersion, messageType, optional, timeZone } from '../shared/fields.ts';
import { type Validation, validationFields } from '../shared/fhir-validation.ts';

export const type = 'hl7 map';

/** Configuration as the editor stores it; every text may hold `${NAME}`. */
export interface Hl7MapConfig {
  readonly name: string;
  /** The message type whose map is used, such as `ORU^R01`; empty: the message's own. */
  readonly mapping: string;
  /** The layers over the maps in their order, separated by commas. */
  readonly layers: string;
  /** The version that the maps must have; empty: any. */
  readonly pin: string;
  /** The zone of times that state none, such as `Europe/Berlin` or `+01:00`. */
  readonly zone: string;
  /** By FHIR's schema alone, or also by its invariants, value sets and profiles. */
  readonly validation: Validation;
  /** URLs or ids of the profiles that a full validation checks by, separated by commas. */
  readonly profiles: string;
  /** What to do about source fields that no rule reads. */
  readonly unconsumed: 'ignore' | 'warn';
}

export const defaults: Hl7MapConfig = {
  name: '',
  mapping: '',
  layers: '',
  pin: '',
  zone: '',
  validation: 'schema',
  profiles: '',
  unconsumed: 'ignore',
};

export const fields = {
  mapping: optional(messageType, undefined),
  layers: layerNames,
  pin: optional(mappingVersion, undefined),
  zone: optional(timeZone, undefined),
  ...validationFields,
};

/** Nothing at the edge; a deploy checks its fields. */
export const contribute = contributeFrom(fields, () => ({}));
