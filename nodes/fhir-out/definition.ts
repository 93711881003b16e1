import { contributeFrom } from '../shared/contribution.ts';
import { baseUrl } from '../shared/fields.ts';
import { buildSender, senderDefaults, senderFields, type SenderConfig } from '../shared/sender.ts';

export const type = 'fhir out';

/** Configuration as the editor stores it; every text may hold `${NAME}`. */
export interface FhirOutConfig extends SenderConfig {
  /** `http://127.0.0.1:8103/fhir/R4`. */
  readonly baseUrl: string;
}

export const defaults: FhirOutConfig = { ...senderDefaults, baseUrl: '' };

export const fields = { ...senderFields, baseUrl };

/** A FHIR sender at the edge, its outbound queue, and one for the answers when output 2 is wired. */
export const contribute = contributeFrom(fields, (values, node, context) => {
  const built = buildSender(node, context, values);
  if (built.sender === undefined) return built.refused;
  const { sender, queues } = built;
  const label = node.name || `FHIR out to ${new URL(values.baseUrl).host}`;
  return { senders: [{ ...sender, kind: 'fhir', label, baseUrl: values.baseUrl }], queues };
});
