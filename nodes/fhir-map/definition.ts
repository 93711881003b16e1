import { versions, type Version } from '../../core/hl7v2/definitions/versions.ts';
import { contributeFrom } from '../shared/contribution.ts';
import {
  choice,
  hierarchicDesignator,
  layerNames,
  messageType,
  optional,
} from '../shared/fields.ts';

export const type = 'fhir map';

/** Configuration as the editor stores it; every text may hold `${NAME}`. */
export interface FhirMapConfig {
  readonly name: string;
  /** The message to make, such as `ORU^R01`; empty: the MessageHeader says it, else the resources do. */
  readonly event: string;
  /** The layers over the maps in their order, separated by commas. */
  readonly layers: string;
  /** MSH-12; empty: 2.5.1. */
  readonly version: '' | Version;
  /** MSH-3 to MSH-6, each `NAME` or `NAME^1.2.3^ISO`; empty: what the MessageHeader says. */
  readonly sendingApplication: string;
  readonly sendingFacility: string;
  readonly receivingApplication: string;
  readonly receivingFacility: string;
  /** What to do about elements that no rule reads. */
  readonly unconsumed: 'ignore' | 'warn';
}

export const defaults: FhirMapConfig = {
  ...{ name: '', event: '', layers: '', version: '' },
  ...{ sendingApplication: '', sendingFacility: '' },
  ...{ receivingApplication: '', receivingFacility: '', unconsumed: 'ignore' },
};

const designator = optional(hierarchicDesignator, undefined);

export const fields = {
  event: optional(messageType, undefined),
  layers: layerNames,
  version: optional(choice(...versions), undefined),
  sendingApplication: designator,
  sendingFacility: designator,
  receivingApplication: designator,
  receivingFacility: designator,
};

/** Nothing at the edge; a deploy checks its fields. */
export const contribute = contributeFrom(fields, () => ({}));
