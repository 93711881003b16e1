import { readFileSync, readdirSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { HilumError, buildError } from '../../core/errors.ts';
import type { FileChanges } from './file-set.ts';
import type { CompileEachResult } from '../../core/mapping/compile-each.ts';
import { type FhirMapper, compileFhirMaps } from '../../core/mapping/fhir-map.ts';
import { type Mapper, type MappingFile, compileMappings } from '../../core/mapping/mapper.ts';
import { buildMappings, type Mappings } from '../../core/mapping/mappings.ts';
import { type V2Mapper, compileV2Maps } from '../../core/mapping/v2-map.ts';
import { type ReverseMapper, compileReverse } from '../../core/mapping/reverse.ts';

/** Whether a file in a folder of mappings is one of them, by its path. */
export const isMapping = (name: string): boolean =>
  /\.(map\.ya?ml|map\.json|conceptmap\.json|csv)$/.test(name);

/**
 * Whether a file of a layer was meant as one by its name, and is none: it would be left out unseen. What begins with a dot is of
 * a tool (`.gitlab-ci.yml`, `.github/`), and no mapping of anybody.
 */
const isMisnamed = (path: string): boolean =>
  path.startsWith('layers/') &&
  /\.(ya?ml|csv)$/i.test(path) &&
  !/\.case\.ya?ml$/.test(path) &&
  !path.includes('/.');

/**
 * Reads all mapping files below a folder: `*.map.yaml`, `*.map.json`, `*.conceptmap.json` and `*.csv`, and what only a name
 * keeps from being one, which is an issue when the files are parsed,
 * ordered by path. Rejects with HilumError `mappings-unreadable` (permanent) where the folder or a file cannot be read.
 */
export async function readMappingFiles(directory: string): Promise<readonly MappingFile[]> {
  try {
    const names = await readdir(directory, { recursive: true });
    return await Promise.all(
      toPaths(names).map(async (path) => ({
        path,
        text: await readFile(join(directory, path), 'utf8'),
      })),
    );
  } catch (error) {
    throw toReadError(directory, error);
  }
}

/**
 * What makes a folder hold these mapping files and no others, for `writeFileSet`; other files in it stay. Rejects as
 * {@link readMappingFiles} does.
 */
export async function planMappingFiles(
  directory: string,
  files: readonly MappingFile[],
): Promise<FileChanges> {
  const names = new Set(files.map(({ path }) => path));
  const there = await readMappingFiles(directory);
  return {
    write: new Map(files.map(({ path, text }) => [join(directory, path), text])),
    remove: there.filter(({ path }) => !names.has(path)).map(({ path }) => join(directory, path)),
  };
}

const toPaths = (names: readonly string[]): string[] =>
  names
    .map((name) => name.split(sep).join('/'))
    .filter((path) => isMapping(path) || isMisnamed(path))
    .sort((a, b) => (a < b ? -1 : 1));

function toReadError(directory: string, error: unknown): HilumError {
  return buildError(
    'permanent',
    'mappings-unreadable',
    `The mapping files in ${directory} cannot be read; check that the folder is there and readable.`,
    error,
  );
}

const opened = new Map<string, Mapper>();

/**
 * The mapper of all files below a folder: read and compiled once per process and folder, then shared.
 * Synchronous, since a node or a command needs it before its first message. Throws HilumError (permanent)
 * with every problem of the files.
 */
export function openMapper(directory: string, layers: readonly string[] = []): Mapper {
  const key = JSON.stringify([directory, layers]);
  const known = opened.get(key);
  if (known !== undefined) return known;
  const result = compileMappings(readMappingFilesSync(directory), { layers });
  if (!result.ok) throw new HilumError('permanent', result.issues);
  opened.set(key, result.mapper);
  return result.mapper;
}

const folders = new Map<string, Mappings>();

/** The mappings of a folder as they are when they are first asked for, shared by the whole process. */
export function openMappings(directory: string): Mappings {
  const known = folders.get(directory) ?? buildMappings(() => readMappingFilesSync(directory));
  folders.set(directory, known);
  return known;
}

/**
 * What gives the mappings of a folder as they are at each call: compiled anew where a file has changed. Throws what
 * {@link readMappingFiles} rejects with.
 */
export function followMappings(directory: string): () => Mappings {
  let known: { readonly text: string; readonly mappings: Mappings } | undefined;
  return () => {
    const files = readMappingFilesSync(directory);
    const text = JSON.stringify(files);
    if (known?.text !== text) known = { text, mappings: buildMappings(() => files) };
    return known.mappings;
  };
}

const openedReverse = new Map<string, ReverseMapper>();

/** As {@link openMapper}, for the way from FHIR to HL7 v2. */
export function openReverseMapper(
  directory: string,
  layers: readonly string[] = [],
): ReverseMapper {
  const key = JSON.stringify([directory, layers]);
  const known = openedReverse.get(key);
  if (known !== undefined) return known;
  const result = compileReverse(readMappingFilesSync(directory), { layers });
  if (!result.ok) throw new HilumError('permanent', result.issues);
  openedReverse.set(key, result.mapper);
  return result.mapper;
}

const openedV2 = new Map<string, CompileEachResult<V2Mapper>>();

/**
 * A map from HL7 v2 to HL7 v2 of a folder, by its id. Throws HilumError (permanent) with every problem of the
 * files, or `mapping-missing` where there is no such map.
 */
export function openV2Mapper(
  directory: string,
  id: string,
  layers: readonly string[] = [],
): V2Mapper {
  const key = JSON.stringify([directory, layers]);
  const result = openedV2.get(key) ?? compileV2Maps(readMappingFilesSync(directory), { layers });
  if (!result.ok) throw new HilumError('permanent', result.issues);
  openedV2.set(key, result);
  const map = result.maps.get(id);
  if (map !== undefined) return map;
  const known = [...result.maps.keys()].join(', ');
  throw buildError(
    'permanent',
    'mapping-missing',
    `Expected one of the maps from HL7 v2 to HL7 v2 (${known}), found the id ${id}.`,
  );
}

const openedFhir = new Map<string, CompileEachResult<FhirMapper>>();

/** A map from FHIR to FHIR of a folder, by its id; undefined where there is none. Throws as {@link openV2Mapper}. */
export function findFhirMapper(
  directory: string,
  id: string,
  layers: readonly string[] = [],
): FhirMapper | undefined {
  const key = JSON.stringify([directory, layers]);
  const result =
    openedFhir.get(key) ?? compileFhirMaps(readMappingFilesSync(directory), { layers });
  if (!result.ok) throw new HilumError('permanent', result.issues);
  openedFhir.set(key, result);
  return result.maps.get(id);
}

/** As {@link findFhirMapper}; throws HilumError (permanent) `mapping-missing` where there is no such map. */
export function openFhirMapper(
  directory: string,
  id: string,
  layers: readonly string[] = [],
): FhirMapper {
  const map = findFhirMapper(directory, id, layers);
  if (map !== undefined) return map;
  const text = `Expected the id of a map from FHIR to FHIR, as the folder fhir has them, found ${id}.`;
  throw buildError('permanent', 'mapping-missing', text);
}

/** As {@link readMappingFiles}, at once; throws what that rejects with. */
export function readMappingFilesSync(directory: string): readonly MappingFile[] {
  try {
    const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
    return toPaths(names).map((path) => ({
      path,
      text: readFileSync(join(directory, path), 'utf8'),
    }));
  } catch (error) {
    throw toReadError(directory, error);
  }
}
