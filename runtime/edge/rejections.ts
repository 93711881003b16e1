import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { findUnacceptable } from '../../core/hl7v2/acceptance.ts';
import type { Header } from '../../core/hl7v2/header.ts';
import type { Hl7Message, ParseResult } from '../../core/hl7v2/message.ts';
import { openCopy } from '../../core/hl7v2/profile/profile-copy.ts';
import type { ProfileCopy } from '../../core/hl7v2/profile/profile.ts';
import { validateByProfile } from '../../core/hl7v2/profile/validate-by-profile.ts';
import { validate } from '../../core/hl7v2/validate.ts';
import type { ListenerAcknowledgment } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';

/** Everything in the header that keeps the message out, at once. */
export function findRejections(
  header: Header,
  { accepts }: ListenerAcknowledgment,
): readonly Issue[] {
  const missing = findMissing(header);
  const found = findUnacceptable(header, accepts);
  const isUntyped = missing.some(({ location }) => location === 'MSH-9');
  return [
    ...missing,
    ...found.filter(({ location }) => !isUntyped || location?.startsWith('MSH-9') !== true),
  ];
}

/** Two messages in one frame: the second would be taken for a part of the first, and its sender told nothing. */
export function findSecondMessages(parsed: ParseResult): readonly Issue[] {
  const isAlone = !parsed.ok || parsed.message.get('MSH[2]') === undefined;
  return isAlone ? [] : parsed.issues.filter(({ code }) => code === 'header-repeated');
}

/** Without type and control id a message can neither be routed nor acknowledged: it was cut short. */
function findMissing({ messageType, controlId }: Header): readonly Issue[] {
  const fields = [
    { location: 'MSH-9', value: messageType },
    { location: 'MSH-10', value: controlId },
  ];
  return fields
    .filter(({ value }) => value === '')
    .map(({ location }) => ({
      code: 'required-field-missing',
      severity: 'error',
      location,
      message: 'Expected a value, found none; the message may have been cut short.',
    }));
}

/** By the listener's profile where it has one, else by the message's version. */
export function check(message: Hl7Message, profile: ProfileCopy | undefined): readonly Issue[] {
  const definitions = openDefinitions();
  return profile === undefined
    ? validate(message, definitions)
    : validateByProfile(message, openCopy(profile, definitions), definitions);
}
