import type { EnvelopeHeader } from '../../core/envelope.ts';
import type { FailurePolicy, MessageOrder } from '../../core/interface.ts';

/** How a queue's messages go through the flow. */
export interface FlowQueue {
  readonly name: string;
  readonly order: MessageOrder;
  readonly onFailure: FailurePolicy;
  /** Unsettled messages at a time. */
  readonly window: number;
}

/** Those that keep an order run again where they are: stepping aside, they would be overtaken. */
export function keepsPlace({ order }: FlowQueue, { key }: EnvelopeHeader): boolean {
  return order === 'queue' || (order === 'key' && key !== undefined);
}
