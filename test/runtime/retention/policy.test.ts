import { compileFlows } from '../../../runtime/deploy/definitions.ts';
import { readRetentionSettings } from '../../../runtime/retention/policy.ts';

it('keeps messages for 90 days and dead letters for a year where nobody says otherwise', () => {
  expect(readRetentionSettings({}).settings).toMatchObject({ policy: { days: 90, deadDays: 365 } });
});

it.each([
  [{ HILUM_RETENTION_DAYS: '7' }, { days: 7, deadDays: 365 }],
  [{ HILUM_RETENTION_DAYS: 'off', HILUM_RETENTION_DEAD_DAYS: 'off' }, {}],
])('reads %j', (env, policy) => {
  expect(readRetentionSettings(env)).toMatchObject({ settings: { policy }, problems: [] });
});

it.each([
  [{ HILUM_RETENTION_DAYS: '0' }, 'HILUM_RETENTION_DAYS: expected days from 1, or off'],
  [{ HILUM_RETENTION_DAYS: '1.5' }, 'HILUM_RETENTION_DAYS: expected days from 1, or off'],
  [{ HILUM_RETENTION_DEAD_DAYS: '10' }, 'expected no fewer days than HILUM_RETENTION_DAYS'],
  [{ HILUM_RETENTION_DAYS: 'off', HILUM_RETENTION_DEAD_DAYS: '10' }, 'expected no fewer days'],
  [{ HILUM_RETENTION_MAX_SIZE: '20' }, 'HILUM_RETENTION_MAX_SIZE: expected a size'],
  [{ HILUM_RETENTION_MAX_SIZE: '0GB' }, 'HILUM_RETENTION_MAX_SIZE: expected a size'],
])('refuses %j in words', (env, words) => {
  expect(readRetentionSettings(env).problems).toEqual([expect.stringContaining(words)]);
});

it('reads a greatest size', () => {
  const { settings } = readRetentionSettings({ HILUM_RETENTION_MAX_SIZE: '20GB' });
  expect(settings.maxFileBytes).toBe(20 * 1024 ** 3);
});

it('lets a tab say how long its messages are kept, and refuses what is no number of days', () => {
  const compile = (value: string) =>
    compileFlows(
      [
        { id: 'lab', type: 'tab', env: [{ name: 'HILUM_RETENTION_DAYS', type: 'str', value }] },
        { id: 'other', type: 'tab' },
      ],
      { bind: '127.0.0.1', environment: {}, retention: { days: 90, deadDays: 365 } },
    );
  expect([...compile('30').retention]).toEqual([['lab', { days: 30, deadDays: 365 }]]);
  expect(compile('soon').issues).toMatchObject([{ code: 'retention-invalid', location: 'lab' }]);
});
