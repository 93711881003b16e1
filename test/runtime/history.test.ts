import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { FlowNode } from '../../core/interface.ts';
import { openHistory } from '../../runtime/deploy/history.ts';
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
  return openHistory({ flowsDirectory, mappingsDirectory: flowsDirectory, logger });
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
    await history.record({ by: 'Ada <x> Admin', before: [], after: first });
    await writeDeployed(folder, second);
    await history.record({ by: 'grace', before: first, after: second });
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
    await history.record({ by: 'ada', before: [], after: [tab('a')] });
    await expect(history.list(1)).rejects.toThrow(/no-history/);
    expect(readdirSync(outer)).toEqual(['.git', 'data']);
    git(outer, 'add', '.');
    await history.record({ by: 'ada', before: [], after: [tab('a')] });
    expect(await history.list(1)).toMatchObject([{ by: 'ada' }]);
  });
});
