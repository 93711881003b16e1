import { parseAddress, type LedgerAddress } from '../connectors/postgres/address.ts';

/**
 * Reads `HILUM_LEDGER_URL` (`postgres://…`, see {@link parseAddress}). Undefined without it. What is wrong is added to
 * `problems`, a line each, and never the URL: it holds a password.
 */
export function readLedgerAddress(
  env: Readonly<NodeJS.ProcessEnv>,
  problems: string[],
): LedgerAddress | undefined {
  const url = env['HILUM_LEDGER_URL'] || undefined;
  if (url === undefined) return undefined;
  const parsed = parseAddress(url);
  if (!parsed.ok) {
    problems.push(...parsed.problems.map((problem) => `HILUM_LEDGER_URL: ${problem}.`));
  }
  if (!env['RABBITMQ_URL']) {
    problems.push(
      'HILUM_LEDGER_URL: expected RABBITMQ_URL beside it: the embedded broker is of one piece with its own ledger.',
    );
  }
  const size = env['HILUM_RETENTION_MAX_SIZE'] || 'off';
  if (size !== 'off') {
    problems.push(
      'HILUM_RETENTION_MAX_SIZE: expected off with HILUM_LEDGER_URL: it is about the size of the data file.',
    );
  }
  return parsed.ok ? parsed.address : undefined;
}
