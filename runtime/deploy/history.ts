import { GitFolder, type Commit } from '../../connectors/git/repository.ts';
import { buildError } from '../../core/errors.ts';
import type { FlowNode } from '../../core/interface.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { shippedMappings } from '../settings.ts';
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
        const message = describe(before, after);
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

/** A first line that names the flows, and a line for each of them below. */
function describe(before: readonly FlowNode[], after: readonly FlowNode[]): string {
  const were = byContainer(before);
  const are = byContainer(after);
  const lines = [
    ...[...are].filter(([id]) => !were.has(id)).map(([, { label }]) => ({ label, verb: 'added' })),
    ...[...are]
      .filter(([id, { content }]) => were.has(id) && were.get(id)?.content !== content)
      .map(([, { label }]) => ({ label, verb: 'changed' })),
    ...[...were]
      .filter(([id]) => !are.has(id))
      .map(([, { label }]) => ({ label, verb: 'removed' })),
  ];
  if (lines.length === 0) return 'Deploy';
  const subject = `Deploy: ${lines.map(({ label }) => label).join(', ')}`;
  const body = lines.map(({ label, verb }) => `- ${label}: ${verb}`);
  return [subject.length > 72 ? `${subject.slice(0, 71)}…` : subject, '', ...body].join('\n');
}

interface Container {
  readonly label: string;
  readonly content: string;
}

/** Tabs and subflows with what is in them, and what all share as one more. */
function byContainer(flows: readonly FlowNode[]): ReadonlyMap<string, Container> {
  const containers = flows.filter(({ type }) => type === 'tab' || type === 'subflow');
  const ids = new Set(containers.map(({ id }) => id));
  const contentOf = (belongs: (node: FlowNode) => boolean): string =>
    flows
      .filter(belongs)
      .map((node) => JSON.stringify(node))
      .sort()
      .join('\n');
  const shared: Container = {
    label: 'shared configuration',
    content: contentOf(({ id, z }) => !ids.has(id) && !ids.has(z ?? '')),
  };
  return new Map([
    ...containers.map((node): [string, Container] => [
      node.id,
      {
        label: labelOf(node),
        content: contentOf(({ id, z }) => id === node.id || z === node.id),
      },
    ]),
    ['', shared],
  ]);
}

function labelOf({ id, type, name, ...rest }: FlowNode): string {
  const label = type === 'tab' ? rest['label'] : name;
  return typeof label === 'string' && label !== '' ? label : id;
}
