export const type = 'hl7 map';

/** Configuration as the editor stores it. */
export interface Hl7MapConfig {
  readonly name: string;
  /** The message map to use, such as `ORU_R01`; empty: the one for the message's type. */
  readonly mapping: string;
  /** What to do about source fields that no rule reads. */
  readonly unconsumed: 'ignore' | 'warn';
}

export const defaults: Hl7MapConfig = { name: '', mapping: '', unconsumed: 'ignore' };
