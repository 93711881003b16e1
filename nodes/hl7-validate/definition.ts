export const type = 'hl7 validate';

/** Configuration as the editor stores it. */
export interface Hl7ValidateConfig {
  readonly name: string;
}

export const defaults: Hl7ValidateConfig = { name: '' };

/** The output for what is invalid, 1-based. */
export const invalidOutput = 2;
