import { pino } from 'pino';
import type { Logger } from '../core/ports/logger.ts';
import type { Settings } from './settings.ts';

/**
 * A logger of JSON lines on standard output, every line with its role and process id. Normal operation
 * writes next to nothing; a line holds ids and locations, never a payload.
 */
export function openLogger(settings: Pick<Settings, 'logLevel'>, role: string): Logger {
  return pino({
    level: settings.logLevel,
    base: { role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
