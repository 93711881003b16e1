import { readFileSync } from 'node:fs';
import { buildError } from '../../core/errors.ts';
import type { ProfileCopy } from '../../core/hl7v2/profile/profile.ts';

/**
 * A profile as it was deployed, out of the file that a deploy keeps it in. Synchronous, as a node needs it before its
 * first message. Throws HilumError `profile-unreadable` (permanent) where that is not what is there.
 */
export function readKeptProfile(file: string): ProfileCopy {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProfileCopy;
  } catch (error) {
    throw buildError(
      'permanent',
      'profile-unreadable',
      `Expected a profile as it was deployed in ${file}, found none; deploy the flows again.`,
      error,
    );
  }
}
