/**
 * One version's definitions as `dist/definitions/<version>.json` holds them: a text for each thing, so that
 * what is never asked for is never taken apart. Written by `build/definitions`, read by `buildDefinitions`.
 */
export interface CompactVersion {
  readonly version: string;
  /** In the notation of `parseStructureText`, by name. */
  readonly structures: CompactTexts;
  /** By message type: `A01 A04=ADT_A01`, the event alone where the structure is named after both. */
  readonly events: CompactTexts;
  /**
   * A line for each field: datatype, usage, repetitions, length, conformance length, table and name, between
   * them `|`. The usage is empty for O, repetitions are for 1, `*` stands for no end; the length is `20` or
   * `1..20`, the conformance length `20=` or, where it may be truncated, `20#`. The name is last, since it
   * may hold anything.
   */
  readonly segments: CompactTexts;
  /** A line for each component, as for a field. */
  readonly datatypes: CompactTexts;
  /** First line `hl7 Administrative Sex` or `user …`, then a line for each code. */
  readonly tables: CompactTexts;
}

export type CompactTexts = Readonly<Record<string, string>>;
