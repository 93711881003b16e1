import type { RuleDocument } from '../rule-document.ts';

/** A rule of a map from HL7 v2 to HL7 v2. `id` is stable, as in other maps. */
export interface V2RuleDocument extends Pick<
  RuleDocument,
  'id' | 'from' | 'to' | 'const' | 'table' | 'when' | 'onUnmapped' | 'override' | 'note'
> {
  /** What is copied is emptied where it stood. */
  readonly move?: boolean;
  /** Why the field or segment named by `from` is left out. */
  readonly drop?: string;
}

/** From messages of one version or site to those of another: what no rule names stays as it stands. */
export interface V2MapDocument {
  readonly kind: 'V2Map';
  readonly id: string;
  readonly extends?: string;
  readonly layer?: string;
  readonly note?: string;
  /** The version (MSH-12) and the messages (`ADT^A01`) that it is for; all without. */
  readonly source?: { readonly v2?: string; readonly messages?: readonly string[] };
  /** The version that its messages are of, which MSH-12 then names. */
  readonly target?: { readonly v2: string };
  readonly rules: readonly V2RuleDocument[];
}
