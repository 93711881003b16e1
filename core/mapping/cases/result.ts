import type { Bundle } from '@medplum/fhirtypes';
import type { MappingCase } from './document.ts';

/** What in a case is not as it should be. */
export interface CaseFinding {
  /** `law`: what holds for every message, such as valid FHIR, references that resolve, equal output for a redelivery. */
  readonly kind:
    'message' | 'fact' | 'value' | 'assert' | 'golden' | 'unconsumed' | 'issues' | 'law';
  /** Expected and found, with the values: a case has no patient's. */
  readonly message: string;
}

/** What became of a case. */
export interface CaseResult {
  readonly case: MappingCase;
  /** Empty: it passed. */
  readonly findings: readonly CaseFinding[];
  /** The rules that wrote or ignored something, as `PID.Patient#PID-5.name`. */
  readonly fired: ReadonlySet<string>;
  /** The rules that had something to do when what came of it was made a message again, or its resources one. */
  readonly firedBack: ReadonlySet<string>;
  /** What the message became; null where nothing can be made of it. */
  readonly resource: Bundle | null;
}
