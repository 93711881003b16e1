import { existsSync } from 'node:fs';
import path from 'node:path';
import type { NodeAPI } from 'node-red';
import { openMappings } from '../../connectors/file/mapping-files.ts';
import type { Mappings } from '../../core/mapping/mappings.ts';
import { findFlowRuntime } from './node.ts';

/** Those that a node in a flow works by: as they were deployed, or in a stock Node-RED those that are shipped. */
export function findMappings(RED: NodeAPI): Mappings {
  return findFlowRuntime(RED)?.mappings ?? openShippedMappings();
}

/** The mappings that are shipped with Hilum, shared by all nodes of the process. */
export function openShippedMappings(): Mappings {
  return openMappings(findFolder(import.meta.dirname));
}

/** The package's folder `mappings`, from wherever below the package this file was built to. */
function findFolder(from: string): string {
  const candidate = path.join(from, 'mappings');
  const parent = path.dirname(from);
  if (existsSync(path.join(candidate, 'message')) || parent === from) return candidate;
  return findFolder(parent);
}
