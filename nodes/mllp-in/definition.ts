import {
  queueNames,
  type AcknowledgeWhen,
  type CommitMode,
  type DuplicatePolicy,
  type FlowWait,
  type ListenerDefinition,
  type ListenerLimits,
} from '../../core/interface.ts';
import {
  buildListenerAcknowledgment,
  listenerAcknowledgmentDefaults,
  listenerAcknowledgmentFields,
  type ListenerAcknowledgmentConfig,
} from '../shared/acknowledgment.ts';
import { peerList } from '../shared/connection-fields.ts';
import { buildIssue, contributeFrom, type FieldValues } from '../shared/contribution.ts';
import {
  choice,
  hostName,
  integerBetween,
  listenPort,
  numberBetween,
  optional,
  requiredText,
} from '../shared/fields.ts';
import {
  buildQueueOrder,
  messageOrderDefaults,
  messageOrderFields,
  type MessageOrderConfig,
} from '../shared/message-order.ts';
import {
  buildListenerTls,
  commitField,
  listenerTlsDefaults,
  listenerTlsFields,
  toCommit,
  type ListenerTlsConfig,
} from '../shared/tls.ts';

export const type = 'mllp in';

/** Configuration as the editor stores it; every text may hold `${NAME}`. */
export interface MllpInConfig
  extends ListenerTlsConfig, ListenerAcknowledgmentConfig, MessageOrderConfig {
  readonly name: string;
  /** Where to listen; empty: where Hilum listens, `HILUM_BIND`. */
  readonly host: string;
  readonly port: string;
  readonly acknowledge: AcknowledgeWhen;
  /** How long a sender is kept waiting for its message's flow, where it is acknowledged then. */
  readonly waitSeconds: string;
  readonly onTimeout: FlowWait['onTimeout'];
  /** A profile's name or the path of a file, for what is validated; empty: the version alone. */
  readonly profile: string;
  /** Empty: MSH-18 tells the truth. */
  readonly charset: string;
  /** For so long a message that comes again is acknowledged and not processed; 0: never. */
  readonly duplicateHours: string;
  readonly sameIdOtherContent: DuplicatePolicy['sameIdOtherContent'];
  /** Longer messages close the connection. */
  readonly maxMessageMiB: string;
  /** A connection that is silent for longer is closed; 0: never. */
  readonly idleTimeoutSeconds: string;
  /** Who may connect; empty: everybody. */
  readonly allowedPeers: string;
  /** Whether each connection begins with a proxy's header. */
  readonly proxyProtocol: 'off' | 'on';
  readonly trustedProxies: string;
  /** Empty, as all limits below: the listener's own. */
  readonly maxConnections: string;
  readonly maxConnectionsPerPeer: string;
  readonly firstByteSeconds: string;
  readonly maxInFlight: string;
  readonly maxUnacknowledgedMiB: string;
  readonly maxBufferedMiB: string;
  readonly commit: 'off' | CommitMode;
}

export const defaults: MllpInConfig = {
  name: '',
  host: '',
  port: '',
  acknowledge: 'received',
  waitSeconds: '30',
  onTimeout: 'error',
  profile: '',
  charset: '',
  duplicateHours: '24',
  sameIdOtherContent: 'accept',
  ...messageOrderDefaults,
  ...listenerAcknowledgmentDefaults,
  maxMessageMiB: '16',
  idleTimeoutSeconds: '0',
  ...listenerTlsDefaults,
  allowedPeers: '',
  proxyProtocol: 'off',
  trustedProxies: '',
  maxConnections: '',
  maxConnectionsPerPeer: '',
  firstByteSeconds: '',
  maxInFlight: '',
  maxUnacknowledgedMiB: '',
  maxBufferedMiB: '',
  commit: 'off',
};

export const fields = {
  host: optional(hostName, undefined),
  port: listenPort,
  acknowledge: optional(choice('received', 'validated', 'processed'), 'received'),
  waitSeconds: optional(numberBetween(1, 3600), 30),
  onTimeout: optional(choice('error', 'close'), 'error'),
  profile: optional(requiredText, undefined),
  charset: optional(requiredText, undefined),
  duplicateHours: optional(numberBetween(0, 720), 24),
  sameIdOtherContent: optional(choice('accept', 'reject'), 'accept'),
  ...messageOrderFields,
  ...listenerAcknowledgmentFields,
  maxMessageMiB: optional(numberBetween(0.01, 256), 16),
  idleTimeoutSeconds: optional(numberBetween(0, 86_400), 0),
  ...listenerTlsFields,
  allowedPeers: optional(peerList, undefined),
  proxyProtocol: optional(choice('off', 'on'), 'off'),
  trustedProxies: optional(peerList, undefined),
  maxConnections: optional(integerBetween(1, 65_535), undefined),
  maxConnectionsPerPeer: optional(integerBetween(1, 65_535), undefined),
  firstByteSeconds: optional(numberBetween(0.1, 3600), undefined),
  maxInFlight: optional(integerBetween(1, 1024), undefined),
  maxUnacknowledgedMiB: optional(numberBetween(0.01, 1024), undefined),
  maxBufferedMiB: optional(numberBetween(1, 4096), undefined),
  commit: commitField,
};

