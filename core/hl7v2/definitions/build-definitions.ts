import type { CompactTexts, CompactVersion } from './compact.ts';
import type {
  DatatypeDefinition,
  Definitions,
  ElementDefinition,
  FieldDefinition,
  SegmentDefinition,
  TableDefinition,
  Usage,
  VersionDefinitions,
} from './definitions.ts';
import { parseStructureText } from './structure-text.ts';
import type { Version } from './versions.ts';

/**
 * The definitions of all versions from their compact texts (`CompactVersion` as JSON). A version is read when
 * it is first asked for, and within it each structure, segment, datatype and table likewise; both are kept.
 */
export function buildDefinitions(read: (version: Version) => string): Definitions {
  const known = new Map<Version, VersionDefinitions>();
  const of = (version: Version): VersionDefinitions => {
    let definitions = known.get(version);
    if (definitions === undefined) {
      const compact = JSON.parse(read(version)) as CompactVersion;
      definitions = { ...buildVersion(version, compact), newest: () => of(newest) };
      known.set(version, definitions);
    }
    return definitions;
  };
  return { of };
}

const newest: Version = '2.8.2';

function buildVersion(version: Version, compact: CompactVersion): VersionDefinitions {
  const findEvents = keep(compact.events, toEvents);
  const findTable = keep(compact.tables, toTable);
  let events: ReadonlySet<string> | undefined;
  return {
    version,
    // Any event may be acknowledged: the table names few of them.
    findStructureName: (type, event) =>
      findEvents(type)?.get(event) ?? (type === 'ACK' ? 'ACK' : undefined),
    findStructure: keep(compact.structures, parseStructureText),
    isMessageType: (type) =>
      findTable('0076')?.codes.has(type) === true || Object.hasOwn(compact.events, type),
    isEvent(event) {
      events ??= new Set([
        ...(findTable('0003')?.codes ?? []),
        ...Object.keys(compact.events).flatMap((type) => [...(findEvents(type)?.keys() ?? [])]),
      ]);
      return events.has(event);
    },
    findSegment: keep(compact.segments, toSegment),
    findDatatype: keep(compact.datatypes, toDatatype),
    findTable,
  };
}

/** Reads the text of a name when it is first asked for, and keeps what came of it. */
function keep<T>(
  texts: CompactTexts,
  parse: (name: string, text: string) => T,
): (name: string) => T | undefined {
  const known = new Map<string, T>();
  return (name) => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const text = Object.hasOwn(texts, name) ? texts[name] : undefined;
    if (text === undefined) return undefined;
    const parsed = parse(name, text);
    known.set(name, parsed);
    return parsed;
  };
}

function toEvents(type: string, text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(' ').map((word): [string, string] => {
      const [event = '', structure = `${type}_${event}`] = word.split('=');
      return [event, structure];
    }),
  );
}

function toTable(id: string, text: string): TableDefinition {
  const [first = '', ...codes] = text.split('\n');
  const space = first.indexOf(' ');
  const kind = first.slice(0, space) === 'hl7' ? 'hl7' : 'user';
  return { id, name: first.slice(space + 1), kind, codes: new Set(codes) };
}

function toSegment(name: string, text: string): SegmentDefinition {
  return { name, fields: toLines(text).map(toField) };
}

function toDatatype(name: string, text: string): DatatypeDefinition {
  return { name, components: toLines(text).map((line) => toElement(line.split('|'))) };
}

const toLines = (text: string): readonly string[] => (text === '' ? [] : text.split('\n'));

function toField(line: string): FieldDefinition {
  const columns = line.split('|');
  const element = toElement(columns);
  const repetitions = columns[2] ?? '';
  return {
    ...element,
    min: element.usage === 'R' ? 1 : 0,
    max: repetitions === '*' ? Infinity : Number(repetitions || 1),
  };
}

/** Columns as in `CompactVersion.segments`. */
function toElement(columns: readonly string[]): ElementDefinition {
  const [datatype = '', usage, , length = '', conformance = '', table = '', ...name] = columns;
  const [least, most] = length.includes('..') ? length.split('..') : [undefined, length];
  return {
    name: name.join('|'),
    datatype,
    usage: (usage || 'O') as Usage,
    ...(least === undefined ? {} : { minLength: Number(least) }),
    ...(most ? { maxLength: Number(most) } : {}),
    ...(conformance === ''
      ? {}
      : {
          conformanceLength: Number(conformance.slice(0, -1)),
          isTruncatable: conformance.endsWith('#'),
        }),
    ...(table === '' ? {} : { table }),
  };
}
