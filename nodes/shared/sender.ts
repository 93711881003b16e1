import {
  queueNames,
  type FlowNode,
  type NodeContribution,
  type QueueDeclaration,
  type SenderDefinition,
} from '../../core/interface.ts';
import { buildIssue, isWired, type ContributionContext, type FieldValues } from './contribution.ts';
import { numberBetween, optional } from './fields.ts';
import {
  buildSenderSettings,
  senderSettingsDefaults,
  senderSettingsFields,
  type SenderSettingsConfig,
} from './sender-settings.ts';

/** What all nodes that send to a partner can be told. */
export interface SenderConfig extends SenderSettingsConfig {
  readonly name: string;
  /** How long to wait for the partner's answer. */
  readonly timeoutSeconds: string;
}

export const senderDefaults: SenderConfig = {
  name: '',
  timeoutSeconds: '30',
  ...senderSettingsDefaults,
};

export const senderFields = {
  timeoutSeconds: optional(numberBetween(0.1, 3600), 30),
  ...senderSettingsFields,
};

/** The output where the partner's answers come out, 1-based. */
export const answerOutput = 2;

type SenderBase = Omit<
  Extract<SenderDefinition, { readonly kind: 'fhir' }>,
  'kind' | 'label' | 'baseUrl'
>;

/**
 * What every sender has: its outbound queue, and one for the answers where somebody listens to them. Issues alone
 * where its settings do not go together.
 */
export function buildSender(
  node: FlowNode,
  context: ContributionContext,
  values: FieldValues<typeof senderFields>,
):
  | { readonly sender: SenderBase; readonly queues: readonly QueueDeclaration[] }
  | { readonly sender?: undefined; readonly refused: NodeContribution } {
  const built = buildSenderSettings(values);
  if ('problem' in built) {
    return { refused: { issues: [buildIssue(node, 'sender-order-invalid', built.problem)] } };
  }
  const outbound = { name: queueNames.outbound(node.id), interface: context.interface };
  const answers = isWired(node.wires, answerOutput)
    ? [{ name: queueNames.answers(node.id), interface: context.interface }]
    : [];
  const [answer] = answers;
  return {
    sender: {
      id: node.id,
      interface: context.interface,
      queue: outbound.name,
      ...(answer === undefined ? {} : { answerQueue: answer.name }),
      timeoutMs: Math.round(values.timeoutSeconds * 1000),
      ...built.settings,
    },
    queues: [{ ...outbound, ...built.queue }, ...answers],
  };
}
