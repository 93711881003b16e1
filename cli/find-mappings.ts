import { existsSync } from 'node:fs';
import path from 'node:path';

/**
 * The folder of mapping files that commands use: `HILUM_MAPPINGS`, else the package's folder `mappings`, from wherever
 * below the package a file was built to.
 */
export function findMappings(from: string): string {
  return process.env['HILUM_MAPPINGS'] || findShipped(from);
}

function findShipped(from: string): string {
  const candidate = path.join(from, 'mappings');
  const parent = path.dirname(from);
  if (existsSync(path.join(candidate, 'message')) || parent === from) return candidate;
  return findShipped(parent);
}

/** For an option that may be repeated. */
export const collect = (value: string, before: readonly string[]): readonly string[] => [
  ...before,
  value,
];
