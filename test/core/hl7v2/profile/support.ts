import type {
  ElementDefinition,
  FieldDefinition,
  StructureItem,
  VersionDefinitions,
} from '../../../../core/hl7v2/definitions/definitions.ts';
import { applyProfile } from '../../../../core/hl7v2/profile/apply-profile.ts';
import { parseProfile } from '../../../../core/hl7v2/profile/parse-profile.ts';
import type { Profile, ProfileFiles } from '../../../../core/hl7v2/profile/profile.ts';
import type { Issue } from '../../../../core/issue.ts';

/** `PID: SI - CX+ XPN!+`: a field a word; `-` none, `!` required, `+` without end, `#0001` its table. */
const segments: Readonly<Record<string, string>> = {
  MSH: 'ST! ST! HD HD HD HD TS! ST MSG! ST! PT! VID!',
  PID: 'SI CX CX!+ CX+ XPN!+ XPN+ TS IS#0001',
  PV1: 'SI IS!#0004 PL',
  OBR: 'SI EI EI CE! ID',
  OBX: 'SI ID#0125 CE! ST varies+ CE ST IS+ NM ID+ ID!#0085',
  NTE: 'SI ID FT+',
};

const datatypes: Readonly<Record<string, string>> = {
  CX: 'ST ST ID HD ID',
  HD: 'IS ST ID',
  XPN: 'FN ST ST',
  FN: 'ST ST',
  CE: 'ST ST ID ST ST ID',
  EI: 'ST IS ST ID',
  MSG: 'ID ID ID',
  PT: 'ID ID',
  VID: 'ID CE CE',
  TS: 'DTM ID',
  PL: 'IS IS IS HD',
};

const tables: Readonly<Record<string, string>> = {
  '0001': 'F M O U',
  '0085': 'C F P X',
  '0004': '',
};

function toField(word: string): FieldDefinition {
  const [, datatype = '', marks = '', table] = /^(\w+)([!+]*)(?:#(\d+))?$/.exec(word) ?? [];
  const isRequired = marks.includes('!');
  return {
    name: '',
    datatype,
    usage: isRequired ? 'R' : 'O',
    min: isRequired ? 1 : 0,
    max: marks.includes('+') ? Infinity : 1,
    ...(table === undefined ? {} : { table }),
  };
}

const segment = (name: string, min: number, max: number): StructureItem => ({
  kind: 'segment',
  name,
  items: [],
  min,
  max,
});

const group = (
  name: string,
  bounds: readonly [number, number],
  ...items: StructureItem[]
): StructureItem => ({ kind: 'group', name, items, min: bounds[0], max: bounds[1] });

const structure = group(
  'ORU_R01',
  [1, 1],
  segment('MSH', 1, 1),
  group(
    'PATIENT_RESULT',
    [1, Infinity],
    group('PATIENT', [0, 1], segment('PID', 1, 1), segment('PV1', 0, 1)),
    group(
      'ORDER_OBSERVATION',
      [1, Infinity],
      segment('OBR', 1, 1),
      segment('NTE', 0, Infinity),
      group('OBSERVATION', [0, Infinity], segment('OBX', 1, 1), segment('NTE', 0, Infinity)),
      group('SPECIMEN', [0, Infinity], segment('OBX', 0, Infinity)),
    ),
  ),
);

function cached<T>(build: (name: string) => T | undefined): (name: string) => T | undefined {
  const known = new Map<string, T | undefined>();
  return (name) => {
    if (!known.has(name)) known.set(name, build(name));
    return known.get(name);
  };
}

/** A little of 2.5.1: enough for every kind of rule. */
export const base: VersionDefinitions = {
  version: '2.5.1',
  findStructureName: (type, event) => (type === 'ORU' && event === 'R01' ? 'ORU_R01' : undefined),
  findStructure: (name) => (name === 'ORU_R01' ? structure : undefined),
  isMessageType: (type) => type === 'ORU',
  isEvent: (event) => event === 'R01',
  findSegment: cached((name) => {
    const words = segments[name];
    return words === undefined ? undefined : { name, fields: words.split(' ').map(toField) };
  }),
  findDatatype: cached((name) => {
    const words = datatypes[name];
    if (words === undefined) return undefined;
    const components = words
      .split(' ')
      .map((datatype): ElementDefinition => ({ name: '', datatype, usage: 'O' }));
    return { name, components };
  }),
  findTable: cached((id) => {
    const codes = tables[id];
    if (codes === undefined) return undefined;
    const listed = codes.split(' ').filter((code) => code !== '');
    return { id, name: '', kind: 'hl7', codes: new Set(listed) };
  }),
};

const none: ProfileFiles = { find: () => undefined, readCodes: () => undefined };

/** A profile's head, in front of its rules. */
export const head = 'profile: test\nversion: 2.5.1\nmessages: [ORU^R01]\n';

export function read(text: string, files: ProfileFiles = none): Profile {
  const result = parseProfile({ path: 'test.yaml', text }, files);
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.profile;
}

/** The definitions with these rules over them, behind {@link head}. */
export function apply(rules: string, files: ProfileFiles = none): VersionDefinitions {
  const result = applyProfile(base, read(head + rules, files));
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.definitions;
}

/** What is wrong with a profile, by its file or against the version. */
export function findFaults(text: string, files: ProfileFiles = none): readonly Issue[] {
  const result = parseProfile({ path: 'test.yaml', text }, files);
  if (!result.ok) return result.issues;
  const applied = applyProfile(base, result.profile);
  return applied.ok ? [] : applied.issues;
}

/** The item at a place: `PATIENT_RESULT.PATIENT`. */
export function findItem(
  definitions: VersionDefinitions,
  place: string,
): StructureItem | undefined {
  return place
    .split('.')
    .reduce<StructureItem | undefined>(
      (item, name) => item?.items.find((each) => each.name === name),
      definitions.findStructure('ORU_R01'),
    );
}
