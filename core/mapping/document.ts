import type { V2MessageMapDocument, V2SegmentMapDocument } from './reverse/document.ts';
import type { RuleDocument } from './rule-document.ts';
import type { V2MapDocument } from './v2/document.ts';
import type { FhirMapDocument } from './fhir/document.ts';

export type { RuleDocument, UnmappedPolicy } from './rule-document.ts';
export { unmappedPolicies } from './rule-document.ts';

/** One mapping file as it was read: core never touches a file system. */
export interface MappingFile {
  /** Relative to the mappings folder, with `/`: `segment/PID.Patient.map.yaml`. Used in every issue. */
  readonly path: string;
  readonly text: string;
}

/** The extension by which a ConceptMap states an {@link UnmappedPolicy} of its own, as `valueCode`. */
export const unmappedExtension = 'urn:hilum:unmapped';

/** The extension of a target by which a ConceptMap names, of several codes that become one, the one for the way back. */
export const preferredExtension = 'urn:hilum:preferred';

/** How a resource is recognised when the same message, or a correction of it, comes again. */
export interface IdentityDocument {
  /** `update`: conditional PUT. `create`: POST with ifNoneExist. `id`: PUT to an id made from the key. */
  readonly request: 'update' | 'create' | 'id';
  /** The system of the identifier that is made: `urn:hilum:report`. */
  readonly system?: string;
  /** Equal keys in one message are different resources, numbered in order. */
  readonly each?: boolean;
  /** Use an identifier of the resource itself, these types first, where one has a system and a value. */
  readonly identifier?: readonly string[];
  /**
   * The fields that identify (CX), in order; nothing else then does. Of the first an identifier of the types
   * above, else one without a type, is used itself; any other is a key, with all its parts and its field.
   * `MRG-1 as PID-3`: what stands there identifies as it would in the other field.
   */
  readonly from?: readonly string[];
  readonly key: KeyDocument;
}

/**
 * What an identifier is made from where the resource has none: all of `within`, the first list of `by` in
 * which anything is valued, and all of `and`. A part is a path, alternatives (`OBR-3 | ORC-3`), `@label`, or a
 * constant in quotes.
 */
interface KeyDocument {
  readonly within?: readonly string[];
  readonly by?: readonly (readonly string[])[];
  readonly and?: readonly string[];
}

interface MapDocumentBase {
  readonly id: string;
  readonly extends?: string;
  readonly layer?: string;
  readonly note?: string;
  /** What must hold for anything to be made at all: `1 valued`. */
  readonly when?: string;
  readonly rules: readonly RuleDocument[];
}

/** From one segment to a FHIR resource or element. */
export interface SegmentMapDocument extends MapDocumentBase {
  readonly kind: 'SegmentMap';
  readonly source: { readonly v2: string };
  readonly target: { readonly fhir: string };
  readonly identity?: IdentityDocument;
}

/** From one field, repetition or component to a FHIR datatype, or to a resource where `identity` is given. */
export interface DatatypeMapDocument extends MapDocumentBase {
  readonly kind: 'DatatypeMap';
  readonly source: { readonly v2: string };
  readonly target: { readonly fhir: string };
  readonly identity?: IdentityDocument;
}

/** A group of segments; `opens` in the order in which they stand. HL7 v2 chapter 2, message structure. */
export interface GroupDocument {
  readonly name: string;
  readonly opens: readonly string[];
  readonly segments?: readonly string[];
  readonly groups?: readonly GroupDocument[];
}

export interface ReferenceDocument {
  readonly id: string;
  readonly to: string;
  /** The label (`id`) of the resource that is referred to. */
  readonly resource: string;
  /** The group among whose resources to look, the current one if absent. */
  readonly within?: string;
  /** `first` (default), or `only`: nothing is written where there are several. With `[+]` always all. */
  readonly pick?: 'first' | 'only';
  readonly when?: string;
  /** Constants written beside the reference, once it has been: `link[-1].type`. */
  readonly also?: Readonly<Record<string, unknown>>;
  readonly note?: string;
}

