import path from 'node:path';
import { isMapping } from '../../connectors/file/mapping-files.ts';
import { writeFileAtomically } from '../../connectors/file/write-file.ts';
import type { Commit, GitFolder } from '../../connectors/git/repository.ts';
import { buildError } from '../../core/errors.ts';
import type { FlowNode } from '../../core/interface.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Earlier } from './stored.ts';
import { fromFiles, type FlowFiles } from './flow-files.ts';
import {
  commitsFile,
  formatCommits,
  openSiteFolders,
  parseCommits,
  type Folders,
  type Kind,
  type SiteFolders,
} from './site-folders.ts';

/** The deploys so far, where the folder of the flows lies in a git repository. */
export interface FlowHistory {
  /** Commits what a deploy has changed. Never rejects: what is deployed runs, whether it is committed or not. */
  record(deploy: { readonly by: string; readonly message: string }): Promise<void>;
  /** Commits what somebody has edited and not deployed, before it is overwritten. */
  keepEdits(by: string): Promise<void>;
  /** The newest first. Rejects with HilumError `no-history` (permanent) where there is no repository. */
  list(limit: number): Promise<readonly Commit[]>;
  /** A deploy as it was, and the revision in full. Rejects with `no-history` and `revision-unknown` (permanent). */
  read(revision: string): Promise<EarlierDeploy>;
  /** What a revision has changed; without one, what has changed since the last deploy. */
  diff(revision?: string): Promise<string>;
}

/** Where the flows lie in a repository. */
type Versioned = SiteFolders & { readonly flows: GitFolder; readonly together: GitFolder };

interface EarlierDeploy {
  readonly revision: string;
  readonly flows: readonly FlowNode[];
  readonly earlier: Earlier;
}

/** The flows' folder as a history, with the site's own mappings and profiles. */
export function openHistory(options: Folders & { readonly logger: Logger }): FlowHistory {
  const { flowsDirectory, logger } = options;
  const open = async (): Promise<Versioned> => {
    const folders = await openSiteFolders(options);
    const { flows, together } = folders;
    if (flows !== undefined && together !== undefined) return { ...folders, flows, together };
    throw buildError(
      'permanent',
      'no-history',
      `Expected the flows in a git repository, found none around ${flowsDirectory}: make one with "git init" there, and every deploy from then on is a commit.`,
    );
  };
  const commit = async (by: string, messages: { deploy: string; apart: string }) => {
    const { together, apart } = await openSiteFolders(options);
    const commits = new Map<Kind, string>();
    for (const [kind, folder] of apart) {
      await folder.commit({ by, message: messages.apart });
      const newest = await folder.findRevision('HEAD');
      if (newest !== undefined) commits.set(kind, newest);
    }
    if (together === undefined) return;
    if (commits.size > 0) {
      await writeFileAtomically(path.join(flowsDirectory, commitsFile), formatCommits(commits));
    }
    await together.commit({ by, message: messages.deploy });
  };
  return {
    record: async ({ by, message }) => {
      try {
        await commit(by, { deploy: message, apart: 'Files that were deployed' });
      } catch (error) {
        logger.error({ err: error }, 'The deploy runs, and could not be committed.');
      }
    },
    keepEdits: (by) =>
      commit(by, {
        deploy: 'Files that were edited and not deployed',
        apart: 'Files that were edited and not deployed',
      }),
    list: async (limit) => (await open()).together.log(limit),
    read: async (name) => {
      const folders = await open();
      const revision = await findRevision(folders.flows, name);
      const files = await folders.flows.read(revision);
      const parsed = [...files]
        .filter(([file]) => file !== commitsFile)
        .map(([file, text]): [string, unknown] => [file, parse(file, text)]);
      return {
        revision,
        flows: fromFiles(new Map(parsed) as FlowFiles),
        earlier: await readEarlier(folders, revision),
      };
    },
    diff: async (name) => {
      const { flows, together, apart } = await open();
      if (name === undefined) {
        const texts = [together.diff(), ...apart.map(([, folder]) => folder.diff())];
        return (await Promise.all(texts)).join('');
      }
      const revision = await findRevision(flows, name);
      const after = await readCommits(flows, revision);
      const parent = await flows.findRevision(`${revision}^`);
      const before = parent === undefined ? undefined : await readCommits(flows, parent);
      const texts = apart.map(([kind, folder]) => {
        const [from, to] = [before?.get(kind), after.get(kind)];
        return from === undefined || to === undefined ? '' : folder.compare(from, to);
      });
      return (await Promise.all([together.diff(revision), ...texts])).join('');
    },
  };
}

async function findRevision(folder: GitFolder, name: string): Promise<string> {
  const found = await folder.findRevision(name);
  if (found !== undefined) return found;
  throw buildError(
    'permanent',
    'revision-unknown',
    `Expected a revision of the flows' repository, found "${name}"; see hilum deploy --list.`,
  );
}

async function readCommits(
  folder: GitFolder,
  revision: string,
): Promise<ReadonlyMap<Kind, string>> {
  return parseCommits((await folder.read(revision)).get(commitsFile) ?? '');
}

/** Mappings and profiles at a revision of the flows; what was under no version control then is left out. */
async function readEarlier(
  { flows, mappings, profiles, apart }: Versioned,
  revision: string,
): Promise<Earlier> {
  const commits = await readCommits(flows, revision);
  const readFiles = async (
    kind: Kind,
    folder: GitFolder | undefined,
  ): Promise<ReadonlyMap<string, string>> => {
    if (folder === undefined) return new Map();
    if (!apart.some(([each]) => each === kind)) return folder.read(revision);
    const commit = commits.get(kind);
    return commit === undefined ? new Map() : folder.read(await findCommit(kind, folder, commit));
  };
  const mapped = [...(await readFiles('mappings', mappings))]
    .filter(([file]) => isMapping(file))
    .map(([file, text]) => ({ path: file, text }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const profileFiles = await readFiles('profiles', profiles);
  return {
    ...(mapped.length === 0 ? {} : { mappings: mapped }),
    ...(profileFiles.size === 0 ? {} : { profileFiles }),
  };
}

async function findCommit(kind: Kind, folder: GitFolder, commit: string): Promise<string> {
  const found = await folder.findRevision(commit);
  if (found !== undefined) return found;
  throw buildError(
    'permanent',
    'revision-unknown',
    `Expected commit ${commit} in the repository of the ${kind}, which that deploy had, found none; fetch it there.`,
  );
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw buildError(
      'permanent',
      'flow-file-unreadable',
      `Expected JSON in ${file} of that revision, found something else.`,
      error,
    );
  }
}
