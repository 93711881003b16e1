import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { buildError, HilumError } from '../../core/errors.ts';
import type { Definitions } from '../../core/hl7v2/definitions/definitions.ts';
import { applyProfile } from '../../core/hl7v2/profile/apply-profile.ts';
import { parseProfile } from '../../core/hl7v2/profile/parse-profile.ts';
import type { ProfileFile, ProfileFiles } from '../../core/hl7v2/profile/profile.ts';
import type { OpenedProfile } from '../../core/hl7v2/profile/validate-by-profile.ts';

interface ProfileSource {
  readonly definitions: Definitions;
  /** A site's own profiles, looked for before those that are shipped. */
  readonly folders?: readonly string[];
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
  const folders = [...(source.folders ?? []), findShippedFolder(import.meta.dirname)];
  const file = isPath(name) ? readText(name) : findIn(folders, name);
  if (file === undefined) {
    const names = folders.flatMap(listNames).join(', ');
    const text = `There is no profile ${name}; expected a file, or one of ${names}`;
    throw buildError('permanent', 'profile-unknown', text);
  }
  const parsed = parseProfile(file, buildFiles(folders));
  if (!parsed.ok) throw new HilumError('permanent', parsed.issues);
  const { profile } = parsed;
  const applied = applyProfile(source.definitions.of(profile.version), profile);
  if (!applied.ok) throw new HilumError('permanent', applied.issues);
  return { profile, definitions: applied.definitions };
}

/** The names of the profiles that are shipped with Hilum. */
export function listShippedProfiles(): readonly string[] {
  return listNames(findShippedFolder(import.meta.dirname));
}

const isPath = (name: string): boolean => /[\\/]|\.ya?ml$/.test(name);

function buildFiles(folders: readonly string[]): ProfileFiles {
  return {
    find: (name, from) => {
      const here = path.dirname(from.path);
      if (isPath(name)) return readText(path.join(here, name));
      // A site's file may have the name of the one that it extends.
      return findIn([here, ...folders], name, from.path);
    },
    readCodes: (name, from) => readText(path.join(path.dirname(from.path), name))?.text,
  };
}

function findIn(
  folders: readonly string[],
  name: string,
  except?: string,
): ProfileFile | undefined {
  for (const folder of folders) {
    const file = path.join(folder, `${name}.yaml`);
    if (except !== undefined && path.resolve(file) === path.resolve(except)) continue;
    const found = readText(file);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Undefined where there is no such file; throws what else keeps it from being read. */
function readText(file: string): ProfileFile | undefined {
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
