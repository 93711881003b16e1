import type { RevisionContent } from '../../core/ports/cluster.ts';
import type { Stored } from '../deploy/stored.ts';
import { readProfiles } from '../deploy/profile-version.ts';
import type { Settings } from '../settings.ts';

/** What is deployed, as all roles read it. */
export function toContent({ flows, credentials, mappings, profiles }: Stored): RevisionContent {
  return { flows, credentials, mappings, profiles: profiles.copies };
}

/** The content of a revision as a deploy; of a build that left profiles to each role, those of this one's files. */
export function toStored(
  { flows, credentials, mappings, profiles }: RevisionContent,
  settings: Settings,
): Stored {
  return {
    ...{ flows, credentials, mappings },
    profiles:
      profiles === undefined
        ? readProfiles(flows, settings)
        : { copies: profiles, failures: new Map() },
  };
}
