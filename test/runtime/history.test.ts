import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { FlowNode } from '../../core/interface.ts';
import { describeChanges } from '../../runtime/deploy/describe-changes.ts';
import { openHistory } from '../../runtime/deploy/history.ts';
import { shippedProfiles } from '../../runtime/settings.ts';
import { writeDeployed } from '../support/flow-files.ts';
import { describeWith } from '../support/programs.ts';
import { makeTempFolder } from '../support/temp.ts';

const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
function ignore(): void {
  // What is logged is no matter here.
}

const tab = (id: string): FlowNode => ({ id, type: 'tab', label: `Flow ${id}` });
const node = (id: string, z: string, func: string): FlowNode => ({ id, type: 'function', z, func });

function openIn(flowsDirectory: string) {
  const folders = { flowsDirectory, mappingsDirectory: flowsDirectory };
  return openHistory({ ...folders, profilesDirectory: shippedProfiles, logger });
}

const git = (folder: string, ...args: readonly string[]): string =>
  execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8' });

describeWith('git', 'deploys into a git repository', () => {
  const first = [tab('a'), node('n', 'a', 'return msg;')];
  const second = [tab('a'), node('n', 'a', 'return [msg];'), tab('b')];
  const folder = makeTempFolder('history');
  const history = openIn(folder);

  beforeAll(async () => {
    git(folder, 'init', '--quiet');
    writeFileSync(path.join(folder, 'notes.txt'), 'of the site');
    await writeDeployed(folder, first);
    await history.record({ by: 'Ada <x> Admin', message: describeChanges([], first) });
    await writeDeployed(folder, second);
    await history.record({ by: 'grace', message: describeChanges(first, second) });
  });

  it('are commits that say who changed what, and touch no other file', async () => {
    const commits = await history.list(10);
    expect(commits.map(({ by, subject }) => [by, subject])).toEqual([
      ['grace', 'Deploy: Flow b, Flow a'],
      ['Ada  x  Admin', 'Deploy: Flow a'],
    ]);
    expect(git(folder, 'status', '--porcelain')).toBe('?? notes.txt\n');
    expect(git(folder, 'log', '-1', '--format=%b')).toContain('- Flow a: changed');
  });

  it('can be looked at and read again', async () => {
    const [newest, oldest] = await history.list(10);
    expect(await history.read(oldest?.revision ?? '')).toEqual({
      revision: oldest?.revision,
      flows: first,
      earlier: {},
    });
    expect((await history.read('HEAD')).flows).toEqual(second);
    expect(await history.diff(newest?.revision)).toMatch(/-.*return msg;.*\n\+.*return \[msg\];/);
    expect(await history.diff()).toBe('');
    await writeDeployed(folder, first);
    expect(await history.diff()).toMatch(/^\+.*return msg;/m);
  });

  it('that nobody knows are refused, options for git among them', async () => {
    for (const name of ['no-such', '--output=/tmp/x', '']) {
      await expect(history.read(name)).rejects.toThrow(/revision-unknown/);
    }
  });
});

describeWith('git', 'a folder that merely lies inside a repository', () => {
  it('is not committed to it', async () => {
    const outer = makeTempFolder('history');
    git(outer, 'init', '--quiet');
    const flows = path.join(outer, 'data', 'flows');
    await writeDeployed(flows, [tab('a')]);
    const history = openIn(flows);
    await history.record({ by: 'ada', message: 'Deploy' });
    await expect(history.list(1)).rejects.toThrow(/no-history/);
    expect(readdirSync(outer)).toEqual(['.git', 'data']);
    git(outer, 'add', '.');
    await history.record({ by: 'ada', message: 'Deploy' });
    expect(await history.list(1)).toMatchObject([{ by: 'ada' }]);
  });
});

it('what is new is shown before the first commit and after it, and nothing is staged for that', async () => {
  const folder = makeTempFolder('history');
  git(folder, 'init', '--quiet');
  const history = openIn(folder);
  await writeDeployed(folder, [tab('a')]);
  expect(await history.diff()).toMatch(/^\+.*Flow a/m);
  await history.record({ by: 'ada', message: 'Deploy' });
  await writeDeployed(folder, [tab('a'), tab('b')]);
  const status = git(folder, 'status', '--porcelain');
  expect(status).toContain('??');
  expect(await history.diff()).toMatch(/^\+.*Flow b/m);
  expect(git(folder, 'status', '--porcelain')).toBe(status);
});

describeWith('git', 'mappings and profiles of a site', () => {
  const write = (folder: string, name: string, text: string): void => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, name), text);
  };
  const layouts = { 'the flows’ repository': '', 'repositories of their own': 'apart' };

  it.each(Object.entries(layouts))('in %s are read with the flows', async (_where, apart) => {
    const root = makeTempFolder('site');
    const folders = {
      flowsDirectory: path.join(root, 'flows'),
      mappingsDirectory: path.join(root, apart, 'mappings'),
      profilesDirectory: path.join(root, apart, 'profiles'),
    };
    const history = openHistory({ ...folders, logger });
    const edit = async (version: string): Promise<void> => {
      await writeDeployed(folders.flowsDirectory, [tab('a'), node('n', 'a', 'return msg;')]);
      write(folders.mappingsDirectory, 'pid.map.yaml', `# ${version}`);
      write(folders.mappingsDirectory, 'notes.yaml', 'of nobody');
      write(folders.profilesDirectory, 'acme.yaml', `# ${version}`);
    };
    await edit('first');
    const repositories =
      apart === ''
        ? [root]
        : [folders.flowsDirectory, folders.mappingsDirectory, folders.profilesDirectory];
    for (const each of repositories) {
      git(each, 'init', '--quiet');
      git(each, 'add', '.');
    }
    await history.record({ by: 'ada', message: 'First' });
    await edit('second');
    await history.record({ by: 'grace', message: 'Second' });
    const [newest, oldest] = await history.list(10);
    expect((await history.list(10)).map(({ subject }) => subject)).toEqual(['Second', 'First']);
    expect((await history.read(oldest?.revision ?? '')).earlier).toEqual({
      mappings: [{ path: 'pid.map.yaml', text: '# first' }],
      profileFiles: new Map([['acme.yaml', '# first']]),
    });
    const changed = await history.diff(newest?.revision);
    expect(changed.match(/^\+# second/gm)).toHaveLength(2);
    await edit('third');
    expect((await history.diff()).match(/^\+# third/gm)).toHaveLength(2);
    await history.keepEdits('ada');
    expect(await history.diff()).toBe('');
    expect((await history.read('HEAD')).earlier.profileFiles?.get('acme.yaml')).toBe('# third');
  });
});
