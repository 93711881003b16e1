import { contributeFrom } from '../shared/contribution.ts';
import { optional, type FieldParser } from '../shared/fields.ts';

export const type = 'hl7 map';

/** Configuration as the editor stores it. */
export interface Hl7MapConfig {
  readonly name: string;
  /** The message type whose map is used, such as `ORU^R01`; empty: the message's own. */
  readonly mapping: string;
  /** What to do about source fields that no rule reads. */
  readonly unconsumed: 'ignore' | 'warn';
}

export const defaults: Hl7MapConfig = { name: '', mapping: '', unconsumed: 'ignore' };

const messageType: FieldParser<string> = (text) =>
  /^[A-Z0-9]{3}\^[A-Z0-9]{3}$/.test(text)
    ? { ok: true, value: text }
    : { ok: false, problem: 'message-type-invalid' };

export const fields = { mapping: optional(messageType, undefined) };

/** Nothing at the edge; a deploy checks its fields. */
export const contribute = contributeFrom(fields, () => ({}));
