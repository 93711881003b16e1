import type { RuleDocument } from '../rule-document.ts';

/** A rule of a map from FHIR to FHIR. `id` is stable, as in other maps. */
export interface FhirRuleDocument extends Pick<
  RuleDocument,
  'id' | 'from' | 'to' | 'const' | 'table' | 'when' | 'also' | 'onUnmapped' | 'override' | 'note'
> {
  /** Which of what `from` finds count: a condition over the item of the list that it is or stands in. */
  readonly where?: string;
  /** What is copied is taken away where it stood. */
  readonly move?: boolean;
  /** Why the element named by `from` is left out. */
  readonly drop?: string;
}

/** From resources of a profile to those of another one. */
export interface FhirMapDocument {
  readonly kind: 'FhirMap';
  readonly id: string;
  readonly extends?: string;
  readonly layer?: string;
  readonly note?: string;
  /** The type of the resources that it is for; others of a Bundle stay as they are. */
  readonly source?: { readonly fhir: string };
  /** The profile that what is made claims, by URL. */
  readonly target?: { readonly fhir: string; readonly profile?: string };
  /** What no rule names: it stays (`keep`, without), or is left out and listed as unconsumed (`leave`). */
  readonly rest?: 'keep' | 'leave';
  /** It also runs over each resource of its type that the maps of HL7 v2 have made, when all else is done. */
  readonly finish?: true;
  readonly rules: readonly FhirRuleDocument[];
}
