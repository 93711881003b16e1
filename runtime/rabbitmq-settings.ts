import type { RabbitAccess } from '../connectors/rabbitmq/addresses.ts';
import { findAccessProblems, parseUrls } from '../connectors/rabbitmq/addresses.ts';

/** How RabbitMQ is reached beyond its URL, and where its counters are read. */
export interface RabbitSettings {
  readonly access: RabbitAccess;
  readonly metricsUrls: readonly string[];
}

const names = {
  ca: 'RABBITMQ_CA',
  certificate: 'RABBITMQ_CERT',
  key: 'RABBITMQ_KEY',
  serverName: 'RABBITMQ_SERVERNAME',
  passwordFile: 'RABBITMQ_PASSWORD_FILE',
} as const;

/** What of RabbitMQ's settings is not for flows: one may hold passwords, the others lead to them. */
export const rabbitSecrets: readonly string[] = [
  'RABBITMQ_URL',
  'RABBITMQ_METRICS_URL',
  names.key,
  names.passwordFile,
];

/**
 * Reads `RABBITMQ_URL` (the hosts of one cluster with commas in between) and what belongs to it: `RABBITMQ_CA`,
 * `RABBITMQ_CERT`, `RABBITMQ_KEY`, `RABBITMQ_SERVERNAME`, `RABBITMQ_PASSWORD_FILE`, `RABBITMQ_METRICS_URL` (commas
 * too). Undefined without a URL. What is wrong is added to `problems`, a line each.
 */
export function readRabbitSettings(
  env: Readonly<NodeJS.ProcessEnv>,
  problems: string[],
): (RabbitSettings & { readonly url: string }) | undefined {
  const url = env['RABBITMQ_URL'] || undefined;
  if (url === undefined) return undefined;
  if (!isUrlList(url)) {
    problems.push('RABBITMQ_URL: expected amqp://host or amqps://host, found something else.');
    return undefined;
  }
  const access: RabbitAccess = {
    ca: env[names.ca] || undefined,
    certificate: env[names.certificate] || undefined,
    key: env[names.key] || undefined,
    serverName: env[names.serverName] || undefined,
    passwordFile: env[names.passwordFile] || undefined,
  };
  problems.push(...findAccessProblems(access, names));
  const metricsUrls = (env['RABBITMQ_METRICS_URL'] ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  if (!metricsUrls.every((each) => /^https?:\/\/./.test(each) && URL.canParse(each))) {
    problems.push('RABBITMQ_METRICS_URL: expected http://host:15692, found something else.');
  }
  return { url, access, metricsUrls };
}

function isUrlList(list: string): boolean {
  try {
    return parseUrls(list).every(({ hostname }) => hostname !== '');
  } catch {
    return false;
  }
}
