import { contributeFrom } from '../shared/contribution.ts';

export const type = 'fhir validate';

/** Configuration as the editor stores it. */
export interface FhirValidateConfig {
  readonly name: string;
}

export const defaults: FhirValidateConfig = { name: '' };

/** The output for what is invalid, 1-based. */
export const invalidOutput = 2;

/** Nothing at the edge. */
export const contribute = contributeFrom({}, () => ({}));
