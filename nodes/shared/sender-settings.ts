import {
  defaultBreakerFailures,
  defaultRetry,
  type FailurePolicy,
  type MessageOrder,
  type QueueDeclaration,
  type SenderDefinition,
} from '../../core/interface.ts';
import type { FieldValues } from './contribution.ts';
import { choice, integerBetween, numberBetween, optional } from './fields.ts';

/** How a sender keeps the order and repeats what failed; empty: as the defaults have it. */
export interface SenderSettingsConfig {
  /** Deliveries at a time. */
  readonly concurrency: string;
  readonly order: MessageOrder;
  readonly onFailure: FailurePolicy;
  readonly retryFirstSeconds: string;
  readonly retryFactor: string;
  readonly retryLongestSeconds: string;
  /** A message that is older is given up when it fails; empty: never. */
  readonly retryMaxAgeHours: string;
  /** How often a message is sent that the partner may have. */
  readonly retryAmbiguous: string;
  /** Outages in a row that open the circuit breaker; 0: never. */
  readonly breakerFailures: string;
}

export const senderSettingsDefaults: SenderSettingsConfig = {
  concurrency: '1',
  order: 'queue',
  onFailure: 'skip',
  retryFirstSeconds: String(defaultRetry.firstDelayMs / 1000),
  retryFactor: String(defaultRetry.factor),
  retryLongestSeconds: String(defaultRetry.maxDelayMs / 1000),
  retryMaxAgeHours: '',
  retryAmbiguous: String(defaultRetry.maxAmbiguousAttempts),
  breakerFailures: String(defaultBreakerFailures),
};

export const senderSettingsFields = {
  concurrency: optional(integerBetween(1, 64), 1),
  // Absent in flows that were made before a sender had an order: then what it sends at a time says it.
  order: optional(choice('queue', 'key', 'none'), undefined),
  onFailure: optional(choice('skip', 'stop'), 'skip'),
  retryFirstSeconds: optional(numberBetween(0.1, 3600), undefined),
  retryFactor: optional(numberBetween(1, 10), undefined),
  retryLongestSeconds: optional(numberBetween(0.1, 86_400), undefined),
  retryMaxAgeHours: optional(numberBetween(0.01, 8760), undefined),
  retryAmbiguous: optional(integerBetween(1, 1000), undefined),
  breakerFailures: optional(integerBetween(0, 1000), undefined),
};

type SenderSettings = Pick<
  SenderDefinition,
  'concurrency' | 'order' | 'onFailure' | 'retry' | 'breakerFailures'
>;

/** What a node without an order keeps: one at a time all, several at a time none. */
export function orderByConcurrency(concurrency: number): MessageOrder {
  return concurrency === 1 ? 'queue' : 'none';
}

/** The settings as configured and what they make of the queue, or what does not go together, in words. */
export function buildSenderSettings(values: FieldValues<typeof senderSettingsFields>):
  | {
      readonly settings: SenderSettings;
      readonly queue: Pick<QueueDeclaration, 'order' | 'keeps' | 'onFailure'>;
    }
  | { readonly problem: string } {
  const { concurrency, order = orderByConcurrency(concurrency), onFailure } = values;
  if (order === 'queue' && concurrency > 1) {
    return {
      problem: `concurrency: expected 1 where all messages are in order, found ${concurrency}; choose the order by key, or none`,
    };
  }
  if (order === 'none' && onFailure === 'stop') {
    return {
      problem:
        'onFailure: expected skip where no order is kept, found stop: nobody waits behind a message; choose the order by key, or all in order',
    };
  }
  const { breakerFailures } = values;
  const retry = buildRetry(values);
  return {
    settings: {
      concurrency,
      order,
      ...(onFailure === 'stop' ? { onFailure } : {}),
      ...(Object.keys(retry).length === 0 ? {} : { retry }),
      ...(breakerFailures === undefined || breakerFailures === defaultBreakerFailures
        ? {}
        : { breakerFailures }),
    },
    queue: order === 'none' ? {} : { order: { lanes: 1 }, keeps: order, onFailure },
  };
}

/** What differs from the defaults. */
function buildRetry({
  retryFirstSeconds,
  retryFactor,
  retryLongestSeconds,
  retryMaxAgeHours,
  retryAmbiguous,
}: FieldValues<typeof senderSettingsFields>): NonNullable<SenderDefinition['retry']> {
  const given = {
    firstDelayMs: toMs(retryFirstSeconds, 1_000),
    factor: retryFactor,
    maxDelayMs: toMs(retryLongestSeconds, 1_000),
    maxAgeMs: toMs(retryMaxAgeHours, 3_600_000),
    maxAmbiguousAttempts: retryAmbiguous,
  };
  const usual: Readonly<Record<string, number | undefined>> = { ...defaultRetry };
  return Object.fromEntries(
    Object.entries(given).filter(([name, value]) => value !== undefined && value !== usual[name]),
  );
}

function toMs(value: number | undefined, unitMs: number): number | undefined {
  return value === undefined ? undefined : Math.round(value * unitMs);
}
