import type { FlowNode, InterfaceDefinitions } from '../../core/interface.ts';
import { selectCredentials, type Credentials } from '../credentials.ts';
import { runOtherwise } from '../deploy/changed-groups.ts';
import type { Deployed } from '../deploy/deployed.ts';
import { selectGroup } from '../deploy/groups.ts';
import { usesMappings, type MappingVersion } from '../deploy/mapping-version.ts';
import { selectProfiles, type ProfileVersion } from '../deploy/profile-version.ts';

/** What the workers of one group run. */
export interface GroupPlan {
  readonly group: string;
  readonly flows: readonly FlowNode[];
  readonly credentials: Credentials;
  readonly mappings: MappingVersion;
  /** Those that its flows check by. */
  readonly profiles: readonly ProfileVersion[];
  readonly definitions: InterfaceDefinitions;
  /** Messages that were taken by this revision, and by earlier ones, are its to run; absent: there are none. */
  readonly revision?: number | undefined;
}

/** What of a deploy is this group's: its flows, and the credentials of their nodes alone. */
export function planGroup(group: string, deployed: Deployed): GroupPlan {
  const flows = selectGroup(deployed.flows, group);
  return {
    group,
    flows,
    credentials: selectCredentials(deployed.credentials, flows),
    mappings: deployed.mappings,
    profiles: selectProfiles(deployed.profiles, flows),
    definitions: deployed.compiled.definitions,
    revision: deployed.revision,
  };
}

/** Whether a worker that runs `before` must give way to one that runs `after`. */
export function needsNewWorker(before: GroupPlan, after: GroupPlan): boolean {
  return (
    runOtherwise(before.flows, after.flows) ||
    JSON.stringify(before.credentials) !== JSON.stringify(after.credentials) ||
    JSON.stringify(ownQueues(before)) !== JSON.stringify(ownQueues(after)) ||
    (usesMappings(after.flows) && before.mappings.hash !== after.mappings.hash) ||
    JSON.stringify(toHashes(before)) !== JSON.stringify(toHashes(after))
  );
}

function toHashes({ profiles }: GroupPlan): readonly string[] {
  return profiles.map(({ name, hash }) => `${hash} ${name}`).sort();
}

/** How the queues are consumed that its flows may take from; an interface's settings stand at its tab. */
function ownQueues({ flows, definitions }: GroupPlan): InterfaceDefinitions['queues'] {
  const tabs = new Set(flows.filter(({ type }) => type === 'tab').map(({ id }) => id));
  return definitions.queues.filter((queue) => tabs.has(queue.interface));
}
