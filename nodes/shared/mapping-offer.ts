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
  /** Over all maps: what is pinned where each message's own type decides. */
  readonly version: string;
}

/** A message that somebody tries, and how: as the dialog's fields hold it. */
export interface TryRequest {
  readonly message?: string;
  readonly mapping?: string;
  readonly layers?: string;
  readonly zone?: string;
}

/** What the message becomes. */
export interface TryAnswer {
  readonly resource: object | null;
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
