import { cpSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { mappingsFolder } from '../mappings/support.ts';
import { writeMappingFiles } from '../support/small-mappings.ts';
import { makeTempFolder } from '../support/temp.ts';
import { startCommand } from './process.ts';

// Every run compiles FHIR's schema and all maps.
jest.setTimeout(240_000);

const guide = readFileSync(path.resolve('docs', 'mapping.md'), 'utf8');
const [, steps = ''] = /### Your own rules, step by step\n([^]*?)\n### /.exec(guide) ?? [];

/** The block of the guide that has these words, as it would be saved. */
function findBlock(words: string): string {
  const blocks = [...steps.matchAll(/^ {3}```\w*\n([^]*?)^ {3}```$/gm)].map(
    ([, text = '']) => text,
  );
  const [found, ...others] = blocks.filter((text) => text.includes(words));
  if (found === undefined || others.length > 0) throw new Error(`expected one block: ${words}`);
  return found.replace(/^ {3}/gm, '');
}

const toRow = (line: string): string =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
    .join(';');

/** The table of the guide as a spreadsheet would save it, where semicolons separate. */
const codes = (steps.match(/^ {3}\| [c0].*\|$/gm) ?? []).map(toRow).join('\r\n');

const severalAddresses = `- name: PID-12 beside addresses
  header: 'MSH|^~\\&|ADT|CLINIC|EHR|EHR|20260102093000+0100||ADT^A08|M1|P|2.5.1'
  segments: ['PID|1||A1^^^CLINIC^MR||Low^Al||||||Way 1^^Town~Way 2^^Town|W7']
  assert: [Patient.address.district.empty()]
- name: PID-12 beside a county
  header: 'MSH|^~\\&|ADT|CLINIC|EHR|EHR|20260102093000+0100||ADT^A08|M1|P|2.5.1'
  segments: ['PID|1||A1^^^CLINIC^MR||Low^Al||||||Way 1^^Town^^^^^^C1|W7']
  assert: [Patient.address.district = 'C1']
`;

test('the rules of the guide do what it says, with any addresses beside them', async () => {
  const folder = makeTempFolder('mapping-guide');
  cpSync(mappingsFolder, folder, { recursive: true });
  rmSync(path.join(folder, 'tests'), { recursive: true });
  const layer = 'layers/clinic';
  writeMappingFiles(folder, [
    { path: `${layer}/PID.Patient.map.yaml`, text: findBlock('extends: PID.Patient') },
    { path: `${layer}/administrative-gender.csv`, text: `\uFEFF${codes}\r\n` },
    { path: `${layer}/tests/clinic.case.yaml`, text: findBlock('assert:') + severalAddresses },
  ]);
  const run = ['mapping', 'test', '--layer', 'clinic', '--mappings', folder];
  expect(await startCommand(run).finished).toEqual({
    code: 0,
    stdout: '3 cases, 0 failed; 1 of 1 rules and parts exercised\n',
    stderr: '',
  });
});
