import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { smallMessage, writeMappings } from '../support/small-mappings.ts';
import { makeTempFolder } from '../support/temp.ts';
import { startCommand, type Finished } from './process.ts';

const folder = makeTempFolder('mapping-diff');
const run = (...args: string[]): Promise<Finished> =>
  startCommand(['mapping', 'diff', ...args, '--mappings', folder]).finished;
const git = (...args: string[]) =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=T', '-c', 'user.email=t@t', ...args]);

beforeAll(() => writeMappings(folder, ['messages/one.hl7', smallMessage]));

describe('hilum mapping diff', () => {
  test('shows rules, codes and elements that a layer makes otherwise, and exits 1', async () => {
    const { code, stdout } = await run('base', 'acme', '--messages', path.join(folder, 'messages'));
    expect(code).toBe(1);
    expect(stdout).toMatch(/^- PID\.Patient#PID-7\.birth-date \{/);
    expect(stdout).toContain('one.hl7: message 1\n  - Patient[0].birthDate "1980-01-02"\n');
    expect(stdout).toMatch(/\n1 of 1 messages become something else\n$/);
  });

  test('compares with a revision of the folder, and exits 0 where nothing differs', async () => {
    git('init', '--quiet');
    git('add', '.');
    git('commit', '--quiet', '--message', 'as it was');
    expect(await run('HEAD', 'base')).toEqual({
      code: 0,
      stdout: 'No rule or code differs.\n',
      stderr: '',
    });
    const table = path.join(folder, 'tables', 'sex.csv');
    writeFileSync(table, readFileSync(table, 'utf8').replace('F,female', 'F,unknown'));
    const { code, stdout } = await run('HEAD', 'base', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      rules: [{ id: 'sex#F', before: { code: 'female' }, after: { code: 'unknown' } }],
      messages: [],
    });
  });

  test('exits 2 for a name that is nothing, and for messages that are not there', async () => {
    const unknown = await run('base', 'nobody');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('nobody: Expected base, shipped, a layer (acme)');
    const { code, stderr } = await run('base', 'acme', '--messages', path.join(folder, 'none'));
    expect([code, stderr]).toEqual([2, expect.stringContaining('none: cannot be processed')]);
  });
});
