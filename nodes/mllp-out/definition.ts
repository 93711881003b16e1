import type { CommitMode, MllpSenderDefinition } from '../../core/interface.ts';
import {
  answerPolicyDefaults,
  answerPolicyFields,
  buildAnswerPolicy,
  type AnswerPolicyConfig,
} from '../shared/acknowledgment.ts';
import { buildIssue, contributeFrom } from '../shared/contribution.ts';
import { choice, hostName, numberBetween, optional, portNumber } from '../shared/fields.ts';
import { buildSender, senderDefaults, senderFields, type SenderConfig } from '../shared/sender.ts';
import {
  buildSenderTls,
  commitField,
  senderTlsDefaults,
  senderTlsFields,
  toCommit,
  type SenderTlsConfig,
} from '../shared/tls.ts';

export const type = 'mllp out';

/** Configuration as the editor stores it; every text may hold `${NAME}`. */
export interface MllpOutConfig extends SenderConfig, SenderTlsConfig, AnswerPolicyConfig {
  readonly host: string;
  readonly port: string;
  readonly connections: NonNullable<MllpSenderDefinition['connections']>;
  /** Empty: as the timeout, at most 10. */
  readonly connectTimeoutSeconds: string;
  readonly commit: 'off' | CommitMode;
}

export const defaults: MllpOutConfig = {
  ...senderDefaults,
  host: '',
  port: '',
  connections: 'kept',
  connectTimeoutSeconds: '',
  ...senderTlsDefaults,
  ...answerPolicyDefaults,
  commit: 'off',
};

export const fields = {
  ...senderFields,
  host: hostName,
  port: portNumber,
  connections: optional(choice('kept', 'one-per-message'), 'kept'),
  connectTimeoutSeconds: optional(numberBetween(0.1, 3600), undefined),
  ...senderTlsFields,
  ...answerPolicyFields,
  commit: commitField,
};

/** An MLLP sender at the edge, its outbound queue, and one for the acknowledgments when output 2 is wired. */
export const contribute = contributeFrom(fields, (values, node, context) => {
  const tls = buildSenderTls(values);
  if ('problem' in tls) return { issues: [buildIssue(node, 'tls-incomplete', tls.problem)] };
  const built = buildSender(node, context, values);
  if (built.sender === undefined) return built.refused;
  const { sender, queues } = built;
  const { host, port, connections, connectTimeoutSeconds } = values;
  const definition: MllpSenderDefinition = {
    ...sender,
    kind: 'mllp',
    label: node.name || `MLLP out to ${host}:${port}`,
    host,
    port,
    ...(connections === 'kept' ? {} : { connections }),
    ...(connectTimeoutSeconds === undefined
      ? {}
      : { connectTimeoutMs: Math.round(connectTimeoutSeconds * 1000) }),
    ...tls,
    ...buildAnswerPolicy(values),
    ...toCommit(values.commit),
  };
  return { senders: [definition], queues };
});
