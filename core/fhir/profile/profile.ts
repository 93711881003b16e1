/** What must hold of an element, in FHIRPath. */
export interface Invariant {
  /** `us-core-6`. */
  readonly key: string;
  readonly holds: string;
  readonly says: string;
}

/** What a profile says of an element beyond its type. FHIR R4, ElementDefinition. */
export interface ElementProfile {
  readonly min?: number;
  readonly max?: number;
  /** `S`: must be supported; `U`: must be where USCDI asks for it. */
  readonly support?: 'S' | 'U';
  /** What it must contain: text for a primitive, else the elements with their values. */
  readonly pattern?: unknown;
  readonly invariants?: readonly Invariant[];
}

/** An element by its path: `identifier.system`, `effective[x]`. */
export interface ElementRule extends ElementProfile {
  readonly path: string;
  /** Of a choice the types that it may have. */
  readonly types?: readonly string[];
  /** The types of resources that it may refer to. */
  readonly refs?: readonly string[];
  /** Value sets, by canonical URL. */
  readonly required?: string;
  readonly extensible?: string;
  readonly slices?: readonly SliceRule[];
}

/** Those of a list that contain a pattern, or have a code of a value set. */
export interface SliceRule extends ElementProfile {
  readonly name: string;
  readonly codes?: string;
  readonly elements: readonly ElementRule[];
}

/** A profile of a resource, or the definition of an extension, as the difference to its type. */
export interface FhirProfile {
  readonly url: string;
  readonly id: string;
  readonly type: string;
  readonly invariants: readonly Invariant[];
  readonly elements: readonly ElementRule[];
}
