import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { FlowNode } from '../../core/interface.ts';
import type { MappingFile } from '../../core/mapping/mapper.ts';

/** The mappings as they were at one moment, in a folder that nobody edits. */
export interface MappingVersion {
  readonly directory: string;
  /** The same for the same files. */
  readonly hash: string;
}

/** The nodes that map by what is in the folder of the mappings. */
const mappingNodes: ReadonlySet<string> = new Set(['code translate', 'fhir map', 'hl7 map']);

export function usesMappings(flows: readonly FlowNode[]): boolean {
  return flows.some(({ type }) => mappingNodes.has(type));
}

/**
 * Writes the mapping files into a folder of their version below `versions`: a worker that starts again gets the ones
 * that were deployed, not what somebody is editing.
 */
export async function keepMappings(
  files: readonly MappingFile[],
  versions: string,
): Promise<MappingVersion> {
  const digest = createHash('sha256');
  for (const file of files) digest.update(JSON.stringify([file.path, file.text]));
  const hash = digest.digest('hex').slice(0, 16);
  const kept = path.join(versions, hash);
  if (await isThere(kept)) return { directory: kept, hash };
  const making = path.join(versions, `${hash}.${randomUUID()}`);
  await mkdir(making, { recursive: true, mode: 0o700 });
  for (const file of files) {
    const target = path.join(making, file.path);
    await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
    await writeFile(target, file.text, { mode: 0o600 });
  }
  await rename(making, kept);
  return { directory: kept, hash };
}

/** Removes all versions but this one. */
export async function forgetMappings(versions: string, { hash }: MappingVersion): Promise<void> {
  for (const name of await readdir(versions)) {
    if (name !== hash) await rm(path.join(versions, name), { recursive: true, force: true });
  }
}

async function isThere(folder: string): Promise<boolean> {
  try {
    return (await stat(folder)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
