import type { OperationOutcome, OperationOutcomeIssue } from '@medplum/fhirtypes';
import type { Issue } from '../issue.ts';

/**
 * Findings as a FHIR R4 OperationOutcome. A location that is an element of a resource becomes an
 * `expression`; one of an HL7 v2 message has no FHIRPath, so it leads the text. No findings: one issue of
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
  return {
    severity,
    code: toIssueType(code),
    details: { coding: [{ system: 'urn:hilum:issue', code }] },
    diagnostics: location === undefined || isElement ? message : `${location}: ${message}`,
    ...(isElement ? { expression: [location] } : {}),
  };
}

/** The nearest of FHIR's own issue types; our code stands in the details. */
function toIssueType(code: string): OperationOutcomeIssue['code'] {
  if (/missing|required/.test(code)) return 'required';
  if (/unmapped|table|code/.test(code)) return 'code-invalid';
  if (/unsupported|unknown/.test(code)) return 'not-supported';
  if (/structure|segment|unexpected/.test(code)) return 'structure';
  if (/unavailable|timeout/.test(code)) return 'transient';
  return /value|convertible|format/.test(code) ? 'value' : 'processing';
}
