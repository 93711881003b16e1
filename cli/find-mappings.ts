import { existsSync } from 'node:fs';
import path from 'node:path';

/** The package's folder `mappings`, from wherever below the package a file was built to. */
export function findMappings(from: string): string {
  const candidate = path.join(from, 'mappings');
  const parent = path.dirname(from);
  if (existsSync(path.join(candidate, 'message')) || parent === from) return candidate;
  return findMappings(parent);
}
