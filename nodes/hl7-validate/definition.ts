import { versions, type Version } from '../../core/hl7v2/definitions/versions.ts';
import { buildIssue, contributeFrom } from '../shared/contribution.ts';
import { choice, optional, requiredText } from '../shared/fields.ts';

export const type = 'hl7 validate';

/** Configuration as the editor stores it; every text may hold `${NAME}`. */
export interface Hl7ValidateConfig {
  readonly name: string;
  /** Checked as this version, whatever MSH-12 says; empty: as the one of MSH-12. */
  readonly version: '' | Version;
  /** A profile's name or the path of a file; it has a version of its own. Empty: none. */
  readonly profile: string;
}

export const defaults: Hl7ValidateConfig = { name: '', version: '', profile: '' };

export const fields = {
  version: optional(choice(...versions), undefined),
  profile: optional(requiredText, undefined),
};

/** The output for what is invalid, 1-based. */
export const invalidOutput = 2;

/** Nothing at the edge; a deploy checks its fields. */
export const contribute = contributeFrom(fields, ({ version, profile }, node) => {
  if (version === undefined || profile === undefined) return {};
  const text = 'expected a version or a profile, which has a version of its own, found both';
  return { issues: [buildIssue(node, 'choice-invalid', text)] };
});
