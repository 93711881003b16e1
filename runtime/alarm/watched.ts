import type { InterfaceStatus } from '../../console/api/control.ts';
import type { Compiled } from '../deploy/definitions.ts';
import type { AlarmLimits } from './limits.ts';
import type { Watched } from './watch.ts';

/** What the alarms go by, of what runs. `limits`: of interfaces that set none themselves. */
export function toWatched(
  { definitions, alarmLimits }: Compiled,
  interfaces: readonly InterfaceStatus[],
  limits: AlarmLimits,
): Watched {
  const endpoints = [...definitions.listeners, ...definitions.senders];
  return {
    definitions,
    limitsOf: (owner) => alarmLimits.get(owner) ?? limits,
    names: {
      interfaces: new Map(interfaces.map(({ id, label }) => [id, label])),
      queues: new Map(endpoints.map(({ queue, label }) => [queue, label])),
    },
  };
}
