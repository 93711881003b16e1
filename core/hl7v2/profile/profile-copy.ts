import { HilumError } from '../../errors.ts';
import type { Definitions } from '../definitions/definitions.ts';
import { applyProfile } from './apply-profile.ts';
import { parseProfile } from './parse-profile.ts';
import type { ProfileCopy, ProfileFile, ProfileFiles, ProfilePart } from './profile.ts';
import type { OpenedProfile } from './validate-by-profile.ts';

/**
 * A profile, laid over its version. Throws HilumError (permanent) with every problem, located as `file:line:column`.
 */
export function layProfile(
  file: ProfileFile,
  files: ProfileFiles,
  definitions: Definitions,
): OpenedProfile {
  const parsed = parseProfile(file, files);
  if (!parsed.ok) throw new HilumError('permanent', parsed.issues);
  const { profile } = parsed;
  const applied = applyProfile(definitions.of(profile.version), profile);
  if (!applied.ok) throw new HilumError('permanent', applied.issues);
  return { profile, definitions: applied.definitions };
}

/** Reads the profile's files once and keeps what it was given. Throws HilumError (permanent) where they are no profile. */
export function copyProfile(name: string, file: ProfileFile, files: ProfileFiles): ProfileCopy {
  const parts: ProfilePart[] = [];
  const keep = (
    kind: ProfilePart['kind'],
    asked: string,
    { from, found }: { readonly from: ProfileFile; readonly found: ProfileFile | undefined },
  ): ProfileFile | undefined => {
    if (found !== undefined) parts.push({ kind, name: asked, from: from.path, file: found });
    return found;
  };
  const parsed = parseProfile(file, {
    find: (asked, from) => keep('profile', asked, { from, found: files.find(asked, from) }),
    readCodes: (asked, from) => keep('codes', asked, { from, found: files.readCodes(asked, from) }),
  });
  if (!parsed.ok) throw new HilumError('permanent', parsed.issues);
  return { name, file, parts };
}

const opened = new WeakMap<ProfileCopy, OpenedProfile>();

/** {@link layProfile} of a copy, once for each; `definitions`: always the same of a process. */
export function openCopy(copy: ProfileCopy, definitions: Definitions): OpenedProfile {
  const known = opened.get(copy);
  if (known !== undefined) return known;
  const find =
    (kind: ProfilePart['kind']) =>
    (name: string, from: ProfileFile): ProfileFile | undefined =>
      copy.parts.find((part) => part.kind === kind && part.name === name && part.from === from.path)
        ?.file;
  const made = layProfile(
    copy.file,
    { find: find('profile'), readCodes: find('codes') },
    definitions,
  );
  opened.set(copy, made);
  return made;
}

/** The files that a profile consists of, each once. */
export function filesOf({ file, parts }: ProfileCopy): readonly ProfileFile[] {
  const all = [file, ...parts.map((part) => part.file)];
  return [...new Map(all.map((each) => [each.path, each])).values()];
}
