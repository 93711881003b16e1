import { GitFolder } from '../../connectors/git/repository.ts';
import { shippedMappings, shippedProfiles, type Settings } from '../settings.ts';

/** What a deploy takes from folders that people edit, besides the flows. */
const kinds = ['mappings', 'profiles'] as const;
export type Kind = (typeof kinds)[number];

/** In the flows' folder: the commits of what lies in repositories of its own, a line each. */
export const commitsFile = '_commits.txt';

const flowFiles = ['*.json', 'subflows/*.json', commitsFile];
const patterns: Readonly<Record<Kind, readonly string[]>> = {
  mappings: ['**/*.yaml', '**/*.yml', '**/*.json', '**/*.csv'],
  profiles: ['**/*.yaml', '**/*.yml', '**/*.csv', '**/*.txt'],
};

export type Folders = Pick<Settings, 'flowsDirectory' | 'mappingsDirectory' | 'profilesDirectory'>;

/** The folders of a site that lie in git repositories. */
export interface SiteFolders {
  /** Undefined: in no repository. */
  readonly flows: GitFolder | undefined;
  /** The flows and all that lies in one repository with them. */
  readonly together: GitFolder | undefined;
  readonly mappings: GitFolder | undefined;
  readonly profiles: GitFolder | undefined;
  /** Those that lie in repositories of their own. */
  readonly apart: readonly (readonly [kind: Kind, folder: GitFolder])[];
}

/** As they are now: somebody may make a repository of a folder while Hilum runs. What is shipped is no site's. */
export async function openSiteFolders(folders: Folders): Promise<SiteFolders> {
  const { flowsDirectory, mappingsDirectory, profilesDirectory } = folders;
  const flows = await GitFolder.open(flowsDirectory, flowFiles);
  const mappings =
    mappingsDirectory === shippedMappings
      ? undefined
      : await GitFolder.open(mappingsDirectory, patterns.mappings);
  const profiles =
    profilesDirectory === shippedProfiles
      ? undefined
      : await GitFolder.open(profilesDirectory, patterns.profiles);
  let together = flows;
  const apart: (readonly [Kind, GitFolder])[] = [];
  for (const [kind, folder] of Object.entries({ mappings, profiles }) as [Kind, typeof flows][]) {
    if (folder === undefined) continue;
    if (together?.isBeside(folder) === true) together = together.with(folder);
    else apart.push([kind, folder]);
  }
  return { flows, together, mappings, profiles, apart };
}

/** The lines of {@link commitsFile}. */
export function formatCommits(commits: ReadonlyMap<Kind, string>): string {
  return [...commits].map(([kind, commit]) => `${kind} ${commit}\n`).join('');
}

export function parseCommits(text: string): ReadonlyMap<Kind, string> {
  const found = new Map<Kind, string>();
  for (const line of text.split('\n')) {
    const [name, commit = ''] = line.split(' ');
    const kind = kinds.find((each) => each === name);
    if (kind !== undefined && commit !== '') found.set(kind, commit);
  }
  return found;
}
