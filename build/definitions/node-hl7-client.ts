import { SEGMENT_SPECS, TABLES } from 'node-hl7-client';
import type { Usage } from '../../core/hl7v2/definitions/definitions.ts';
import type { Version } from '../../core/hl7v2/definitions/versions.ts';
import { type DraftElement, toTableId } from './draft.ts';

// The package `node-hl7-client`: the usage of every field by version up to 2.8, datatypes and lengths of the
// newest version alone, no repetitions; the codes of the tables by version.

interface SourceField {
  readonly num: number;
  readonly name: string;
  readonly hl7Type: string;
  readonly usage: Readonly<Record<string, string>>;
  readonly length?: { readonly max?: number };
  readonly table?: number;
}

const usages: Readonly<Record<string, Usage>> = {
  R: 'R',
  O: 'O',
  D: 'C',
  B: 'B',
  W: 'W',
  X: 'X',
};

/** The usage of `PID-3` in a version; undefined where the package does not have the field there. */
export function findUsage(segment: string, field: number, version: Version): Usage | undefined {
  const usage = findFields(segment).find(({ num }) => num === field)?.usage[version];
  return usage === undefined ? undefined : usages[usage];
}

/** The fields of a segment as 2.8 has them, those before a gap left out; repetitions are not told. */
export function readNewestFields(segment: string): ReadonlyMap<number, DraftElement> {
  return new Map(
    findFields(segment)
      .filter(({ usage }) => usage['2.8'] !== undefined)
      .map((field) => [
        field.num,
        {
          name: field.name,
          datatype: field.hl7Type,
          usage: usages[field.usage['2.8'] ?? 'O'] ?? 'O',
          max: 1,
          maxLength: field.length?.max,
          table: toTableId(field.table),
        },
      ]),
  );
}

/** The segments that the package knows in 2.8. */
export function readNewestSegments(): readonly string[] {
  return Object.keys(SEGMENT_SPECS).filter((name) => readNewestFields(name).size > 0);
}

/** The codes of a version's tables, by four digits; tables that the standard does not have are left out. */
export function readCodes(version: Version): ReadonlyMap<string, readonly string[]> {
  const tables = TABLES[version as keyof typeof TABLES];
  return new Map(Object.entries(tables).filter(([id]) => /^\d{4}$/.test(id)));
}

function findFields(segment: string): readonly SourceField[] {
  const specs = SEGMENT_SPECS as unknown as Readonly<
    Record<string, { readonly fields: readonly SourceField[] }>
  >;
  return specs[segment]?.fields ?? [];
}
