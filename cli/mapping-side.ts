import { existsSync, statSync } from 'node:fs';
import { isMapping, readMappingFilesSync } from '../connectors/file/mapping-files.ts';
import { GitFolder } from '../connectors/git/repository.ts';
import { HilumError } from '../core/errors.ts';
import { type Issue, isValid } from '../core/issue.ts';
import type { MappingSide } from '../core/mapping/diff/rules.ts';
import { findNames } from '../core/mapping/mappings.ts';
import { shippedMappings } from '../runtime/settings.ts';

const patterns = ['map.yaml', 'map.yml', 'map.json', 'conceptmap.json', 'csv'].map(
  (ending) => `**/*.${ending}`,
);

/**
 * A state of the mappings as somebody names it: `base`, the folder without layers; a layer of it, or several joined by
 * `+`; `shipped`, those that come with Hilum; another folder; else a revision of the folder's git repository. Rejects
 * with HilumError `mapping-side-unknown` (permanent) where it is none of them.
 */
export async function readSide(
  name: string,
  { mappings, layers }: { readonly mappings: string; readonly layers: readonly string[] },
): Promise<MappingSide> {
  const files = readMappingFilesSync(mappings);
  if (name === 'base') return { files, layers };
  const issues: Issue[] = [];
  const known = findNames(files, issues).layers;
  if (!isValid(issues)) throw new HilumError('permanent', issues);
  const own = name.split('+');
  if (own.every((layer) => known.includes(layer))) return { files, layers: [...layers, ...own] };
  if (name === 'shipped') return { files: readMappingFilesSync(shippedMappings), layers };
  if (existsSync(name) && statSync(name).isDirectory()) {
    return { files: readMappingFilesSync(name), layers };
  }
  const folder = await GitFolder.open(mappings, patterns);
  const revision = await folder?.findRevision(name);
  if (folder !== undefined && revision !== undefined) {
    const texts = [...(await folder.read(revision))].filter(([path]) => isMapping(path));
    return { files: texts.map(([path, text]) => ({ path, text })), layers };
  }
  const layersText = known.join(', ') || 'it has none';
  const repository = folder === undefined ? ', which is in no git repository' : '';
  throw new HilumError('permanent', [
    {
      code: 'mapping-side-unknown',
      severity: 'error',
      location: name,
      message: `Expected base, shipped, a layer (${layersText}), a folder, or a revision of ${mappings}${repository}; found none of that name`,
    },
  ]);
}
