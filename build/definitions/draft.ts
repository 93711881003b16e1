import type { Usage } from '../../core/hl7v2/definitions/definitions.ts';
import type { Version } from '../../core/hl7v2/definitions/versions.ts';

/** One version while it is put together: sources write into it, corrections change it. */
export interface Draft {
  readonly version: Version;
  /** In the notation of `parseStructureText`, by name. */
  readonly structures: Map<string, string>;
  /** The structure of each `ADT_A04`, a message type and an event. */
  readonly events: Map<string, string>;
  readonly segments: Map<string, DraftElement[]>;
  readonly datatypes: Map<string, DraftElement[]>;
  readonly tables: Map<string, DraftTable>;
}

/** A field or a component. */
export interface DraftElement {
  name: string;
  datatype: string;
  usage: Usage;
  /** Infinity: without end. */
  max: number;
  maxLength?: number | undefined;
  minLength?: number | undefined;
  conformanceLength?: number | undefined;
  isTruncatable?: boolean | undefined;
  table?: string | undefined;
}

interface DraftTable {
  name: string;
  kind: 'hl7' | 'user';
  readonly codes: Set<string>;
}

/** A draft of a version that starts as another: nothing of it is shared. */
export function copyDraft(draft: Draft, version: Version): Draft {
  const { structures, events, segments, datatypes, tables } = structuredClone(draft);
  return { version, structures, events, segments, datatypes, tables };
}

/** Tables are named by four digits: `0001`. */
export function toTableId(number: number | undefined): string | undefined {
  return number === undefined || number === 0 ? undefined : String(number).padStart(4, '0');
}
