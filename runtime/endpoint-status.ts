import type { ListenerStatus, SenderStatus } from '../console/api/control.ts';
import type { ListenerDefinition, SenderDefinition } from '../core/interface.ts';
import type { EndpointState } from './process/messages.ts';

/** A listener as the console shows it; `starting` until the edge has told of it. */
export function toListenerStatus(
  listener: ListenerDefinition,
  endpoint: EndpointState | undefined,
): ListenerStatus {
  const { id, interface: flow, label, queue, host, port } = listener;
  const base = { id, interface: flow, label, queue, host, port };
  if (endpoint?.state === 'listening') return { ...base, state: 'listening' };
  if (endpoint?.state === 'failed') return { ...base, state: 'failed', reason: endpoint.detail };
  return { ...base, state: 'starting' };
}

/** A sender as the console shows it; `starting` until the edge has told of it. */
export function toSenderStatus(
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
