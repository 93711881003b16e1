import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { readProfileCopy } from '../../connectors/file/profile-files.ts';
import { writeFileAtomically } from '../../connectors/file/write-file.ts';
import { HilumError } from '../../core/errors.ts';
import { openCopy } from '../../core/hl7v2/profile/profile-copy.ts';
import type { ProfileCopy } from '../../core/hl7v2/profile/profile.ts';
import type { FlowNode } from '../../core/interface.ts';
import { findProfileName } from '../../nodes/definitions.ts';
import { shippedProfiles, type Settings } from '../settings.ts';
import { refuseUnknown } from './kept-profiles.ts';

/** A profile as it was at one moment, in a file that nobody edits. */
export interface ProfileVersion {
  /** As nodes name it. */
  readonly name: string;
  /** The nodes that name it, by id. */
  readonly nodes: readonly string[];
  readonly file: string;
  /** The same for the same content. */
  readonly hash: string;
}

/** Profiles as they are now, and why others are none, by name. */
export interface ReadProfiles {
  readonly copies: readonly ProfileCopy[];
  readonly failures: ReadonlyMap<string, HilumError>;
}

/** The nodes that check at the edge or in a flow by a profile. */
const checkingNodes: ReadonlySet<string> = new Set(['mllp in', 'hl7 validate']);

/** The ids of the nodes that name a profile, by its name. */
function findUses(
  flows: readonly FlowNode[],
  environment: Settings['environment'],
): ReadonlyMap<string, readonly string[]> {
  const uses = new Map<string, string[]>();
  for (const node of flows) {
    if (!checkingNodes.has(node.type)) continue;
    const name = findProfileName(node, environment);
    if (name !== undefined) uses.set(name, [...(uses.get(name) ?? []), node.id]);
  }
  return uses;
}

/**
 * Every profile that these flows name, with all that it refers to. `instead`: what the site's folder of profiles is taken
 * to hold, by path in it.
 */
export function readProfiles(
  flows: readonly FlowNode[],
  settings: Pick<Settings, 'environment' | 'profilesDirectory'>,
  instead?: ReadonlyMap<string, string>,
): ReadProfiles {
  const folder = settings.profilesDirectory;
  const copies: ProfileCopy[] = [];
  const failures = new Map<string, HilumError>();
  for (const name of findUses(flows, settings.environment).keys()) {
    try {
      const copy = readProfileCopy(name, {
        folders: [folder],
        ...(instead === undefined ? {} : { instead: { folder, files: instead } }),
      });
      // Here, where what is wrong is said with the whole path of its file.
      openCopy(copy, openDefinitions());
      copies.push(withoutFolder(copy, folder));
    } catch (error) {
      if (!(error instanceof HilumError)) throw error;
      failures.set(name, error);
    }
  }
  return { copies, failures };
}

/** Files in the site's own folder by their path in it: what is deployed does not depend on where that is. */
function withoutFolder({ name, file, parts }: ProfileCopy, folder: string): ProfileCopy {
  const shorten = (from: string): string => {
    const whole = path.resolve(from);
    const inside = path.relative(folder, whole);
    const isOutside = inside.startsWith('..') || path.isAbsolute(inside);
    return isOutside || folder === shippedProfiles ? whole : inside;
  };
  return {
    name,
    file: { ...file, path: shorten(file.path) },
    parts: parts.map((part) => ({
      ...part,
      from: shorten(part.from),
      file: { ...part.file, path: shorten(part.file.path) },
    })),
  };
}

/** Throws why the profile of a name cannot be gone by: HilumError (permanent). */
export function checkProfile(name: string, { copies, failures }: ReadProfiles): void {
  const failure = failures.get(name);
  if (failure !== undefined) throw failure;
  openCopy(copies.find((each) => each.name === name) ?? refuseUnknown(name), openDefinitions());
}

/**
 * Writes each profile that the flows name into a file of its version below `settings.profileVersions`: whoever starts
 * again gets the one that was deployed, not what somebody is editing.
 */
export async function keepProfiles(
  copies: readonly ProfileCopy[],
  flows: readonly FlowNode[],
  settings: Pick<Settings, 'environment' | 'profileVersions'>,
): Promise<readonly ProfileVersion[]> {
  const uses = findUses(flows, settings.environment);
  const versions: ProfileVersion[] = [];
  for (const copy of copies) {
    const hash = hashOf(copy);
    const file = path.join(settings.profileVersions, `${hash}.json`);
    await writeFileAtomically(file, JSON.stringify(copy));
    versions.push({ name: copy.name, nodes: uses.get(copy.name) ?? [], file, hash });
  }
  return versions;
}

/** Over what it says, wherever its files are. */
function hashOf({ name, file, parts }: ProfileCopy): string {
  const digest = createHash('sha256').update(JSON.stringify([name, file.text]));
  for (const { kind, name: asked, file: part } of parts) {
    digest.update(JSON.stringify([kind, asked, part.text]));
  }
  return digest.digest('hex').slice(0, 16);
}

/** Removes all versions but these. */
export async function forgetProfiles(
  folder: string,
  versions: readonly ProfileVersion[],
): Promise<void> {
  const kept = new Set(versions.map(({ file }) => path.basename(file)));
  for (const name of await listFolder(folder)) {
    if (!kept.has(name)) await rm(path.join(folder, name), { force: true });
  }
}

async function listFolder(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The file of each profile that one of these nodes names. */
export function toProfileFiles(
  versions: readonly ProfileVersion[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(versions.map(({ name, file }) => [name, file]));
}

/** The profiles that these flows check by where they run, in a worker: what the edge checks is its own. */
export function selectProfiles(
  versions: readonly ProfileVersion[],
  flows: readonly FlowNode[],
): readonly ProfileVersion[] {
  const checking = new Set(flows.filter(({ type }) => type === 'hl7 validate').map(({ id }) => id));
  return versions.filter(({ nodes }) => nodes.some((id) => checking.has(id)));
}
