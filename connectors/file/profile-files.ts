import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { buildError } from '../../core/errors.ts';
import type { Definitions } from '../../core/hl7v2/definitions/definitions.ts';
import { copyProfile, layProfile } from '../../core/hl7v2/profile/profile-copy.ts';
import type { ProfileCopy, ProfileFile, ProfileFiles } from '../../core/hl7v2/profile/profile.ts';
import type { OpenedProfile } from '../../core/hl7v2/profile/validate-by-profile.ts';
import type { FileChanges } from './file-set.ts';

/** Where profiles and what they refer to are looked for. */
interface ProfilePlace {
  /** A site's own profiles, looked for before those that are shipped. */
  readonly folders?: readonly string[];
  /** A folder that is taken to hold these files, by their path in it, whatever is there. */
  readonly instead?: {
    readonly folder: string;
    readonly files: ReadonlyMap<string, string>;
  };
}

interface ProfileSource extends ProfilePlace {
  readonly definitions: Definitions;
}

const opened = new WeakMap<Definitions, Map<string, OpenedProfile>>();

/**
 * Opens a profile by its name (`lab-results`: `<name>.yaml` in one of the folders, else one that is shipped) or
 * by the path of its file. Read once per process, then shared. Synchronous, since a node or a command needs it
 * before its first message. Throws HilumError (permanent): `profile-unknown`, or every problem of the files.
 */
export function openProfile(name: string, source: ProfileSource): OpenedProfile {
  const { definitions, folders = [] } = source;
  const known = opened.get(definitions) ?? new Map<string, OpenedProfile>();
  opened.set(definitions, known);
  const key = JSON.stringify([name, folders]);
  let found = known.get(key);
  if (found === undefined) {
    found = readProfile(name, source);
    known.set(key, found);
  }
  return found;
}

/** As {@link openProfile}, but read anew: for whoever is writing it. */
export function readProfile(name: string, source: ProfileSource): OpenedProfile {
  const { file, files } = findProfile(name, source);
  return layProfile(file, files, source.definitions);
}

/** The profile's files as they are now. Throws as {@link openProfile}, but for what does not fit the version. */
export function readProfileCopy(name: string, place: ProfilePlace): ProfileCopy {
  const { file, files } = findProfile(name, place);
  return copyProfile(name, file, files);
}

function findProfile(
  name: string,
  place: ProfilePlace,
): { readonly file: ProfileFile; readonly files: ProfileFiles } {
  const folders = [...(place.folders ?? []), shippedProfiles()];
  const read = (file: string): ProfileFile | undefined => readText(file, place);
  const file = isPath(name) ? read(name) : findIn(folders, { name, read });
  if (file === undefined) {
    const names = [...new Set(folders.flatMap(listNames))].join(', ');
    const text = `There is no profile ${name}; expected a file, or one of ${names}`;
    throw buildError('permanent', 'profile-unknown', text);
  }
  return { file, files: buildFiles(folders, read) };
}

/**
 * What makes a folder of profiles hold these files, by their path in it, for {@link writeFileSet}; other profiles and
 * lists of codes in it are removed.
 */
export function planProfileFiles(folder: string, files: ReadonlyMap<string, string>): FileChanges {
  return {
    write: new Map([...files].map(([name, text]) => [path.join(folder, name), text])),
    remove: listProfileFiles(folder)
      .filter((name) => !files.has(name))
      .map((name) => path.join(folder, name)),
  };
}

/** Profiles, and the lists of codes beside them. */
const isOfProfiles = (name: string): boolean => /\.(ya?ml|csv|txt)$/.test(name);

function listProfileFiles(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.split(path.sep).join('/'))
    .filter((name) => isOfProfiles(name) && !/(^|\/)\.git\//.test(name));
}

/** The names of the profiles that are shipped with Hilum. */
export function listShippedProfiles(): readonly string[] {
  return listNames(shippedProfiles());
}

function shippedProfiles(): string {
  return findShippedFolder(import.meta.dirname);
}

const isPath = (name: string): boolean => /[\\/]|\.ya?ml$/.test(name);

type Read = (file: string) => ProfileFile | undefined;

function buildFiles(folders: readonly string[], read: Read): ProfileFiles {
  return {
    find: (name, from) => {
      const here = path.dirname(from.path);
      if (isPath(name)) return read(path.join(here, name));
      // A site's file may have the name of the one that it extends.
      return findIn([here, ...folders], { name, read, except: from.path });
    },
    readCodes: (name, from) => read(path.join(path.dirname(from.path), name)),
  };
}

function findIn(
  folders: readonly string[],
  wanted: { readonly name: string; readonly read: Read; readonly except?: string },
): ProfileFile | undefined {
  const { name, read, except } = wanted;
  for (const folder of folders) {
    const file = path.join(folder, `${name}.yaml`);
    if (except !== undefined && path.resolve(file) === path.resolve(except)) continue;
    const found = read(file);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Undefined where there is no such file; throws what else keeps it from being read. */
function readText(file: string, { instead }: ProfilePlace): ProfileFile | undefined {
  if (instead !== undefined) {
    const inside = path.relative(instead.folder, path.resolve(file));
    if (!inside.startsWith('..') && !path.isAbsolute(inside)) {
      const text = instead.files.get(inside.split(path.sep).join('/'));
      return text === undefined ? undefined : { path: file, text };
    }
  }
  try {
    return { path: file, text: readFileSync(file, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const text = `The profile's file ${file} cannot be read; check that it is a file and readable.`;
    throw buildError('permanent', 'profile-unreadable', text, error);
  }
}

function listNames(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort();
}

/** The package's folder `profiles`, from wherever below the package this file was built to. */
function findShippedFolder(from: string): string {
  const candidate = path.join(from, 'profiles');
  const parent = path.dirname(from);
  if (existsSync(path.join(candidate, 'schema')) || parent === from) return candidate;
  return findShippedFolder(parent);
}
