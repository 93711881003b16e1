import { compileFlows } from '../../../runtime/deploy/definitions.ts';
import { readSettings } from '../../../runtime/settings.ts';

const minuteMs = 60_000;

describe('the limits of all interfaces', () => {
  it('are a thousand that wait, a quarter of an hour, and one dead letter', () => {
    expect(read({}).settings?.alarm).toEqual({
      address: undefined,
      everyMs: 10_000,
      limits: { backlog: 1_000, oldest: 15 * minuteMs, dead: 1 },
    });
  });

  it('come from the environment, each can be off', () => {
    const env = {
      HILUM_ALARM_BACKLOG: '50',
      HILUM_ALARM_OLDEST: 'off',
      HILUM_ALARM_SILENCE: '2h',
      HILUM_ALARM_DEAD: '',
    };
    expect(read(env).settings?.alarm.limits).toEqual({
      backlog: 50,
      silence: 120 * minuteMs,
      dead: 1,
    });
  });

  it.each([
    [{ HILUM_ALARM_BACKLOG: '0' }, 'HILUM_ALARM_BACKLOG: expected a number from 1, or off'],
    [{ HILUM_ALARM_DEAD: '1.5' }, 'HILUM_ALARM_DEAD: expected a number from 1, or off'],
    [{ HILUM_ALARM_OLDEST: '15' }, 'HILUM_ALARM_OLDEST: expected a duration such as 90s'],
    [{ HILUM_ALARM_EVERY: '0s' }, 'HILUM_ALARM_EVERY: expected a duration from 1s'],
    [{ HILUM_ALARM_URL: 'ftp://h/key' }, 'HILUM_ALARM_URL: expected http://… or https://…'],
    [{ HILUM_ALARM_URL: 'https://a:b@h/' }, 'HILUM_ALARM_URL: expected http://… or https://…'],
  ])('refuses %j in words', (env, words) => {
    const { problems } = read(env);
    expect(problems).toEqual([expect.stringContaining(words)]);
    expect(problems.join()).not.toMatch(/ftp|a:b/);
  });

  it('keep address and token from the flows', () => {
    const env = { HILUM_ALARM_URL: 'https://hooks.example/key', HILUM_ALARM_TOKEN: 'key' };
    const { settings } = read(env);
    expect(settings?.alarm.address).toEqual({ url: 'https://hooks.example/key', token: 'key' });
    expect(Object.values(settings?.environment ?? {}).join()).not.toContain('key');
  });

  it('refuses a token that is given twice', () => {
    const env = {
      HILUM_ALARM_URL: 'https://h/',
      HILUM_ALARM_TOKEN: 'a',
      HILUM_ALARM_TOKEN_FILE: 'b',
    };
    expect(read(env).problems).toEqual([expect.stringContaining('found both')]);
  });
});

describe('the limits of one interface', () => {
  const limits = { backlog: 1_000, dead: 1 };
  const compile = (env: readonly object[]) =>
    compileFlows([{ id: 'lab', type: 'tab', env }], {
      bind: '127.0.0.1',
      environment: {},
      alarmLimits: limits,
    });

  it('stand in the environment of its tab, over those of all', () => {
    const { alarmLimits, issues } = compile([
      { name: 'HILUM_ALARM_BACKLOG', type: 'num', value: '20' },
      { name: 'HILUM_ALARM_SILENCE', type: 'str', value: '30m' },
      { name: 'HILUM_ALARM_DEAD', type: 'str', value: 'off' },
    ]);
    expect(issues).toEqual([]);
    expect(alarmLimits.get('lab')).toEqual({ backlog: 20, silence: 30 * minuteMs });
  });

  it('that are none refuse the deploy, at the tab', () => {
    const { issues } = compile([{ name: 'HILUM_ALARM_OLDEST', type: 'str', value: 'soon' }]);
    expect(issues).toMatchObject([
      { code: 'alarm-limit-invalid', severity: 'error', location: 'lab' },
    ]);
  });
});

function read(env: Readonly<Record<string, string>>) {
  const result = readSettings(env);
  return {
    settings: result.ok ? result.settings : undefined,
    problems: result.ok ? [] : result.problems,
  };
}
