import type { Issue } from '../issue.ts';
import type { Definitions, VersionDefinitions } from './definitions/definitions.ts';
import { findVersion } from './definitions/versions.ts';
import { matchSegments, type PlaceRules } from './match-structure.ts';
import type { Hl7Message, Segment } from './message.ts';
import { buildNameIssue, isSegmentName } from './segment-name.ts';
import { checkSegment } from './validate/check-segment.ts';
import { Findings } from './validate/findings.ts';
import {
  checkOtherVersion,
  checkType,
  checkVersion,
  findStructure,
  newest,
  readHeaderValues,
  withEarlyEvent,
  type HeaderValues,
} from './validate/header.ts';
import { checkRules, startRules } from './validate/rules.ts';
import { Scan } from './validate/scan.ts';
import { findChecks } from './validate/segment-check.ts';

/**
 * Checks a message against its version: header, structure, and every field down to its sub-components. All
 * findings at once: those of the header, those of the structure, then those of each segment in order, each
 * with a location that starts with a segment. At most about a thousand; `findings-truncated` says that there
 * are more. The codes are listed in docs/hl7v2.md.
 *
 * By `Definitions` it is checked as the version that MSH-12 names. By those of one version, perhaps with a
 * profile, it is checked as that, whatever MSH-12 says.
 */
export function validate(
  message: Hl7Message,
  definitions: Definitions | VersionDefinitions,
): readonly Issue[] {
  const findings = new Findings();
  const header = readHeaderValues(message);
  const chosen = choose(header, definitions, findings);
  checkType(header, chosen, findings);
  const structure = findStructure(withEarlyEvent(header, message, chosen), chosen, findings);
  const rules = structure === undefined ? none : matchSegments(message, structure, findings);
  checkSegments(new Scan(message, findChecks(chosen), findings), rules);
  return findings.toIssues();
}

const none: PlaceRules = new Map();

function choose(
  header: HeaderValues,
  definitions: Definitions | VersionDefinitions,
  findings: Findings,
): VersionDefinitions {
  if ('of' in definitions) {
    checkVersion(header, findings);
    return definitions.of(findVersion(header.version) ?? newest);
  }
  checkOtherVersion(header, definitions, findings);
  return definitions;
}

function checkSegments(scan: Scan, rules: PlaceRules): void {
  const { message, checks, findings } = scan;
  const state = startRules(checks.definitions.version);
  let last: Segment | undefined;
  for (const segment of message.segments) {
    if (findings.isFull) return;
    if (!isSegmentName(segment.name)) {
      findings.add(buildNameIssue(message, last ?? segment, segment.line));
      continue;
    }
    last = segment;
    const definition = rules.size === 0 ? undefined : rules.get(segment);
    const check = checks.findSegment(segment.name, definition);
    // A site's own segments, and those that the structure has reported.
    if (check === undefined) continue;
    checkSegment(scan, segment, check);
    checkRules(scan, state);
  }
}
