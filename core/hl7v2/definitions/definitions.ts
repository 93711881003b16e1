import type { Version } from './versions.ts';

/**
 * What HL7 v2 says about messages, a version at a time, each read when it is first asked for. Handed in:
 * the core reads no files.
 */
export interface Definitions {
  /** Throws when the definitions of that version cannot be read: the installation is broken. */
  of(version: Version): VersionDefinitions;
}

/**
 * One version's structures, segments, datatypes and tables; or those of a version with a conformance
 * profile laid over it, which is the same shape with stricter (or, where a site says so, laxer) rules.
 */
export interface VersionDefinitions {
  readonly version: Version;
  /** The newest version's: a code that only a later version has is understood. Absent: nobody knows it. */
  readonly newest?: () => VersionDefinitions;
  /** HL7 table 0354: the structure of an event, `('ADT', 'A04')` gives `ADT_A01`. */
  findStructureName(type: string, event: string): string | undefined;
  /** By its name, `ORU_R01`. Always the same object, so that whoever prepares it may keep what it made. */
  findStructure(name: string): StructureItem | undefined;
  /** Whether table 0076 has the message type. */
  isMessageType(type: string): boolean;
  /** Whether table 0003 has the trigger event. */
  isEvent(event: string): boolean;
  /** Always the same object for a name, see {@link findStructure}. */
  findSegment(name: string): SegmentDefinition | undefined;
  findDatatype(name: string): DatatypeDefinition | undefined;
  /** By four digits, `0001`. */
  findTable(id: string): TableDefinition | undefined;
}

/**
 * The name of an item that any segment may take the place of, Z segments too: some structures of queries,
 * master files and care plans leave it to the profile or the site. No segment's definition has it.
 */
export const anySegment = 'Hxx';

/** A segment, a group or a choice in a message structure. */
export interface StructureItem {
  readonly kind: 'segment' | 'group' | 'choice';
  /** The segment's name (`OBX`), {@link anySegment}, or the group's (`ORDER_OBSERVATION`). */
  readonly name: string;
  /** What a group consists of, in order, or what a choice is between; empty for a segment. */
  readonly items: readonly StructureItem[];
  /** 0: optional. */
  readonly min: number;
  /** Infinity: without end. */
  readonly max: number;
  /** The rules of the segment at this very place, where a profile has some; else those of its name. */
  readonly definition?: SegmentDefinition;
  /** From a profile: RE (warn when it is absent), X (must be absent). */
  readonly usage?: Usage;
}

/**
 * R required, RE required but may be empty, O optional, C conditional, X not supported, B kept for
 * backward compatibility, W withdrawn. HL7 v2 chapter 2B, usage.
 */
export type Usage = 'R' | 'RE' | 'O' | 'C' | 'X' | 'B' | 'W';

/** What is said about a field, a component or a sub-component. */
export interface ElementDefinition {
  /** The standard's name for it, such as `Patient Name`; may be `''`. */
  readonly name: string;
  /** `CX`, `ST`; `varies` where another field tells it. */
  readonly datatype: string;
  readonly usage: Usage;
  /** In characters: the longest that may be sent. From 2.7 on the most of the normative length. */
  readonly maxLength?: number;
  /** From a profile: `maxLength` is meant of all components together, also where they have lengths of their own. */
  readonly isLengthAgreed?: boolean;
  readonly minLength?: number;
  /** In characters. From 2.7 on: what every receiver must be able to take. */
  readonly conformanceLength?: number;
  /** From 2.7 on: a value beyond its length may be cut off and marked with the truncation character. */
  readonly isTruncatable?: boolean;
  /** The table of its codes, `0001`. */
  readonly table?: string;
  /** From a profile: the only value that it may have. */
  readonly fixed?: string;
  /** From a profile: the codes that it may have, in place of the table's. */
  readonly codes?: CodeSet;
  /** From a profile, with usage C. */
  readonly condition?: ConditionalUsage;
  /** From a profile: agreed as it is here, whatever is known about the version's own rule. */
  readonly isAgreed?: boolean;
  /** From a profile: in place of what the datatype has. */
  readonly components?: readonly ElementDefinition[];
}

export interface FieldDefinition extends ElementDefinition {
  /** The fewest repetitions that must be there, where the usage asks for any. */
  readonly min: number;
  /** Infinity: without end. */
  readonly max: number;
}

/** C(a/b): one usage where the condition holds, the other where it does not. */
export interface ConditionalUsage {
  /** For people: `OBX-5 is valued`. */
  readonly text: string;
  readonly holds: (context: ConditionContext) => boolean;
  readonly then: Usage;
  readonly otherwise: Usage;
}

/** What a condition may look at: the values of the segment that it stands in, and of the whole message. */
export interface ConditionContext {
  /** Values at a path within this segment (`2`, `3.1`) or in the message (`MSH-9.2`); empty where there are none. */
  all(path: string): readonly string[];
}

export interface CodeSet {
  /** For people: `of the site`, `HL7 table 0001`. */
  readonly name: string;
  has(code: string): boolean;
  /** Whether another code is an error, or only a warning. */
  readonly isClosed: boolean;
}

export interface SegmentDefinition {
  readonly name: string;
  /** `fields[0]` is field 1. */
  readonly fields: readonly FieldDefinition[];
}

export interface DatatypeDefinition {
  readonly name: string;
  /** `components[0]` is component 1; none for a primitive one. */
  readonly components: readonly ElementDefinition[];
}

export interface TableDefinition {
  readonly id: string;
  readonly name: string;
  /** Codes of HL7 tables are binding, user-defined ones are suggestions. */
  readonly kind: 'hl7' | 'user';
  /** Empty where the standard lists none. */
  readonly codes: ReadonlySet<string>;
}
