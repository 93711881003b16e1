import type { Resource } from './store.ts';

/** A refusal with its HTTP status and FHIR issue type; `expression` says where. */
export class FhirError extends Error {
  readonly status: number;
  /** FHIR R4 value set issue-type: `invalid`, `not-found`, `conflict`. */
  readonly code: string;
  readonly expression: string | undefined;

  constructor(status: number, code: string, message: string, expression?: string) {
    super(message);
    this.name = 'FhirError';
    this.status = status;
    this.code = code;
    this.expression = expression;
  }
}

/** The OperationOutcome of one finding. */
export function buildOperationOutcome(error: FhirError): Resource {
  const issue = {
    severity: 'error',
    code: error.code,
    diagnostics: error.message,
    ...(error.expression === undefined ? {} : { expression: [error.expression] }),
  };
  return { resourceType: 'OperationOutcome', issue: [issue] };
}

/** What was thrown as a refusal: anything unforeseen is a 500 that says nothing of its content. */
export function toFhirError(thrown: unknown): FhirError {
  if (thrown instanceof FhirError) return thrown;
  return new FhirError(500, 'exception', 'The demo EHR failed on this request; see its log.');
}
