import { type Mapper, type MappingFile, compileMappings } from '../../core/mapping/mapper.ts';
import { parseFiles } from '../../core/mapping/parse-files.ts';
import type { V2PartDocument } from '../../core/mapping/reverse/document.ts';
import { type ReverseMapper, compileReverse } from '../../core/mapping/reverse.ts';

/** The maps of both ways, and what a law has to know of their rules. */
export interface Ways {
  readonly mapper: Mapper;
  readonly reverse: ReverseMapper;
  /** The rules of segment maps by the field that they take: `PID-3`. */
  readonly fields: ReadonlyMap<string, readonly FieldRule[]>;
  /** Rules that have another map make the element. */
  readonly vias: ReadonlySet<string>;
  /** By event, the maps that are of any use to it on the way back. */
  readonly used: ReadonlyMap<string, ReadonlySet<string>>;
}

interface FieldRule {
  readonly map: string;
  readonly id: string;
  /** The type of resource that the map makes or is of. */
  readonly type: string;
  readonly hasTable: boolean;
  /** Of a time only the day is taken. */
  readonly isDay: boolean;
}

/** Compiles both ways; throws where a file is faulty. */
export function openWays(files: readonly MappingFile[]): Ways {
  const there = compileMappings(files);
  const back = compileReverse(files);
  if (!there.ok || !back.ok) throw new Error('the mappings do not compile');
  const documents = parseFiles(files, []).maps.map(({ document }) => document);
  const fields = new Map<string, FieldRule[]>();
  const vias = new Map<string, string>();
  for (const document of documents) {
    if (document.kind !== 'SegmentMap' && document.kind !== 'DatatypeMap') continue;
    if (document.layer !== undefined) continue;
    for (const { id, from, dir, ignore, via, table, fn } of document.rules) {
      if (via !== undefined) vias.set(`${document.id}#${id}`, via);
      if (document.kind !== 'SegmentMap' || from === undefined) continue;
      if (ignore !== undefined || dir === 'toV2') continue;
      const field = toField(from);
      const [type = ''] = document.target.fhir.split('.');
      const rule = {
        ...{ map: document.id, id, type },
        hasTable: table !== undefined,
        isDay: fn === 'date',
      };
      fields.set(field, [...(fields.get(field) ?? []), rule]);
    }
  }
  const used = new Map<string, Set<string>>();
  for (const document of documents) {
    if (document.kind !== 'V2MessageMap') continue;
    const maps = findUsed(document.segments, vias, back.mapper);
    for (const { event } of document.events ?? []) used.set(event, maps);
  }
  return { mapper: there.mapper, reverse: back.mapper, fields, vias: new Set(vias.keys()), used };
}

/** `PID-3` of `PID-3[1].4.1`. */
export const toField = (place: string): string =>
  place.replace(/\[[^\]]*\]/g, '').replace(/\..*/, '');

/** Those that parts of the message name, and those that these have make their elements. */
function findUsed(
  parts: readonly V2PartDocument[],
  vias: ReadonlyMap<string, string>,
  reverse: ReverseMapper,
): Set<string> {
  const used = new Set<string>();
  const visit = (part: V2PartDocument): void => {
    for (const text of part.maps ?? []) used.add(text.split(' ')[0] ?? '');
    for (const { via } of part.rules ?? []) if (via !== undefined) used.add(via);
    for (const inner of part.segments ?? []) visit(inner);
  };
  for (const part of parts) visit(part);
  for (const map of used) {
    for (const { id, reverse: way } of reverse.rulesOf(map) ?? []) {
      const via = vias.get(`${map}#${id}`);
      if (via !== undefined && way !== 'none') used.add(via);
    }
  }
  return used;
}
