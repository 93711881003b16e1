import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { recoverFileSet, writeFileSet, type FileChanges } from '../../connectors/file/file-set.ts';
import { flowFolders, planFlowFiles } from '../../connectors/file/flow-store.ts';
import { planMappingFiles, readMappingFiles } from '../../connectors/file/mapping-files.ts';
import { planProfileFiles } from '../../connectors/file/profile-files.ts';
import { filesOf } from '../../core/hl7v2/profile/profile-copy.ts';
import type { FlowNode } from '../../core/interface.ts';
import { shippedMappings, shippedProfiles, type Settings } from '../settings.ts';
import { toFiles } from './flow-files.ts';
import { readProfiles } from './profile-version.ts';
import { credentialsFileOf, readCredentials, readFlows } from './storage.ts';
import type { Earlier, Sources, Stored } from './stored.ts';

/** A deploy that is about to be stored. */
interface Change extends Stored {
  /** What it changes, as people read it. */
  readonly message: string;
  readonly by: string;
  /** They are others than before. */
  readonly hasNewCredentials: boolean;
  /** It is written back to where it is edited. */
  readonly earlier: Earlier;
}

/** Where what is deployed is kept: a deploy is there as a whole, over any crash, or not at all. */
export interface DeployStore {
  /** Finishes what a crash has interrupted, and reads what is deployed. */
  open(): Promise<Stored>;
  /** Mappings, and the profiles that the flows name, as whoever edits them has them now, or as they were. */
  readSources(flows: readonly FlowNode[], earlier: Earlier): Promise<Sources>;
  /** Durable when it resolves. */
  save(change: Change): Promise<void>;
}

export interface FileStore extends DeployStore {
  /** Finishes what a crash has interrupted. Before anybody reads the files. */
  recover(): Promise<void>;
}

/** In the folders of the flows and of the data, and in the site's own of mappings and profiles. */
export function storeInFiles(settings: Settings): FileStore {
  const { flowsDirectory, dataDirectory, mappingsDirectory, deployJournal } = settings;
  const readSources: DeployStore['readSources'] = async (flows, earlier) => ({
    mappings: earlier.mappings ?? (await readMappingFiles(mappingsDirectory)),
    profiles:
      earlier.profiles === undefined
        ? readProfiles(flows, settings, earlier.profileFiles)
        : { copies: earlier.profiles, failures: new Map() },
  });
  const recover = async (): Promise<void> => {
    const own = await Promise.all(findOwnFolders(settings).map(listFolders));
    const folders = [...flowFolders(flowsDirectory), dataDirectory, ...own.flat()];
    await recoverFileSet(deployJournal, folders);
  };
  return {
    recover,
    open: async () => {
      await recover();
      const flows = await readFlows(flowsDirectory);
      const credentials = await readCredentials(dataDirectory);
      return { flows, credentials, ...(await readSources(flows, {})) };
    },
    readSources,
    save: async ({ flows, credentials, hasNewCredentials, earlier }) => {
      const text = `${JSON.stringify(credentials, null, 2)}\n`;
      const file = credentialsFileOf(dataDirectory);
      const plans: readonly FileChanges[] = [
        await planFlowFiles(flowsDirectory, toFiles(flows)),
        ...(hasNewCredentials ? [{ write: new Map([[file, text]]), remove: [] }] : []),
        ...(await planEarlier(earlier, settings)),
      ];
      await writeFileSet(deployJournal, {
        write: new Map(plans.flatMap(({ write }) => [...write])),
        remove: plans.flatMap(({ remove }) => remove),
      });
    },
  };
}

/** What brings the site's own files back to what they were: those that come with Hilum are no site's. */
async function planEarlier(
  { mappings, profileFiles, profiles }: Earlier,
  settings: Settings,
): Promise<readonly FileChanges[]> {
  const own = new Set(findOwnFolders(settings));
  const { mappingsDirectory, profilesDirectory } = settings;
  const plans: FileChanges[] = [];
  if (mappings !== undefined && own.has(mappingsDirectory)) {
    plans.push(await planMappingFiles(mappingsDirectory, mappings));
  }
  if (!own.has(profilesDirectory)) return plans;
  if (profileFiles !== undefined) plans.push(planProfileFiles(profilesDirectory, profileFiles));
  if (profiles !== undefined) {
    // Of others in the folder nothing is known.
    const inside = profiles
      .flatMap(filesOf)
      .map((file) => [path.resolve(profilesDirectory, file.path), file.text] as const)
      .filter(([file]) => isInside(profilesDirectory, file));
    plans.push({ write: new Map(inside), remove: [] });
  }
  return plans;
}

function findOwnFolders({ mappingsDirectory, profilesDirectory }: Settings): readonly string[] {
  return [
    ...(mappingsDirectory === shippedMappings ? [] : [mappingsDirectory]),
    ...(profilesDirectory === shippedProfiles ? [] : [profilesDirectory]),
  ];
}

function isInside(folder: string, file: string): boolean {
  const inside = path.relative(folder, file);
  return !inside.startsWith('..') && !path.isAbsolute(inside);
}

/** The folder and those in it; none where it is not there. */
async function listFolders(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const below = entries.filter((entry) => entry.isDirectory());
    return [folder, ...below.map(({ parentPath, name }) => path.join(parentPath, name))].filter(
      (each) => !each.split(path.sep).includes('.git'),
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
