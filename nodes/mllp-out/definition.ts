import { contributeFrom } from '../shared/contribution.ts';
import { hostName, portNumber } from '../shared/fields.ts';
import { buildSender, senderDefaults, senderFields, type SenderConfig } from '../shared/sender.ts';

export const type = 'mllp out';

/** Configuration as the editor stores it; every text may hold `${NAME}`. */
export interface MllpOutConfig extends SenderConfig {
  readonly host: string;
  readonly port: string;
}

export const defaults: MllpOutConfig = { ...senderDefaults, host: '', port: '' };

export const fields = { ...senderFields, host: hostName, port: portNumber };

/** An MLLP sender at the edge, its outbound queue, and one for the acknowledgments when output 2 is wired. */
export const contribute = contributeFrom(fields, (values, node, context) => {
  const { sender, queues } = buildSender(node, context, values);
  const label = node.name || `MLLP out to ${values.host}:${values.port}`;
  return {
    senders: [{ ...sender, kind: 'mllp', label, host: values.host, port: values.port }],
    queues,
  };
});
