import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse as parseYaml } from 'yaml';
import { readCaseFilesSync } from '../../connectors/file/case-files.ts';
import { readMappingFilesSync } from '../../connectors/file/mapping-files.ts';
import { toPublishedSchemas } from '../../core/mapping/published-schemas.ts';
import { mappingsFolder } from './support.ts';

const published = Object.entries(toPublishedSchemas());
const read = (name: string): unknown =>
  JSON.parse(readFileSync(path.join(mappingsFolder, 'schema', name), 'utf8'));

test.each(published)('%s is as the code validates; `npm run build` writes it', (name, schema) => {
  expect(read(name)).toEqual(schema);
});

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictRequired: false });
const validators = new Map(published.map(([name]) => [name, ajv.compile(read(name) as object)]));

const schemaOf = (file: string, text: string): string => {
  if (file.endsWith('.conceptmap.json')) return 'conceptmap.schema.json';
  if (file.endsWith('.case.yaml')) return 'case.schema.json';
  if (text.includes('kind: MessageBlock')) return 'message-block.schema.json';
  if (text.includes('kind: V2MessageMap')) return 'v2-message-map.schema.json';
  if (text.includes('kind: V2Map\n')) return 'v2-map.schema.json';
  if (text.includes('kind: FhirMap\n')) return 'fhir-map.schema.json';
  return text.includes('kind: MessageMap') ? 'message-map.schema.json' : 'map.schema.json';
};

test('every shipped file is valid by its published schema', () => {
  const files = [...readMappingFilesSync(mappingsFolder), ...readCaseFilesSync(mappingsFolder)];
  const invalid = files
    .filter(({ path: file }) => !file.endsWith('.csv'))
    .filter(
      ({ path: file, text }) => validators.get(schemaOf(file, text))?.(parseYaml(text)) !== true,
    );
  expect(invalid.map(({ path: file }) => file)).toEqual([]);
});

test('a typing error is none of the schema', () => {
  const rule = { id: 'PID-3.identifier', form: 'PID-3', to: 'identifier[+]' };
  const map = {
    kind: 'SegmentMap',
    id: 'PID.Patient',
    source: { v2: 'PID' },
    target: { fhir: 'Patient' },
  };
  expect(validators.get('map.schema.json')?.({ ...map, rules: [rule] })).toBe(false);
});
