import type { Issue } from '../../issue.ts';
import type { Definitions, VersionDefinitions } from '../definitions/definitions.ts';
import type { Hl7Message } from '../message.ts';
import { validate } from '../validate.ts';
import { isForMessage, type Profile } from './profile.ts';

/** A profile, and the definitions of its version with it laid over them. */
export interface OpenedProfile {
  readonly profile: Profile;
  readonly definitions: VersionDefinitions;
}

/**
 * Checks a message against a profile. One of a type that the profile is not for is checked by the version
 * alone, and `profile-not-applicable` (a warning) says so.
 */
export function validateByProfile(
  message: Hl7Message,
  { profile, definitions }: OpenedProfile,
  all: Definitions,
): readonly Issue[] {
  const [type = '', event = ''] = [message.get('MSH-9.1'), message.get('MSH-9.2')];
  if (isForMessage(profile, type, event)) return validate(message, definitions);
  const expected = profile.messages.join(', ');
  return [
    {
      code: 'profile-not-applicable',
      severity: 'warning',
      location: 'MSH-9',
      message: `Expected a message that profile ${profile.name} is for (${expected}), found another; checked by its version alone`,
    },
    ...validate(message, all),
  ];
}
