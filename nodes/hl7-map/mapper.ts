import { existsSync } from 'node:fs';
import path from 'node:path';
import { openMapper } from '../../connectors/file/mapping-files.ts';
import type { Mapper } from '../../core/mapping/mapper.ts';

/**
 * The mapper of the mappings that are shipped with Hilum, compiled once for all nodes of the process.
 * Throws a permanent HilumError with everything that is wrong with them.
 */
export function openShippedMapper(): Mapper {
  return openMapper(findMappings(import.meta.dirname));
}

/** The package's folder `mappings`, from wherever below the package this file was built to. */
function findMappings(from: string): string {
  const candidate = path.join(from, 'mappings');
  const parent = path.dirname(from);
  if (existsSync(path.join(candidate, 'message')) || parent === from) return candidate;
  return findMappings(parent);
}
