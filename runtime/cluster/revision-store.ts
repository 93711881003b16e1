import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { planFlowFiles } from '../../connectors/file/flow-store.ts';
import { writeFileSet } from '../../connectors/file/file-set.ts';
import { buildError } from '../../core/errors.ts';
import type { FlowNode } from '../../core/interface.ts';
import type { Cluster, Revision } from '../../core/ports/cluster.ts';
import type { DeployStore } from '../deploy/deploy-store.ts';
import { describeChanges } from '../deploy/describe-changes.ts';
import { toFiles } from '../deploy/flow-files.ts';
import type { FlowHistory } from '../deploy/history.ts';

const run = promisify(execFile);

/**
 * What is deployed, as immutable revisions that all roles read. The first is made of what `files` hold; mappings are
 * always those of `files`, as whoever deploys has them.
 */
export class RevisionStore implements DeployStore {
  readonly #cluster: Cluster;
  readonly #files: DeployStore;
  /** What a deploy here is to follow. */
  #newest = 0;

  constructor(cluster: Cluster, files: DeployStore) {
    this.#cluster = cluster;
    this.#files = files;
  }

  /** The number of the revision that is deployed. */
  get newest(): number {
    return this.#newest;
  }

  async open() {
    const newest = await this.#cluster.latest();
    if (newest !== undefined) {
      this.#newest = newest.number;
      return newest.content;
    }
    const content = await this.#files.open();
    const first = await this.#cluster.add({ by: 'Hilum', message: 'The first', content }, 0);
    this.#newest = first.number;
    return content;
  }

  readMappings() {
    return this.#files.readMappings();
  }

  async save({ flows, credentials, mappings, before, by }: Parameters<DeployStore['save']>[0]) {
    const message = describeChanges(before, flows);
    const content = { flows, credentials, mappings };
    this.#newest = (await this.#cluster.add({ by, message, content }, this.#newest)).number;
  }
}

/** The revisions of a cluster as the deploys so far. `readFlows`: what the next deploy of the files would deploy. */
export function historyOfRevisions(
  cluster: Cluster,
  readFlows: () => Promise<readonly FlowNode[]>,
): FlowHistory {
  const find = async (name: string): Promise<Revision> => {
    const number = /^\d{1,9}$/.test(name) ? Number(name) : undefined;
    const found = number === undefined ? undefined : await cluster.read(number);
    if (found !== undefined) return found;
    throw buildError(
      'permanent',
      'revision-unknown',
      `Expected the number of a revision, found "${name}"; see hilum deploy --list.`,
    );
  };
  return {
    // The revision itself is the record.
    record: () => Promise.resolve(),
    list: async (limit) =>
      (await cluster.list(limit)).map(({ number, at, by, message }) => ({
        ...{ revision: String(number), at, by },
        subject: message.split('\n', 1)[0] ?? '',
      })),
    read: async (name) => {
      const { number, content } = await find(name);
      return { revision: String(number), flows: content.flows };
    },
    diff: async (name) => {
      if (name === undefined) {
        const newest = await cluster.latest();
        return diffFlows(newest?.content.flows ?? [], await readFlows());
      }
      const { number, content } = await find(name);
      const before = number === 1 ? undefined : await cluster.read(number - 1);
      return diffFlows(before?.content.flows ?? [], content.flows);
    },
  };
}

/** As git shows it, file by file. */
async function diffFlows(before: readonly FlowNode[], after: readonly FlowNode[]): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hilum-diff-'));
  try {
    for (const [name, flows] of Object.entries({ a: before, b: after })) {
      const plan = await planFlowFiles(path.join(folder, name), toFiles(flows));
      await writeFileSet(path.join(folder, `journal-${name}`), plan);
    }
    const args = ['diff', '--no-index', '--no-color', '--no-prefix', 'a', 'b'];
    const { stdout } = await run('git', args, { cwd: folder, maxBuffer: 256 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    // It ends with 1 where there are differences.
    const { code, stdout } = error as { readonly code?: unknown; readonly stdout?: string };
    if (code === 1 && stdout !== undefined) return stdout;
    throw buildError('permanent', 'git-failed', 'git could not compare the revisions.', error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