type Values = FieldValues<typeof fields>;

/** A listener at the edge and the inbound queue that it fills. */
export const contribute = contributeFrom(fields, (values, node, context) => {
  const queue = queueNames.inbound(node.id);
  const tls = buildListenerTls(values);
  if ('problem' in tls) return { issues: [buildIssue(node, 'tls-incomplete', tls.problem)] };
  const guard = buildGuard(values);
  if ('problem' in guard) return { issues: [buildIssue(node, 'field-required', guard.problem)] };
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
        ...buildWait(values),
        ...(values.profile === undefined ? {} : { profile: values.profile }),
        ...(values.charset === undefined ? {} : { charset: values.charset }),
        ...(values.keyPath === undefined ? {} : { keyPaths: values.keyPath }),
        ...buildListenerAcknowledgment(values),
        ...buildDuplicates(values),
        queue,
        maxFrameBytes: Math.round(values.maxMessageMiB * 1024 * 1024),
        idleTimeoutMs: values.idleTimeoutSeconds * 1000,
        ...tls,
        ...guard,
        ...buildLimits(values),
        ...toCommit(values.commit),
      },
    ],
    queues: [{ name: queue, interface: context.interface, ...buildQueueOrder(values) }],
  };
});

/** Nothing where the flow is not waited for, or as usual. */
function buildWait({
  acknowledge,
  waitSeconds,
  onTimeout,
}: Values): Pick<ListenerDefinition, 'wait'> {
  if (acknowledge !== 'processed' || (waitSeconds === 30 && onTimeout === 'error')) return {};
  return { wait: { timeoutMs: Math.round(waitSeconds * 1000), onTimeout } };
}

/** Nothing where all is as it is without being said. */
function buildDuplicates({
  duplicateHours,
  sameIdOtherContent,
}: Values): Pick<ListenerDefinition, 'duplicates'> {
  if (duplicateHours === 24 && sameIdOtherContent === 'accept') return {};
  return {
    duplicates: { windowMs: Math.round(duplicateHours * 3_600_000), sameIdOtherContent },
  };
}

/** Who may connect; only what is restricted. */
function buildGuard({
  allowedPeers,
  proxyProtocol,
  trustedProxies,
}: Values):
  Pick<ListenerDefinition, 'allowedPeers' | 'proxyProtocol'> | { readonly problem: string } {
  // A header from anybody would let everybody choose an address.
  if (proxyProtocol === 'on' && trustedProxies === undefined) {
    return { problem: 'trustedProxies: expected the addresses of the proxies, found none' };
  }
  return {
    ...(allowedPeers === undefined ? {} : { allowedPeers }),
    ...(proxyProtocol === 'off' || trustedProxies === undefined
      ? {}
      : { proxyProtocol: { trustedProxies } }),
  };
}

function buildLimits(values: Values): { readonly limits?: ListenerLimits } {
  const { maxConnections, maxConnectionsPerPeer, maxInFlight } = values;
  const { firstByteSeconds, maxUnacknowledgedMiB, maxBufferedMiB } = values;
  const limits: ListenerLimits = {
    ...(maxConnections === undefined ? {} : { maxConnections }),
    ...(maxConnectionsPerPeer === undefined ? {} : { maxConnectionsPerPeer }),
    ...(maxInFlight === undefined ? {} : { maxInFlight }),
    ...(firstByteSeconds === undefined
      ? {}
      : { firstByteTimeoutMs: Math.round(firstByteSeconds * 1000) }),
    ...(maxUnacknowledgedMiB === undefined
      ? {}
      : { maxUnacknowledgedBytes: Math.round(maxUnacknowledgedMiB * 1024 * 1024) }),
    ...(maxBufferedMiB === undefined
      ? {}
      : { maxBufferedBytes: Math.round(maxBufferedMiB * 1024 * 1024) }),
  };
  return Object.keys(limits).length === 0 ? {} : { limits };
}
