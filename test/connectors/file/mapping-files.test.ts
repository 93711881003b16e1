import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readMappingFilesSync } from '../../../connectors/file/mapping-files.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hilum-mappings-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(name: string): void {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, 'x');
}

test('of a layer what is misnamed is read, to be refused, and what is of a tool or a test is not', () => {
  [
    'layers/acme/PID.Patient.map.yaml',
    'layers/acme/PID.Patient.yaml',
    'layers/acme/wards.CSV',
    'layers/acme/tests/acme.case.yaml',
    'layers/acme/notes.md',
    'layers/acme/.gitlab-ci.yml',
    'layers/acme/.github/workflows/check.yml',
    'other/notes.yaml',
  ].forEach(write);
  expect(readMappingFilesSync(folder).map((file) => file.path)).toEqual([
    'layers/acme/PID.Patient.map.yaml',
    'layers/acme/PID.Patient.yaml',
    'layers/acme/wards.CSV',
  ]);
});
