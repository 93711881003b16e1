import type {
  ElementDefinition,
  FieldDefinition,
  StructureItem,
  VersionDefinitions,
} from '../../core/hl7v2/definitions/definitions.ts';

/** A number from 0 up to but not including 1. */
export type Random = () => number;

/** Always the same numbers for the same seed. */
export function seedRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7f_ff_ff_ff;
    return state / 0x80_00_00_00;
  };
}

interface Wish {
  readonly random: Random;
  /** How likely each thing is that may be left out: 0 gives the least, 1 everything. */
  readonly fullness: number;
}

/** The names of segments in an order that the structure allows. */
export function walk(item: StructureItem, wish: Wish): readonly string[] {
  const { random, fullness } = wish;
  if (item.min === 0 && random() >= fullness) return [];
  const least = Math.max(item.min, 1);
  const most = Math.max(least, Math.min(item.max, 3));
  const count = least + Math.floor(random() * (most - least + 1));
  return Array.from({ length: count }, () => walkOnce(item, wish)).flat();
}

function walkOnce(item: StructureItem, wish: Wish): readonly string[] {
  // What stands for any segment.
  if (item.kind === 'segment') return [/^[A-Z][A-Z0-9]{2}$/.test(item.name) ? item.name : 'QQ1'];
  if (item.kind === 'group') return item.items.flatMap((each) => walk(each, wish));
  const chosen = item.items[Math.floor(wish.random() * item.items.length)];
  return chosen === undefined ? [] : walk(chosen, wish);
}

/** Bare segments of these names, for what looks at their order alone. */
export function toBareMessage(names: readonly string[]): string {
  return names.map((name) => (name === 'MSH' ? 'MSH|^~\\&' : `${name}|`)).join('\r');
}

/** A message of the event that conforms to its version: its segments, and in them values of their datatypes. */
export function generate(
  definitions: VersionDefinitions,
  { type, event }: { readonly type: string; readonly event: string },
  wish: Wish,
): string {
  const name = definitions.findStructureName(type, event) ?? '';
  const structure = definitions.findStructure(name);
  if (structure === undefined) throw new Error(`Expected a structure of ${type}^${event}`);
  const header = `MSH|^~\\&|A|B|C|D|20260312120000||${type}^${event}^${name}|1|P|${definitions.version}`;
  const [, ...names] = walk(structure, wish);
  return [header, ...names.map((each) => buildSegment(definitions, each, { ...wish, event }))].join(
    '\r',
  );
}

function buildSegment(
  definitions: VersionDefinitions,
  name: string,
  wish: Wish & { readonly event: string },
): string {
  const fields = definitions.findSegment(name)?.fields ?? [];
  const values = fields.map((field, index) => {
    if (name === 'OBX' && index === 1) return 'ST';
    if (name === 'OBX' && index === 4) return 'text';
    if (name === 'OBX' && index === 10) return 'F';
    return buildField(definitions, field, wish);
  });
  // Rules that look at several fields are not what this is for.
  if (name === 'ORC' || name === 'OBR') values.splice(1, 2, 'P1', 'F1');
  if (name === 'EVN') values[0] = wish.event;
  return [name, ...values].join('|');
}

function buildField(
  definitions: VersionDefinitions,
  field: FieldDefinition,
  { random, fullness }: Wish,
): string {
  if (field.usage === 'W' || field.usage === 'X') return '';
  if (field.usage !== 'R' && random() >= fullness) return '';
  return buildValue(definitions, field, ['^', '&', '']);
}

/** With its required components, and where it has none with the first. */
function buildValue(
  definitions: VersionDefinitions,
  element: ElementDefinition,
  [mark = '', ...deeper]: readonly string[],
): string {
  const { datatype } = element;
  const components = definitions.findDatatype(datatype)?.components ?? [];
  if (datatype === 'TS') return '20260312120000'.slice(0, element.maxLength);
  const [first] = components;
  if (first === undefined) return buildPrimitive(definitions, element);
  // Table and length of the whole are those of the code in it.
  const maxLength = Math.min(element.maxLength ?? Infinity, first.maxLength ?? Infinity);
  const named = {
    ...first,
    maxLength,
    ...(element.table === undefined ? {} : { table: element.table }),
  };
  const code = isCoded(datatype) ? named : first;
  if (mark === '') return buildValue(definitions, code, []);
  const values = components.map((component, index) =>
    index === 0
      ? buildValue(definitions, code, deeper)
      : component.usage === 'R'
        ? buildValue(definitions, component, deeper)
        : '',
  );
  return values.join(mark).replace(/[\^&]+$/, '');
}

function isCoded(datatype: string): boolean {
  return ['CE', 'CF', 'CNE', 'CWE', 'CSU'].includes(datatype);
}

const primitives: Readonly<Record<string, string>> = {
  NM: '1',
  SI: '1',
  SNM: '1',
  DT: '20260312',
  TM: '1200',
  DTM: '20260312120000',
};

function buildPrimitive(
  definitions: VersionDefinitions,
  { datatype, table, minLength = 0, ...lengths }: ElementDefinition,
): string {
  const { maxLength: most = Infinity, conformanceLength = Infinity } = lengths;
  const maxLength = Math.min(most, conformanceLength);
  const known = primitives[datatype];
  if (known !== undefined) return known.slice(0, maxLength);
  const codes = [...(definitions.findTable(table ?? '')?.codes ?? [])];
  const fitting = codes.find((code) => code.length <= maxLength);
  // Some versions' codes are longer than their field.
  if (fitting === undefined && codes.length > 0) return '';
  return fitting ?? 'x'.repeat(Math.max(1, minLength, Math.min(maxLength, 3)));
}
