/** What may be done with a code that a table does not hold. */
export const unmappedPolicies = ['keep', 'omit', 'error', 'hold'] as const;

/** `hold`: the message waits until the code is in the table. */
export type UnmappedPolicy = (typeof unmappedPolicies)[number];

/**
 * One rule of a segment or datatype map, as its author wrote it. docs/mapping.md explains every word.
 * `id` is stable: the handle for overrides, provenance and test coverage.
 */
export interface RuleDocument {
  readonly id: string;
  readonly from?: string;
  readonly to?: string;
  readonly via?: string;
  readonly table?: string;
  readonly fn?: string;
  readonly const?: unknown;
  /** Makes a resource of its own and writes a reference to it. */
  readonly resource?: string;
  readonly when?: string;
  /** Runs only while no element whose name begins with this has been written. */
  readonly ifNone?: string;
  /** Joins all repetitions into one string. */
  readonly join?: string;
  /** Constants written beside the value, once it has been. */
  readonly also?: Readonly<Record<string, unknown>>;
  /** Why this field is not mapped. */
  readonly ignore?: string;
  readonly onUnmapped?: UnmappedPolicy;
  /** Only for the way there (`toFhir`), or back (`toV2`: `from` is a path in FHIR, `to` one in HL7 v2). Both without. */
  readonly dir?: 'toFhir' | 'toV2';
  readonly override?: 'replace' | 'disable' | 'add';
  readonly note?: string;
  /** The row of the HL7 Version 2 to FHIR guide that the rule follows. */
  readonly ig?: string;
}
