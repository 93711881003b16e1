import { versions } from '../../hl7v2/definitions/versions.ts';
import type { Definitions } from '../../hl7v2/definitions/definitions.ts';
import { parseSourcePath } from '../path.ts';

/**
 * `; no version of HL7 v2 has PID-99`, of a field that a rule reads, or `''` where one has it or nobody can know: of a Z segment,
 * of a part of a datatype. A partner may send what HL7 does not have, so such a rule is not refused.
 */
export function describeUnknownField(from: string, definitions: Definitions): string {
  const { segment, field } = parseSourcePath(from) ?? {};
  if (segment === undefined || field === undefined || segment.startsWith('Z')) return '';
  const found = versions.flatMap((version) => definitions.of(version).findSegment(segment) ?? []);
  if (found.length === 0) return `; no version of HL7 v2 has a segment ${segment}`;
  const isThere = found.some(({ fields }) => fields.length >= field);
  return isThere ? '' : `; no version of HL7 v2 has ${segment}-${field}`;
}
