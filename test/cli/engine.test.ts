import { existsSync } from 'node:fs';
import path from 'node:path';
import { runCli } from '../support/hilum.ts';
import { makeTempFolder } from '../support/temp.ts';

describe('commands that need the engine, without one', () => {
  const dataDirectory = path.join(makeTempFolder('cli'), 'nothing');
  const env = { ...process.env, HILUM_DATA: dataDirectory };

  it.each([
    ['queues', []],
    ['trace', ['SOMEID']],
    ['replay', ['SOMEID']],
  ])('%s says that none runs there and how to start it', async (command, args) => {
    const { code, stdout, stderr } = await runCli([command, ...args], env);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /^hilum: Hilum is not running on this data folder .*npm start.*HILUM_DATA/,
    );
    expect(existsSync(dataDirectory)).toBe(false);
  });

  it('start refuses settings that cannot be, each in a line, before anything is made', async () => {
    const wrong = { ...env, HILUM_PORT: 'abc', HILUM_DEMO: 'maybe' };
    const { code, stdout, stderr } = await runCli(['start'], wrong);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.trim().split('\n')).toEqual([
      'hilum: HILUM_PORT: expected a port from 1 to 65535, found "abc".',
      'hilum: HILUM_DEMO: expected on or off, found "maybe".',
    ]);
    expect(existsSync(dataDirectory)).toBe(false);
  });

  it.each([[['nonsense']], [['trace']], [['queues', '--what']]])(
    'usage errors of %j exit with 2 and say so on standard error only',
    async (args) => {
      const { code, stdout, stderr } = await runCli(args, env);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain('error:');
    },
  );

  it.each([[['--help']], [['trace', '--help']]])(
    '%j prints help and exits with 0',
    async (args) => {
      const { code, stdout } = await runCli(args, env);
      expect([code, stdout]).toEqual([0, expect.stringContaining('Usage: hilum')]);
    },
  );
});
