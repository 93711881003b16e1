import { InvalidArgumentError } from 'commander';
import { isTimeZone } from '../core/time-zone.ts';

/** The value of `--zone`, refused where it is none. */
export function parseZone(text: string): string {
  if (isTimeZone(text)) return text;
  throw new InvalidArgumentError('Expected a zone such as +01:00 or Europe/Berlin.');
}
