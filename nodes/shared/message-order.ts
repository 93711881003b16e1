import { parsePathExpression } from '../../core/hl7v2/parse-path.ts';
import type { FailurePolicy, MessageOrder, QueueDeclaration } from '../../core/interface.ts';
import type { FieldValues } from './contribution.ts';
import { accepted, choice, integerBetween, optional, refused, type FieldParser } from './fields.ts';

/** Which messages of an interface never overtake each other. */
export interface MessageOrderConfig {
  readonly order: MessageOrder;
  /** Where the key is, several separated by commas; empty: PID-3.1. */
  readonly keyPath: string;
  /** How many workers share the queue by key. */
  readonly lanes: string;
  readonly onFailure: FailurePolicy;
}

export const messageOrderDefaults: MessageOrderConfig = {
  order: 'key',
  keyPath: '',
  lanes: '1',
  onFailure: 'skip',
};

/** Paths to a value, such as `PID-3.1, PID-18.1`; a comma within `[3.1=A,B]` separates nothing. */
const keyPaths: FieldParser<readonly string[]> = (text) => {
  const paths = text
    .split(/,(?![^[]*\])/)
    .map((path) => path.trim())
    .filter((path) => path !== '');
  if (paths.length === 0) return refused('field-required');
  return paths.every(isKeyPath) ? accepted(paths) : refused('key-paths-invalid');
};

/** Groups would need the structure of every message, before it is known to be valid. */
function isKeyPath(text: string): boolean {
  const result = parsePathExpression(text);
  return result.ok && result.path.field !== undefined && result.path.groups.length === 0;
}

export const messageOrderFields = {
  order: optional(choice('none', 'key', 'queue'), messageOrderDefaults.order),
  keyPath: optional(keyPaths, undefined),
  lanes: optional(integerBetween(1, 64), 1),
  onFailure: optional(choice('skip', 'stop'), messageOrderDefaults.onFailure),
};

/** What the queue says of its order; nothing where it keeps none. Only keys can be shared out among lanes. */
export function buildQueueOrder({
  order,
  lanes,
  onFailure,
}: FieldValues<typeof messageOrderFields>): Pick<
  QueueDeclaration,
  'order' | 'keeps' | 'onFailure'
> {
  if (order === 'none') return {};
  return { order: { lanes: order === 'key' ? lanes : 1 }, keeps: order, onFailure };
}
