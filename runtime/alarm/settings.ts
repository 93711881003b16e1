import type { WebhookAddress } from '../../connectors/webhook/webhook.ts';
import { parseDurationMs } from '../duration.ts';
import { readAlarmLimits, type AlarmLimits } from './limits.ts';

/** What Hilum is told of alarms from outside. */
export interface AlarmSettings {
  /** Absent: the log, the API and the metrics alone tell. */
  readonly address: WebhookAddress | undefined;
  /** Of interfaces that set none themselves. */
  readonly limits: AlarmLimits;
  readonly everyMs: number;
}

const usualEveryMs = 10_000;

/**
 * Reads `HILUM_ALARM_URL`, `HILUM_ALARM_TOKEN` or `HILUM_ALARM_TOKEN_FILE`, `HILUM_ALARM_EVERY` and the limits
 * `HILUM_ALARM_BACKLOG`, `HILUM_ALARM_OLDEST`, `HILUM_ALARM_SILENCE` and `HILUM_ALARM_DEAD`.
 */
export function readAlarmSettings(env: Readonly<NodeJS.ProcessEnv>): {
  readonly settings: AlarmSettings;
  readonly problems: readonly string[];
} {
  const { limits, problems } = readAlarmLimits((name) => env[name]);
  const address = readAddress(env);
  const every = env['HILUM_ALARM_EVERY'] || '10s';
  const everyMs = parseDurationMs(every);
  return {
    settings: { address: address.address, limits, everyMs: everyMs ?? usualEveryMs },
    problems: [
      ...problems,
      ...address.problems,
      ...(everyMs === undefined || everyMs < 1_000
        ? [`HILUM_ALARM_EVERY: expected a duration from 1s, found "${every}".`]
        : []),
    ],
  };
}

function readAddress(env: Readonly<NodeJS.ProcessEnv>): {
  readonly address: WebhookAddress | undefined;
  readonly problems: readonly string[];
} {
  const url = env['HILUM_ALARM_URL'] || undefined;
  const token = env['HILUM_ALARM_TOKEN'] || undefined;
  const tokenFile = env['HILUM_ALARM_TOKEN_FILE'] || undefined;
  if (url === undefined) return { address: undefined, problems: [] };
  const problems: string[] = [];
  const { protocol = '', username = '' } = URL.parse(url) ?? {};
  if (!/^https?:$/.test(protocol) || username !== '') {
    // It may hold a secret: what was found is not repeated.
    problems.push(
      'HILUM_ALARM_URL: expected http://… or https://… without a user (a token is set apart), found something else.',
    );
  }
  if (token !== undefined && tokenFile !== undefined) {
    problems.push('HILUM_ALARM_TOKEN: expected either it or HILUM_ALARM_TOKEN_FILE, found both.');
  }
  return {
    address: {
      url,
      ...(token === undefined ? {} : { token }),
      ...(tokenFile === undefined ? {} : { tokenFile }),
    },
    problems,
  };
}
