import type { HeldCode, TableRow } from '../../../core/held-code.ts';
import type { MappingFile } from '../../../core/mapping/document.ts';
import { buildMappings } from '../../../core/mapping/mappings.ts';
import { buildFindTableRow } from '../../../core/mapping/table-row.ts';

const held: HeldCode = { node: 'n', layers: '', table: 'wards', code: '7 W', source: 'PV1-3' };
const json = (system: string): string =>
  JSON.stringify({
    ...{ resourceType: 'ConceptMap', id: 'wards', status: 'active' },
    group: [
      {
        target: system,
        element: [{ code: '1', target: [{ code: 'A', equivalence: 'equivalent' }] }],
      },
    ],
  });
const base: MappingFile = {
  path: 'tables/wards.csv',
  text: '\uFEFFtarget;code;system\nA;1;urn:w\n',
};
const ofLayer = (layer: string): MappingFile => ({
  path: `layers/${layer}/wards.csv`,
  text: 'code,target\n2,B\n',
});
const inJson: MappingFile = { path: 'tables/wards.conceptmap.json', text: json('urn:w') };

function find(
  files: readonly MappingFile[],
  layers: readonly string[],
  code: Partial<HeldCode> = {},
): TableRow | undefined {
  const table = buildMappings(() => files).table(held.table, layers);
  return buildFindTableRow(files)({ ...held, ...code }, { layers, table });
}

it.each<[string, MappingFile[], string[], Partial<HeldCode>, TableRow | undefined]>([
  ['the columns of the file', [base], [], {}, { file: base.path, row: 'TARGET;7 W;urn:w' }],
  [
    'the uppermost layer',
    [base, ofLayer('acme'), ofLayer('site')],
    ['acme', 'site'],
    {},
    { file: 'layers/site/wards.csv', row: '7 W,TARGET' },
  ],
  [
    'a layer that is not over it',
    [base, ofLayer('acme')],
    [],
    {},
    { file: base.path, row: 'TARGET;7 W;urn:w' },
  ],
  [
    'a cell that is quoted',
    [base, ofLayer('acme')],
    ['acme'],
    { code: 'a "b", c' },
    { file: 'layers/acme/wards.csv', row: '"a ""b"", c",TARGET' },
  ],
  [
    'a new file of the layer',
    [
      inJson,
      { path: 'layers/acme/other.csv', text: 'code,target\n' },
      { path: 'tables/other.csv', text: 'code,target\n' },
    ],
    ['acme'],
    {},
    {
      file: 'layers/acme/wards.csv',
      head: 'code,target,system,display,equivalence',
      row: '7 W,TARGET,urn:w,,equivalent',
    },
  ],
  [
    'an element of the ConceptMap',
    [inJson],
    [],
    {},
    {
      file: inJson.path,
      row: '{"code":"7 W","target":[{"code":"TARGET","equivalence":"equivalent"}]}',
    },
  ],
  [
    'a code of FHIR',
    [base],
    [],
    { code: 'ICU', isTarget: true },
    { file: base.path, row: 'ICU;CODE;urn:w' },
  ],
  ['no such table', [base], [], { table: 'none' }, undefined],
])('says where a code is added: %s', (_, files, layers, code, expected) => {
  expect(find(files, layers, code)).toEqual(expected);
});

it('reads the files once, however many codes are asked for', () => {
  let reads = 0;
  const map: MappingFile = {
    path: 'datatype/XX.map.yaml',
    get text() {
      reads += 1;
      return 'kind: DatatypeMap\n';
    },
  };
  const findRow = buildFindTableRow([map, base]);
  for (const code of ['1 E', '2 E', '3 E']) {
    expect(findRow({ ...held, code }, { layers: [], table: undefined })?.row).toContain(code);
  }
  expect(reads).toBe(1);
});
