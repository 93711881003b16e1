/*
 * What the editor's dialogs and its server say to each other. Plain shapes: the editor's side knows neither Node nor core.
 */

/** What there is to choose from. */
export interface MappingOffer {
  readonly layers: readonly string[];
  readonly tables: readonly string[];
  /** With the layers that were asked for. */
  readonly maps: readonly {
    readonly id: string;
    readonly messages: readonly string[];
    readonly version: string;
  }[];
  /** The messages that are made of FHIR: `ORU^R01`; only where they were asked for. */
  readonly events: readonly string[];
  /** The maps from FHIR to FHIR, and the version of those to HL7 v2; only where they were asked for. */
  readonly fromFhir?: {
    readonly maps: readonly { readonly id: string; readonly version: string }[];
    readonly version: string;
  };
  /** Over all maps: what is pinned where each message's own type decides. */
  readonly version: string;
}

/** A message that somebody tries, and how: as the dialog's fields hold it. */
export interface TryRequest {
  readonly message?: string;
  readonly mapping?: string;
  readonly layers?: string;
  readonly zone?: string;
  /** What is tried is FHIR, as JSON; then also: */
  readonly isFhir?: boolean;
  /** The id of a map to FHIR; empty: to HL7 v2. */
  readonly map?: string;
  readonly event?: string;
  readonly version?: string;
}

/** What the message becomes. */
export interface TryAnswer {
  readonly resource: object | null;
  /** The HL7 v2 message that it becomes, in the place of a resource. */
  readonly message?: string;
  readonly issues: readonly TryIssue[];
  readonly unconsumed: readonly string[];
  readonly provenance: readonly {
    readonly target: string;
    readonly source: string;
    readonly rule: string;
  }[];
}

/** One finding. */
export interface TryIssue {
  readonly code: string;
  readonly severity: string;
  readonly location?: string;
  readonly message: string;
}
