import type { ProfileCopy } from '../../core/hl7v2/profile/profile.ts';
import type { FlowNode } from '../../core/interface.ts';
import type { MappingFile } from '../../core/mapping/mapper.ts';
import type { ReadProfiles } from './profile-version.ts';

/** What a deploy consists of beside its flows and their credentials. */
export interface Sources {
  readonly mappings: readonly MappingFile[];
  readonly profiles: ReadProfiles;
}

/** What a deploy consists of, as it is stored. */
export interface Stored extends Sources {
  readonly flows: readonly FlowNode[];
  /** As Node-RED encrypts them. */
  readonly credentials: object;
}

/** What an earlier deploy had, where it is taken up again; what is absent stays as it is now. */
export interface Earlier {
  readonly mappings?: readonly MappingFile[];
  /** All files of the site's folder of profiles, by their path in it. */
  readonly profileFiles?: ReadonlyMap<string, string>;
  /** Or the profiles that its flows named. */
  readonly profiles?: readonly ProfileCopy[];
}
