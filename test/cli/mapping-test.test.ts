import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  patientLayer,
  smallMessage,
  writeMappingFiles,
  writeMappings,
} from '../support/small-mappings.ts';
import { makeTempFolder } from '../support/temp.ts';
import { startCommand, type Finished } from './process.ts';

// Every run compiles FHIR's schema.
jest.setTimeout(120_000);

const folder = makeTempFolder('mapping-test');
const run = (...args: string[]): Promise<Finished> =>
  startCommand(['mapping', 'test', ...args, '--mappings', folder]).finished;

const message = smallMessage.replace('\r', '\n    ');
const baseCase = (...more: string[]): string =>
  [`- name: everybody`, `  message: |\n    ${message}`, ...more, ''].join('\n');
const layerCase = `- name: where she was born
  message: |\n    ${message}
  assert: ["Patient.extension.where(url = 'urn:acme:born').value = 'Town'"]
`;

beforeAll(() =>
  writeMappings(
    folder,
    ['tests/all.case.yaml', baseCase("  facts: { 'Patient[0].gender': female }")],
    ['layers/acme/tests/born.case.yaml', layerCase],
  ),
);

describe('hilum mapping test', () => {
  test('exits 0 where every case passes and every rule is exercised, of a layer too', async () => {
    expect(await run()).toEqual({
      code: 0,
      stdout: '2 cases, 0 failed; 8 of 8 rules and parts exercised\n',
      stderr: '',
    });
    expect((await run('--layer', 'acme')).stdout).toBe(
      '1 case, 0 failed; 1 of 1 rules and parts exercised\n',
    );
  });

  test('exits 1 and names what is exercised by no case, and what a case got wrong', async () => {
    writeFileSync(
      path.join(folder, 'tests/all.case.yaml'),
      baseCase("  facts: { 'Patient[0].gender': male }").replace('|F|', '||'),
    );
    const { code, stdout } = await run('PID.Patient', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      cases: [
        { file: 'layers/acme/tests/born.case.yaml', findings: [] },
        { file: 'tests/all.case.yaml', line: 1, findings: [{ kind: 'fact' }] },
      ],
      rules: { total: 6, unexercised: [] },
    });
    const base = await run('ADT_A01');
    expect(base.stdout).toContain('tests/all.case.yaml:1: everybody\n  fact: Patient[0].gender: ');
  });

  test('writes a golden file when it is told to, and fails when the output is another', async () => {
    const golden = path.join(folder, 'tests', 'all.json');
    writeFileSync(path.join(folder, 'tests/all.case.yaml'), baseCase('  golden: all.json'));
    expect((await run()).stdout).toContain('golden: all.json is not there');
    const written = await run('--update');
    expect([written.code, written.stderr]).toEqual([0, expect.stringContaining('all.json')]);
    const text = readFileSync(golden, 'utf8').replace(/"fullUrl": ".*"/, '"fullUrl": "*"');
    writeFileSync(golden, text.replace('"gender": "female"', '"gender": "male"'));
    const other = await run();
    expect([other.code, other.stdout]).toEqual([1, expect.stringContaining('resource.gender')]);
    expect((await run('--update')).code).toBe(0);
    expect(readFileSync(golden, 'utf8')).toBe(text);
  });

  test('knows a layer of code tables alone, and says of a field that HL7 does not have', async () => {
    writeMappingFiles(folder, [
      { path: 'layers/codes/sex.csv', text: 'code,target\nW,female\n' },
      {
        path: 'layers/codes/tests/sex.case.yaml',
        text: baseCase("  facts: { 'Patient[0].gender': female }").replace('|F|', '|W|'),
      },
    ]);
    expect((await run('--layer', 'codes')).stdout).toBe(
      '1 case, 0 failed; 0 of 0 rules and parts exercised\n',
    );
    const more = patientLayer('codes', '{ id: more, override: add, from: PID-99, to: birthDate }');
    writeMappingFiles(folder, [more]);
    const { code, stdout } = await run('--layer', 'codes');
    expect([code, stdout]).toEqual([
      1,
      expect.stringContaining('is exercised by no case; no version of HL7 v2 has PID-99\n'),
    ]);
    rmSync(path.join(folder, 'layers/codes'), { recursive: true });
  });

  test('exits 2 for what is no map or layer, and for a faulty case file', async () => {
    const unknown = await run('PID.Nobody');
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('PID.Nobody')]);
    writeFileSync(path.join(folder, 'tests/all.case.yaml'), '- nam: x\n');
    const layer = patientLayer('other', '{ id: PID-7.birth-date, overide: disable }');
    writeMappingFiles(folder, [layer]);
    const misspelt = await run('--layer', 'other');
    expect(misspelt.stderr).toContain('Did you mean "override"?');
    expect(misspelt.stderr).not.toContain('no such map or layer');
    rmSync(path.join(folder, layer.path));
    const faulty = await run();
    expect([faulty.code, faulty.stderr]).toEqual([
      2,
      expect.stringContaining('tests/all.case.yaml:1: '),
    ]);
  });
});
