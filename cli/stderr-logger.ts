import type { Logger } from '../core/ports/logger.ts';

/** Closed and broken connections with their reasons; the rest would only be noise on a command line. */
export const stderrLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (fields, message) => complain(`${message} ${JSON.stringify(fields)}`),
  error: (fields, message) => complain(`${message} ${JSON.stringify(fields)}`),
};

export function complain(line: string): void {
  process.stderr.write(`hilum: ${line}\n`);
}
