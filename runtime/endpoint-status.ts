import type {
  ControlStatus,
  InterfaceStatus,
  ListenerStatus,
  SenderStatus,
} from '../console/api/control.ts';
import type { ListenerDefinition, SenderDefinition } from '../core/interface.ts';
import type { EndpointState } from './process/messages.ts';

/** Interfaces, listeners and senders as the console shows them; those of an interface that an operator stopped as well. */
export function toStatuses(
  of: {
    readonly interfaces: readonly InterfaceStatus[];
    readonly listeners: readonly ListenerDefinition[];
    readonly senders: readonly SenderDefinition[];
  },
  endpoints: ReadonlyMap<string, EndpointState>,
): Pick<ControlStatus, 'interfaces' | 'listeners' | 'senders'> {
  const stopped = new Map(
    of.interfaces.filter(({ cause }) => cause === 'operator').map((each) => [each.id, each]),
  );
  const toStopped = ({ reason = '', since = '' }: InterfaceStatus) =>
    ({ state: 'stopped', reason, since }) as const;
  return {
    interfaces: of.interfaces,
    listeners: of.listeners.map((definition) => {
      const status = toListenerStatus(definition, endpoints.get(definition.id));
      const owner = stopped.get(definition.interface);
      return owner === undefined ? status : { ...status, ...toStopped(owner) };
    }),
    senders: of.senders.map((definition) => {
      const status = toSenderStatus(definition, endpoints.get(definition.id));
      const owner = stopped.get(definition.interface);
      return owner === undefined ? status : { ...status, ...toStopped(owner) };
    }),
  };
}

/** A listener as the console shows it; `starting` until the edge has told of it. */
function toListenerStatus(
  listener: ListenerDefinition,
  endpoint: EndpointState | undefined,
): ListenerStatus {
  const { id, interface: flow, label, queue, host, port } = listener;
  const isTls = listener.tls !== undefined;
  const base = { id, interface: flow, label, queue, host, port, isTls };
  if (endpoint?.state === 'listening') return { ...base, state: 'listening' };
  if (endpoint?.state === 'failed') return { ...base, state: 'failed', reason: endpoint.detail };
  return { ...base, state: 'starting' };
}

/** A sender as the console shows it; `starting` until the edge has told of it. */
function toSenderStatus(
  sender: SenderDefinition,
  endpoint: EndpointState | undefined,
): SenderStatus {
  const { id, interface: flow, label, queue } = sender;
  const base = { id, interface: flow, label, queue, target: targetOf(sender) };
  const { state, detail = '', since } = endpoint ?? {};
  if (state !== 'sending' && state !== 'failing' && state !== 'paused') {
    return { ...base, state: 'starting' };
  }
  return {
    ...base,
    state,
    ...(detail === '' ? {} : { reason: detail }),
    ...(since === undefined ? {} : { since }),
  };
}

function targetOf(sender: SenderDefinition): string {
  if (sender.kind === 'mllp') return `${sender.host}:${sender.port}`;
  const withoutCredentials = new URL(sender.baseUrl);
  withoutCredentials.username = '';
  withoutCredentials.password = '';
  return withoutCredentials.href;
}