/** A resource of a message map, or content for one that exists already (`extend`). */
export interface ResourceDocument {
  /** One of a map: the handle for overrides, provenance and test coverage. */
  readonly id: string;
  /** The label by which the others find it: its id where absent. Several may have the same. */
  readonly as?: string;
  readonly resource?: string;
  readonly extend?: string;
  readonly within?: string;
  readonly when?: string;
  /** The label of a resource without which this one cannot be. */
  readonly needs?: string;
  /** The label of a resource that this one must not be: a patient is not merged into itself. */
  readonly apart?: string;
  readonly maps?: readonly string[];
  readonly identity?: IdentityDocument;
  readonly references?: readonly ReferenceDocument[];
  readonly override?: 'replace' | 'disable';
  readonly note?: string;
  /** The blocks that it was included with, outermost first; in no file. */
  readonly blocks?: readonly string[];
}

export interface ForEachDocument {
  readonly forEach: string;
  readonly resources: readonly PartDocument[];
}

/** All that a block says stands in its place. */
export interface IncludeDocument {
  readonly include: string;
  readonly note?: string;
}

/** What a message map consists of. */
export type PartDocument = ResourceDocument | ForEachDocument | IncludeDocument;

/** Resources that several message maps have in common: `- include: visit`. */
export interface MessageBlockDocument {
  readonly kind: 'MessageBlock';
  readonly id: string;
  readonly extends?: string;
  readonly layer?: string;
  readonly note?: string;
  readonly resources: readonly PartDocument[];
}

/** Which resources a message becomes, group by group. */
export interface MessageMapDocument {
  readonly kind: 'MessageMap';
  readonly id: string;
  readonly extends?: string;
  readonly layer?: string;
  readonly note?: string;
  /** MSH-9.1 and MSH-9.2: `ORU^R01`; MSH-9.1 alone, `ACK`, for every trigger without a map of its own. */
  readonly source?: { readonly messages: readonly string[] };
  readonly structure?: {
    readonly segments: readonly string[];
    readonly groups: readonly GroupDocument[];
  };
  /** Rules over MSH that write into the Bundle itself. */
  readonly bundle?: string;
  readonly resources: readonly PartDocument[];
}

/** A FHIR R4 ConceptMap, as far as a table needs it. */
export interface ConceptMapDocument {
  readonly resourceType: 'ConceptMap';
  readonly id: string;
  /** Of a table that follows a sheet of the HL7 Version 2 to FHIR guide: which. */
  readonly identifier?: { readonly system?: string; readonly value?: string };
  readonly extension?: readonly { readonly url: string; readonly valueCode?: string }[];
  readonly group: readonly {
    readonly source?: string;
    readonly target?: string;
    readonly element: readonly {
      readonly code: string;
      readonly target?: readonly {
        readonly code?: string;
        readonly display?: string;
        readonly extension?: readonly { readonly url: string; readonly valueBoolean?: boolean }[];
      }[];
    }[];
    readonly unmapped?: { readonly mode: 'provided' | 'fixed'; readonly code?: string };
  }[];
}

/** A map from HL7 v2 to FHIR, whose rules also go back. */
export type ToFhirDocument = SegmentMapDocument | DatatypeMapDocument | MessageMapDocument;

/** A map of any direction. */
export type MapDocument =
  | ToFhirDocument
  | MessageBlockDocument
  | V2SegmentMapDocument
  | V2MessageMapDocument
  | V2MapDocument
  | FhirMapDocument;

/** Whether a map is one from HL7 v2 to FHIR. */
export const isToFhir = (document: MapDocument): document is ToFhirDocument =>
  document.kind === 'SegmentMap' ||
  document.kind === 'DatatypeMap' ||
  document.kind === 'MessageMap';
