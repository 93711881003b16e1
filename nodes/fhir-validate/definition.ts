import { contributeFrom } from '../shared/contribution.ts';
import { type Validation, validationFields } from '../shared/fhir-validation.ts';

export const type = 'fhir validate';

/** Configuration as the editor stores it; every text may hold `${NAME}`. */
export interface FhirValidateConfig {
  readonly name: string;
  /** By FHIR's schema alone, or also by its invariants, value sets and profiles. */
  readonly validation: Validation;
  /** URLs or ids of the profiles that a full validation checks by, separated by commas. */
  readonly profiles: string;
}

export const defaults: FhirValidateConfig = { name: '', validation: 'schema', profiles: '' };

export const fields = validationFields;

/** The output for what is invalid, 1-based. */
export const invalidOutput = 2;

/** Nothing at the edge; a deploy checks its fields. */
export const contribute = contributeFrom(fields, () => ({}));
