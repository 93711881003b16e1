import { GitFolder, type Commit } from '../../connectors/git/repository.ts';
import { buildError } from '../../core/errors.ts';
import type { FlowNode } from '../../core/interface.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { shippedMappings } from '../settings.ts';
import { describeChanges } from './describe-changes.ts';
import { fromFiles, type FlowFiles } from './flow-files.ts';

/** The deploys so far, where the folders of flows and mappings lie in a git repository. */
export interface FlowHistory {
  /** Commits what a deploy has changed. Never rejects: what is deployed runs, whether it is committed or not. */
  record(deploy: {
    readonly by: string;
    readonly before: readonly FlowNode[];
    readonly after: readonly FlowNode[];
  }): Promise<void>;
  /** The newest first. Rejects with HilumError `no-history` (permanent) where there is no repository. */
  list(limit: number): Promise<readonly Commit[]>;
  /** The flows as they were, and the revision in full. Rejects with `no-history` and `revision-unknown` (permanent). */
  read(revision: string): Promise<{
    readonly revision: string;
    readonly flows: readonly FlowNode[];
  }>;
  /** What a revision has changed; without one, what has changed since the last deploy. */
  diff(revision?: string): Promise<string>;
}

const flowFiles = ['*.json', 'subflows/*.json'];
const mappingFiles = ['**/*.yaml', '**/*.yml', '**/*.json', '**/*.csv'];

/** Asked anew each time: somebody may make a repository of the folder while Hilum runs. */
export function openHistory(options: {
  readonly flowsDirectory: string;
  readonly mappingsDirectory: string;
  readonly logger: Logger;
}): FlowHistory {
  const { flowsDirectory, mappingsDirectory, logger } = options;
  const openFlows = async (): Promise<GitFolder> => {
    const folder = await GitFolder.open(flowsDirectory, flowFiles);
    if (folder !== undefined) return folder;
    throw buildError(
      'permanent',
      'no-history',
      `Expected the flows in a git repository, found none around ${flowsDirectory}: make one with "git init" there, and every deploy from then on is a commit.`,
    );
  };
  const findRevision = async (folder: GitFolder, name: string): Promise<string> => {
    const found = await folder.findRevision(name);
    if (found !== undefined) return found;
    throw buildError(
      'permanent',
      'revision-unknown',
      `Expected a revision of the flows' repository, found "${name}"; see hilum deploy --list.`,
    );
  };
  return {
    record: async ({ by, before, after }) => {
      try {
        const flows = await GitFolder.open(flowsDirectory, flowFiles);
        const message = describeChanges(before, after);
        await flows?.commit({ by, message });
        // Those that are shipped are in no repository of the site's.
        const mappings =
          mappingsDirectory === shippedMappings
            ? undefined
            : await GitFolder.open(mappingsDirectory, mappingFiles);
        await mappings?.commit({ by, message: 'Mappings that were deployed' });
      } catch (error) {
        logger.error({ err: error }, 'The deploy runs, and could not be committed.');
      }
    },
    list: async (limit) => (await openFlows()).log(limit),
    read: async (name) => {
      const folder = await openFlows();
      const revision = await findRevision(folder, name);
      const files = await folder.read(revision);
      const parsed = new Map([...files].map(([file, text]) => [file, parse(file, text)]));
      return { revision, flows: fromFiles(parsed as FlowFiles) };
    },
    diff: async (name) => {
      const folder = await openFlows();
      return folder.diff(name === undefined ? undefined : await findRevision(folder, name));
    },
  };
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
