import type { Issue } from '../../issue.ts';
import { openFiles } from '../compile.ts';
import type { MapDocument, MappingFile } from '../document.ts';
import type { Located } from '../parse-files.ts';
import { placeIssues } from '../place-issues.ts';
import type { Table } from '../tables.ts';
import type { V2PartDocument } from './document.ts';
import { type ReverseRule, invertRules, toDeclared } from './invert.ts';
import { type CompiledV2Message, compileV2Message } from './message.ts';
import type { ReverseMap } from './produce.ts';

/** All maps of a set of files, turned round. */
export interface CompiledReverse {
  readonly messages: readonly CompiledV2Message[];
  readonly tables: ReadonlyMap<string, Table>;
  /** By map id: what becomes of each of its rules on the way back. */
  readonly rules: ReadonlyMap<string, readonly ReverseRule[]>;
}

/** Compiles mapping files for the way back; what is wrong with the rules of that way is pushed to `issues`. */
export function compileReverseFiles(
  files: readonly MappingFile[],
  layers: readonly string[],
  issues: Issue[],
): CompiledReverse {
  const { bases, tables } = openFiles(files, layers, issues);
  const maps = declare(bases);
  const rules = new Map<string, readonly ReverseRule[]>();
  const messages: CompiledV2Message[] = [];
  for (const { path, document } of bases) {
    const report = (message: string, rule?: string): void => {
      const location = rule === undefined ? path : `${path}:${rule}`;
      issues.push({ code: 'mapping-invalid', severity: 'error', location, message });
    };
    const map = maps.get(document.id);
    if (document.kind === 'V2MessageMap') {
      messages.push(compileV2Message(document, { maps, tables, report }));
      rules.set(document.id, document.segments.flatMap(listPart));
    } else if (map !== undefined) {
      const inverted = invertRules(toRules(document), { maps, tables, map, report });
      map.units = inverted.units;
      rules.set(document.id, inverted.rules);
    }
  }
  placeIssues(issues, files, layers);
  return { messages: messages.sort((a, b) => a.priority - b.priority), tables, rules };
}

/** The rules of a part of a message and of those within, and what it leaves out. */
function listPart(part: V2PartDocument): readonly ReverseRule[] {
  const { id, ignore, forEach = [], rules = [], segments = [] } = part;
  const own =
    ignore === undefined ? [] : [toDeclared({ id, ignore, from: [forEach].flat().join(', ') })];
  return [...own, ...rules.map(toDeclared), ...segments.flatMap(listPart)];
}

function declare(bases: readonly Located<MapDocument>[]): Map<string, ReverseMap> {
  const maps = new Map<string, ReverseMap>();
  for (const { document } of bases) {
    if (document.kind === 'DatatypeMap')
      maps.set(document.id, { id: document.id, segment: '', units: [] });
    const segment =
      document.kind === 'SegmentMap'
        ? document.source.v2
        : document.kind === 'V2SegmentMap'
          ? document.target.v2
          : undefined;
    if (segment !== undefined) maps.set(document.id, { id: document.id, segment, units: [] });
  }
  return maps;
}

/** All rules of a map that only goes back are of that way. */
function toRules(document: MapDocument): Parameters<typeof invertRules>[0] {
  if (document.kind === 'V2SegmentMap') {
    return document.rules.map((rule) => ({ ...rule, dir: 'toV2' as const }));
  }
  return document.kind === 'SegmentMap' || document.kind === 'DatatypeMap' ? document.rules : [];
}
