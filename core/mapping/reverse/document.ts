import type { RuleDocument } from '../rule-document.ts';

/** From a FHIR resource to one segment, by declared rules alone: `from` is a path in FHIR, `to` one in the segment. */
export interface V2SegmentMapDocument {
  readonly kind: 'V2SegmentMap';
  readonly id: string;
  readonly extends?: string;
  readonly layer?: string;
  readonly note?: string;
  readonly source: { readonly fhir: string };
  readonly target: { readonly v2: string };
  readonly rules: readonly RuleDocument[];
}

/** An event that a message may be of, and when it is where nobody asks for one. */
interface V2EventDocument {
  /** MSH-9.1 and MSH-9.2: `ADT^A03`. */
  readonly event: string;
  /** MSH-9.3 where it is not that of the map. */
  readonly structure?: string;
  /** Over the resource that the message is made for: `status = 'finished'`. */
  readonly when?: string;
}

/**
 * A segment of the message, or a group of them. `forEach` and `with` select what it is made of: each, or the
 * first; without them it is made of what the group around it is.
 */
export interface V2PartDocument {
  readonly id: string;
  readonly segment?: string;
  readonly group?: string;
  readonly forEach?: string | readonly string[];
  readonly with?: string | readonly string[];
  /** Which of what was found count: `activity valued`. */
  readonly where?: string;
  /** Selects what does not count of it. */
  readonly except?: string | readonly string[];
  /** Only what no part before has taken anything of. */
  readonly unused?: boolean;
  /** Whether other parts may take again what it takes. */
  readonly again?: boolean;
  /** The label by which `@label` finds what was selected. */
  readonly as?: string;
  readonly when?: string;
  /** Map ids, each with the label of the resource that it reads where that is not the one at hand: `OBR.ServiceRequest @order`. */
  readonly maps?: readonly string[];
  /** Rules of this message alone, as in a V2SegmentMap. */
  readonly rules?: readonly RuleDocument[];
  /** More labels, each for the first of what its selector finds. */
  readonly labels?: Readonly<Record<string, string | readonly string[]>>;
  /** The field that numbers the segments of this name: `OBX-1`. */
  readonly setId?: string;
  /** The group in which they are counted; without, the one at hand. */
  readonly within?: string;
  /** Fields without which the segment is of no use, which is an issue. */
  readonly required?: readonly string[];
  /** Fields without which there is no segment, and nothing was taken for it. */
  readonly needs?: readonly string[];
  /** Whether the message is none without it. */
  readonly must?: boolean;
  /** Instead of a segment or group: why what it selects has no place in the message. */
  readonly ignore?: string;
  /** How bad that is, with `ignore`; information without. */
  readonly severity?: 'information' | 'warning' | 'error';
  readonly segments?: readonly V2PartDocument[];
  readonly override?: 'replace' | 'disable';
  readonly note?: string;
}

/** Which segments a message has, in which order, made of which resources. */
export interface V2MessageMapDocument {
  readonly kind: 'V2MessageMap';
  readonly id: string;
  readonly extends?: string;
  readonly layer?: string;
  readonly note?: string;
  /** The types of resource that a message is made for; the first of which there is any counts. */
  readonly source?: { readonly fhir: readonly string[] };
  /** The structure, MSH-9.3. */
  readonly target?: { readonly v2: string };
  /** Of several maps that fit, the one with the lowest is taken. */
  readonly priority?: number;
  readonly events?: readonly V2EventDocument[];
  /** Labels that all parts may use, each for the first of what its selector finds. */
  readonly labels?: Readonly<Record<string, string | readonly string[]>>;
  readonly segments: readonly V2PartDocument[];
}
