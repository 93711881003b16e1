import { versions, type Version } from '../../core/hl7v2/definitions/versions.ts';
import { contributeFrom } from '../shared/contribution.ts';
import {
  choice,
  hierarchicDesignator,
  layerNames,
  mapId,
  mappingVersion,
  messageType,
  optional,
} from '../shared/fields.ts';
import { type Validation, validationFields } from '../shared/fhir-validation.ts';

export const type = 'fhir map';

/** Configuration as the editor stores it; every text may hold `${NAME}`. */
export interface FhirMapConfig {
  readonly name: string;
  /** The id of a map to FHIR of another profile; empty: an HL7 v2 message is made. */
  readonly map: string;
  /** The message to make, such as `ORU^R01`; empty: the MessageHeader says it, else the resources do. */
  readonly event: string;
  /** The layers over the maps in their order, separated by commas. */
  readonly layers: string;
  /** The version that the maps must have; empty: any. */
  readonly pin: string;
  /** MSH-12; empty: 2.5.1. */
  readonly version: '' | Version;
  /** MSH-3 to MSH-6, each `NAME` or `NAME^1.2.3^ISO`; empty: what the MessageHeader says. */
  readonly sendingApplication: string;
  readonly sendingFacility: string;
  readonly receivingApplication: string;
  readonly receivingFacility: string;
  /** Of FHIR that is made: by FHIR's schema alone, or also by its invariants, value sets and profiles. */
  readonly validation: Validation;
  /** URLs or ids of the profiles that a full validation checks by, separated by commas. */
  readonly profiles: string;
  /** What to do about elements that no rule reads. */
  readonly unconsumed: 'ignore' | 'warn';
}

export const defaults: FhirMapConfig = {
  ...{ name: '', map: '', event: '', layers: '', pin: '', version: '' },
  ...{ sendingApplication: '', sendingFacility: '' },
  ...{ receivingApplication: '', receivingFacility: '', unconsumed: 'ignore' },
  ...{ validation: 'schema', profiles: '' },
};

const designator = optional(hierarchicDesignator, undefined);

export const fields = {
  map: optional(mapId, ''),
  event: optional(messageType, undefined),
  layers: layerNames,
  pin: optional(mappingVersion, undefined),
  version: optional(choice(...versions), undefined),
  sendingApplication: designator,
  sendingFacility: designator,
  receivingApplication: designator,
  receivingFacility: designator,
  ...validationFields,
};

/** Nothing at the edge; a deploy checks its fields. */
export const contribute = contributeFrom(fields, () => ({}));
