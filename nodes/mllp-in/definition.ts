import { queueNames, type AcknowledgeWhen } from '../../core/interface.ts';
import { contributeFrom } from '../shared/contribution.ts';
import { choice, hostName, listenPort, numberBetween, optional } from '../shared/fields.ts';

export const type = 'mllp in';

/** Configuration as the editor stores it; every text may hold `${NAME}`. */
export interface MllpInConfig {
  readonly name: string;
  /** Where to listen; empty: where Hilum listens, `HILUM_BIND`. */
  readonly host: string;
  readonly port: string;
  readonly acknowledge: AcknowledgeWhen;
  /** Longer messages close the connection. */
  readonly maxMessageMiB: string;
  /** A connection that is silent for longer is closed; 0: never. */
  readonly idleTimeoutSeconds: string;
}

export const defaults: MllpInConfig = {
  name: '',
  host: '',
  port: '',
  acknowledge: 'received',
  maxMessageMiB: '16',
  idleTimeoutSeconds: '0',
};

export const fields = {
  host: optional(hostName, undefined),
  port: listenPort,
  acknowledge: optional(choice('received', 'validated'), 'received'),
  maxMessageMiB: optional(numberBetween(0.01, 256), 16),
  idleTimeoutSeconds: optional(numberBetween(0, 86_400), 0),
};

/** A listener at the edge and the inbound queue that it fills. */
export const contribute = contributeFrom(fields, (values, node, context) => {
  const queue = queueNames.inbound(node.id);
  return {
    listeners: [
      {
        kind: 'mllp',
        id: node.id,
        interface: context.interface,
        label: node.name || `MLLP in on port ${values.port}`,
        host: values.host ?? context.defaults.bind,
        port: values.port,
        acknowledge: values.acknowledge,
        queue,
        maxFrameBytes: Math.round(values.maxMessageMiB * 1024 * 1024),
        idleTimeoutMs: values.idleTimeoutSeconds * 1000,
      },
    ],
    queues: [{ name: queue, interface: context.interface }],
  };
});
