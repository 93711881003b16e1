import { contributeFrom } from '../shared/contribution.ts';
import { choice, integerBetween, numberBetween, optional } from '../shared/fields.ts';

export const type = 'hl7 batch';

/** Configuration as the editor stores it. */
export interface Hl7BatchConfig {
  readonly name: string;
  readonly mode: 'split' | 'join';
  /** Splitting, when counts or trailers are not as they should be: fail, or go on and tell in `msg.issues`. */
  readonly faults: 'fail' | 'pass';
  /** Joining: what was split together, or so many messages. */
  readonly collect: 'parts' | 'count';
  readonly count: string;
  /** Joining: how long to wait for the next message. */
  readonly timeoutSeconds: string;
  /** Joining, when the time is over: fail what is there, or send it. */
  readonly incomplete: 'fail' | 'send';
  /** Joining: BHS and BTS alone, or FHS and FTS around them. */
  readonly envelope: 'batch' | 'file';
}

export const defaults: Hl7BatchConfig = {
  name: '',
  mode: 'split',
  faults: 'fail',
  collect: 'parts',
  count: '10',
  timeoutSeconds: '30',
  incomplete: 'fail',
  envelope: 'batch',
};

/** A flow holds so many messages of a source at a time: a batch of more would never be complete. */
const mostMessages = 64;

export const fields = {
  mode: optional(choice('split', 'join'), 'split'),
  faults: optional(choice('fail', 'pass'), 'fail'),
  collect: optional(choice('parts', 'count'), 'parts'),
  count: optional(integerBetween(1, mostMessages), 10),
  // Shorter than a flow may take as a whole: what is held longer is tried again from its start.
  timeoutSeconds: optional(numberBetween(0.1, 100), 30),
  incomplete: optional(choice('fail', 'send'), 'fail'),
  envelope: optional(choice('batch', 'file'), 'batch'),
};

/** Nothing at the edge; a deploy checks its fields. */
export const contribute = contributeFrom(fields, () => ({}));
