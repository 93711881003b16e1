import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { writeFileSet } from '../../connectors/file/file-set.ts';
import { planFlowFiles } from '../../connectors/file/flow-store.ts';
import { buildError } from '../../core/errors.ts';
import { filesOf } from '../../core/hl7v2/profile/profile-copy.ts';
import type { Cluster, Revision, RevisionContent } from '../../core/ports/cluster.ts';
import { toFiles } from '../deploy/flow-files.ts';
import type { FlowHistory } from '../deploy/history.ts';
import { shippedProfiles } from '../settings.ts';

const run = promisify(execFile);

type Shown = Pick<RevisionContent, 'flows' | 'mappings' | 'profiles'>;

/**
 * The revisions of a cluster as the deploys so far. `files`: commits what is written to the console's files; `readFiles`:
 * what the next deploy of them would deploy.
 */
export function historyOfRevisions(options: {
  readonly cluster: Cluster;
  readonly files: Pick<FlowHistory, 'record' | 'keepEdits'>;
  readonly readFiles: () => Promise<Shown>;
}): FlowHistory {
  const { cluster, files, readFiles } = options;
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
  // With all that is shipped, mappings and profiles would hide the flows of the first.
  const compare = (before: Shown | undefined, after: Shown): Promise<string> =>
    compareContents({ before: before ?? { ...after, flows: [] }, after });
  return {
    record: (deploy) => files.record(deploy),
    keepEdits: (by) => files.keepEdits(by),
    list: async (limit) =>
      (await cluster.list(limit)).map(({ number, at, by, message }) => ({
        ...{ revision: String(number), at, by },
        subject: message.split('\n', 1)[0] ?? '',
      })),
    read: async (name) => {
      const { number, content } = await find(name);
      const { flows, mappings, profiles } = content;
      const earlier = { mappings, ...(profiles === undefined ? {} : { profiles }) };
      return { revision: String(number), flows, earlier };
    },
    diff: async (name) => {
      if (name === undefined) return compare((await cluster.latest())?.content, await readFiles());
      const { number, content } = await find(name);
      const before = number === 1 ? undefined : await cluster.read(number - 1);
      return compare(before?.content, content);
    },
  };
}

/** As git shows it, file by file. */
async function compareContents(contents: {
  readonly before: Shown;
  readonly after: Shown;
}): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hilum-diff-'));
  try {
    for (const [name, content] of Object.entries({ a: contents.before, b: contents.after })) {
      const plan = await planFlowFiles(path.join(folder, name), toFiles(content.flows));
      await writeFileSet(path.join(folder, `journal-${name}`), plan);
      for (const [file, text] of listOthers(content)) {
        const target = path.join(folder, name, file);
        await mkdir(path.dirname(target), { recursive: true });
        await writeFile(target, text);
      }
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

/** Mappings and profiles, in folders of their names. */
function listOthers({ mappings, profiles = [] }: Shown): ReadonlyMap<string, string> {
  const place = (file: string): string => {
    if (!path.isAbsolute(file)) return file;
    const inside = path.relative(shippedProfiles, file);
    return inside.startsWith('..') ? file.slice(1) : inside;
  };
  return new Map([
    ...mappings.map(({ path: file, text }) => [path.join('mappings', file), text] as const),
    ...profiles
      .flatMap(filesOf)
      .map((file) => [path.join('profiles', place(file.path)), file.text] as const),
  ]);
}
