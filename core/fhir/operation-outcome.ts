import type { OperationOutcome, OperationOutcomeIssue } from '@medplum/fhirtypes';
import { findCondition } from '../hl7v2/error-segment.ts';
import type { Issue } from '../issue.ts';

/**
 * Findings as a FHIR R4 OperationOutcome. A location that is an element of a resource becomes an
 * `expression`; one of an HL7 v2 message has no FHIRPath, so it becomes a `location` and leads the text, and
 * the code of table 0357 stands beside ours. No findings: one issue of
 * severity information, since FHIR requires at least one.
 */
export function toOperationOutcome(issues: readonly Issue[]): OperationOutcome {
  const [first = allOk, ...rest] = issues.map(toOutcomeIssue);
  return { resourceType: 'OperationOutcome', issue: [first, ...rest] };
}

const allOk: OperationOutcomeIssue = {
  severity: 'information',
  code: 'informational',
  diagnostics: 'No issues',
};

function toOutcomeIssue({ code, severity, location, message }: Issue): OperationOutcomeIssue {
  const isElement =
    location !== undefined &&
    /^[A-Z][A-Za-z]*(\.|$)/.test(location) &&
    !/^[A-Z][A-Z0-9]{2}$/.test(location);
  const isPath = location !== undefined && /^[A-Z][A-Z0-9]{2}($|[[-])/.test(location);
  return {
    severity,
    code: toIssueType(code),
    details: { coding: [{ system: 'urn:hilum:issue', code }, ...toCondition(code)] },
    diagnostics: location === undefined || isElement ? message : `${location}: ${message}`,
    ...(isElement ? { expression: [location] } : {}),
    ...(isPath ? { location: [location] } : {}),
  };
}

/** HL7 table 0357, where the code is one that a sender of HL7 v2 is told in ERR-3. */
function toCondition(code: string): readonly { system: string; code: string; display: string }[] {
  const condition = findCondition(code);
  if (condition === undefined) return [];
  const [number, display] = condition;
  return [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0357', code: number, display }];
}

/** The nearest of FHIR's own issue types; our code stands in the details. */
function toIssueType(code: string): OperationOutcomeIssue['code'] {
  if (code.includes('too-long')) return 'too-long';
  if (/missing|required/.test(code)) return 'required';
  if (/unmapped|table|code/.test(code)) return 'code-invalid';
  if (/unsupported|unknown/.test(code)) return 'not-supported';
  if (/structure|segment|unexpected/.test(code)) return 'structure';
  if (/unavailable|timeout/.test(code)) return 'transient';
  return /value|convertible|format|character|repetitions/.test(code) ? 'value' : 'processing';
}
