/** How bad a finding is: FHIR's issue-severity. Fatal and error make the content invalid. */
export type Severity = 'fatal' | 'error' | 'warning' | 'information';

/**
 * One finding of a parser, validator, mapper or connector. The one shape for all of them: rendered as
 * an ERR segment, an OperationOutcome entry, or a line for people. Never holds patient data.
 */
export interface Issue {
  /** Stable and machine-readable, kebab-case: `required-field-missing`. */
  readonly code: string;
  readonly severity: Severity;
  /** Where: `PID-3[1].4.2`, `Observation.status`, a segment's name; starts with the segment, never a group. */
  readonly location?: string;
  /** What was expected, what was found (its kind, not its value), and what to do. */
  readonly message: string;
}

/** Whether content with these findings may go on: nothing fatal and no error among them. */
export function isValid(issues: readonly Issue[]): boolean {
  return !issues.some((issue) => issue.severity === 'fatal' || issue.severity === 'error');
}
