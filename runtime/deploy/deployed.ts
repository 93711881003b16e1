import type { FlowNode } from '../../core/interface.ts';
import type { Credentials } from '../credentials.ts';
import type { Compiled } from './definitions.ts';
import type { MappingVersion } from './mapping-version.ts';
import type { ProfileVersion } from './profile-version.ts';

/** Everything that runs by a deploy, of one piece. */
export interface Deployed {
  readonly flows: readonly FlowNode[];
  readonly compiled: Compiled;
  readonly credentials: Credentials;
  readonly mappings: MappingVersion;
  readonly profiles: readonly ProfileVersion[];
  /** Where roles run apart. */
  readonly revision?: number;
}

/** Before anything was read. */
export const nothingDeployed: Deployed = {
  flows: [],
  compiled: {
    definitions: { listeners: [], senders: [], queues: [] },
    issues: [],
    alarmLimits: new Map(),
    retention: new Map(),
  },
  credentials: {},
  mappings: { directory: '', hash: '' },
  profiles: [],
};
