import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildError } from '../../core/errors.ts';

const run = promisify(execFile);
const timeoutMs = 30_000;
const maxOutputBytes = 256 * 1024 * 1024;

/** One commit that changed the folder. */
export interface Commit {
  /** The full hash. */
  readonly revision: string;
  /** ISO 8601 instant. */
  readonly at: string;
  readonly by: string;
  readonly subject: string;
}

/** The files of some kinds in a folder that lies in a git repository, through the `git` of the machine. */
export class GitFolder {
  readonly #root: string;
  /** From the root on, with a slash at its end; empty: the root itself. */
  readonly #prefix: string;
  /** What of the folder counts, as git's pathspecs have it. */
  #specs: readonly string[];

  private constructor(root: string, prefix: string, patterns: readonly string[]) {
    this.#root = root;
    this.#prefix = prefix;
    this.#specs = patterns.map((pattern) => `:(glob)${prefix}${pattern}`);
  }

  /**
   * `patterns`: the files that count, such as `*.json`. Undefined where the folder is no repository, nor a part of one
   * with files that it tracks: what merely lies inside somebody's repository is not committed to it. Rejects with HilumError `git-failed` (permanent) where there is a repository that git cannot be used on.
   */
  static async open(folder: string, patterns: readonly string[]): Promise<GitFolder | undefined> {
    const where = await git(folder, ['rev-parse', '--show-toplevel', '--show-prefix']).catch(
      (error: unknown) => {
        if (isNoRepository(error)) return undefined;
        throw toFailure(error);
      },
    );
    if (where === undefined) return undefined;
    const [root = '', prefix = ''] = where.split('\n');
    const tracked = prefix === '' || (await git(root, ['ls-files', '--', prefix])) !== '';
    return tracked ? new GitFolder(root, prefix, patterns) : undefined;
  }

  /** Whether both lie in one repository. */
  isBeside(other: GitFolder): boolean {
    return this.#root === other.#root;
  }

  /** The files of both, to be committed, listed and compared as one; both lie in one repository. {@link read} reads this one's. */
  with(other: GitFolder): GitFolder {
    const both = new GitFolder(this.#root, this.#prefix, []);
    both.#specs = [...this.#specs, ...other.#specs];
    return both;
  }

  /**
   * Commits what has changed of the files that count, and nothing else, whatever is staged. Resolves with the revision,
   * undefined where nothing has changed. Rejects with HilumError `git-failed` (permanent).
   */
  async commit({ message, by }: { readonly message: string; readonly by: string }) {
    const changed = await this.#findChanged();
    if (changed.length === 0) return undefined;
    // What could end the field is no part of a name.
    const author = `${by.replace(/[<>\n\r]/g, ' ').trim() || 'unknown'} <hilum@localhost>`;
    await this.#git(['add', '--all', '--', ...changed]);
    const commit = ['commit', '--quiet', '--no-verify', '--author', author, '--message', message];
    await this.#git([...commit, '--only', '--', ...changed]);
    return (await this.#git(['rev-parse', 'HEAD'])).trim();
  }

  /** The commits that changed one of the files, the newest first. */
  async log(limit: number): Promise<readonly Commit[]> {
    if ((await this.findRevision('HEAD')) === undefined) return [];
    const format = '--format=%H%x00%aI%x00%an%x00%s';
    const text = await this.#git(['log', `--max-count=${limit}`, format, '--', ...this.#specs]);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [revision = '', at = '', by = '', subject = ''] = line.split('\0');
        return { revision, at: new Date(at).toISOString(), by, subject };
      });
  }

  /** The full hash of what somebody calls a revision; undefined where there is none of that name. */
  async findRevision(name: string): Promise<string | undefined> {
    const asked = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
    const found = await git(this.#root, asked).catch((error: unknown) => {
      if ((error as { code?: unknown }).code === 1) return '';
      throw toFailure(error);
    });
    return found.trim() || undefined;
  }

  /** The files as they were at a revision, by their path inside the folder. */
  async read(revision: string): Promise<ReadonlyMap<string, string>> {
    // `ls-tree` knows no patterns: what it finds is asked for by those that do.
    const names = await this.#git(['ls-tree', '-r', '-z', '--name-only', revision]);
    const inside = names
      .split('\0')
      .filter((name) => name !== '' && name.startsWith(this.#prefix))
      .map((name) => name.slice(this.#prefix.length))
      .filter((name) =>
        this.#specs.some((spec) =>
          path.matchesGlob(this.#prefix + name, spec.slice(':(glob)'.length)),
        ),
      );
    const files = new Map<string, string>();
    for (const name of inside) {
      files.set(name, await this.#git(['show', `${revision}:${this.#prefix}${name}`]));
    }
    return files;
  }

  /** What a revision has changed in the files, as git shows it; without one, what has changed since the last commit. */
  async diff(revision?: string): Promise<string> {
    const shown = ['--no-color', '--no-ext-diff'];
    if (revision !== undefined) {
      return this.#git(['show', ...shown, '--format=', revision, '--', ...this.#specs]);
    }
    // In an index of its own, what git does not know yet is shown as well, and what somebody has staged stays.
    const folder = await mkdtemp(path.join(tmpdir(), 'hilum-index-'));
    const index = { GIT_INDEX_FILE: path.join(folder, 'index') };
    try {
      const hasCommits = (await this.findRevision('HEAD')) !== undefined;
      if (hasCommits) await this.#git(['read-tree', 'HEAD'], index);
      const changed = await this.#findChanged(index);
      if (changed.length === 0) return '';
      await this.#git(['add', '--all', '--', ...changed], index);
      return await this.#git(['diff', '--cached', ...shown, '--', ...this.#specs], index);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** What is different between two revisions, as git shows it. */
  async compare(before: string, after: string): Promise<string> {
    const shown = ['--no-color', '--no-ext-diff'];
    return this.#git(['diff', ...shown, before, after, '--', ...this.#specs]);
  }

  /** Those of the files that are not as they were committed, each as a pathspec. */
  async #findChanged(env?: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const status = ['status', '--porcelain=v1', '-z', '--no-renames', '--untracked-files=all'];
    return (await this.#git([...status, '--', ...this.#specs], env))
      .split('\0')
      .filter((entry) => entry !== '')
      .map((entry) => `:(literal)${entry.slice('XY '.length)}`);
  }

  async #git(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string> {
    try {
      return await git(this.#root, args, env);
    } catch (error) {
      throw toFailure(error);
    }
  }
}

async function git(
  folder: string,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await run('git', ['-C', folder, ...args], {
    timeout: timeoutMs,
    maxBuffer: maxOutputBytes,
    env: {
      // Nothing of what else this process was given: its secrets are no business of git's.
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      LC_ALL: 'C',
      GIT_TERMINAL_PROMPT: '0',
      GIT_COMMITTER_NAME: 'Hilum',
      GIT_COMMITTER_EMAIL: 'hilum@localhost',
      ...more,
    },
  });
  return stdout;
}

function isNoRepository(error: unknown): boolean {
  const { code, stderr } = error as { code?: unknown; stderr?: string };
  return code === 'ENOENT' || (stderr ?? '').includes('not a git repository');
}

function toFailure(error: unknown): Error {
  const { stderr, message } = error as { stderr?: string; message?: string };
  const words = (stderr ?? '').trim() || (message ?? '');
  return buildError('permanent', 'git-failed', `git could not do it: ${words}`, error);
}
