import { readKeptProfile } from '../../connectors/file/profile-copies.ts';
import { buildError } from '../../core/errors.ts';
import type { ProfileCopy } from '../../core/hl7v2/profile/profile.ts';
import type { ProfileFilesByName } from '../process/messages.ts';

/** By file: a file of a version is never changed. */
const read = new Map<string, WeakRef<ProfileCopy>>();

/** Finds profiles as they were deployed; each file is read once for as long as somebody goes by it. */
export function findIn(files: ProfileFilesByName): (name: string) => ProfileCopy {
  return (name) => {
    const file = files[name];
    if (file === undefined) return refuseUnknown(name);
    const known = read.get(file)?.deref();
    if (known !== undefined) return known;
    const copy = readKeptProfile(file);
    read.set(file, new WeakRef(copy));
    return copy;
  };
}

/** Throws: a role that resolves a variable otherwise than the console names another profile than was deployed. */
export function refuseUnknown(name: string): never {
  throw buildError(
    'permanent',
    'profile-not-deployed',
    `Expected the profile ${name} among those that were deployed, found none; give this role the variables that the console has, or deploy again.`,
  );
}
