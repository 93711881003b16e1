import {
  queueNames,
  type FlowNode,
  type QueueDeclaration,
  type SenderDefinition,
} from '../../core/interface.ts';
import { isWired, type ContributionContext } from './contribution.ts';
import { integerBetween, numberBetween, optional } from './fields.ts';

/** What all nodes that send to a partner can be told. */
export interface SenderConfig {
  readonly name: string;
  /** How long to wait for the partner's answer. */
  readonly timeoutSeconds: string;
  /** Deliveries at a time; 1 keeps the order. */
  readonly concurrency: string;
}

export const senderDefaults: SenderConfig = { name: '', timeoutSeconds: '30', concurrency: '1' };

export const senderFields = {
  timeoutSeconds: optional(numberBetween(0.1, 3600), 30),
  concurrency: optional(integerBetween(1, 64), 1),
};

/** The output where the partner's answers come out, 1-based. */
export const answerOutput = 2;

type SenderBase = Pick<
  SenderDefinition,
  'id' | 'interface' | 'queue' | 'answerQueue' | 'timeoutMs' | 'concurrency'
>;

/** What every sender has: its outbound queue, and one for the answers where somebody listens to them. */
export function buildSender(
  node: FlowNode,
  context: ContributionContext,
  values: { readonly timeoutSeconds: number; readonly concurrency: number },
): { readonly sender: SenderBase; readonly queues: readonly QueueDeclaration[] } {
  const queue = queueNames.outbound(node.id);
  const answers = isWired(node.wires, answerOutput) ? [queueNames.answers(node.id)] : [];
  const [answerQueue] = answers;
  return {
    sender: {
      id: node.id,
      interface: context.interface,
      queue,
      ...(answerQueue === undefined ? {} : { answerQueue }),
      timeoutMs: Math.round(values.timeoutSeconds * 1000),
      concurrency: values.concurrency,
    },
    queues: [queue, ...answers].map((name) => ({ name, interface: context.interface })),
  };
}
