import type { HeldCode } from '../../../core/held-code.ts';
import { buildIsAwaited, type HoldingNode } from '../../../core/mapping/awaited.ts';
import type { MappingFile } from '../../../core/mapping/document.ts';
import { buildMappings } from '../../../core/mapping/mappings.ts';
import { smallMappings } from '../../support/small-mappings.ts';

const held: HeldCode = {
  ...{ node: 'map', layers: 'acme', map: 'PID.Patient', rule: 'PID-8.gender' },
  ...{ table: 'sex', code: 'X', source: 'PID-8' },
};
const asked: HeldCode = { node: 'ask', layers: 'acme', table: 'sex', code: 'X', source: 'PID-8' };

/** The small mappings with `hold` in their table, and one file otherwise. */
function withFile(name: string, edit: (text: string) => string): readonly MappingFile[] {
  return smallMappings.map((file) => {
    const text = file.path === 'tables/sex.csv' ? `${file.text}*,,` : file.text;
    const head = text
      .replace('code,target', 'code,target,equivalence')
      .replaceAll(/^([FM],\w+)$/gm, '$1,');
    const holding = file.path === 'tables/sex.csv' ? `${head}hold\n` : file.text;
    return file.path === name ? { path: name, text: edit(holding) } : { ...file, text: holding };
  });
}

function isAwaited(
  files: readonly MappingFile[],
  code: HeldCode,
  node: HoldingNode = { layers: ['acme'] },
): boolean {
  return buildIsAwaited(
    files,
    buildMappings(() => files),
  )(code, node);
}

const asIs = withFile('', (text) => text);

it.each([
  ['nothing has changed', asIs, held, true],
  ['another code', withFile('tables/sex.csv', (text) => `${text}Y,other,\n`), held, true],
  ['the code in the table', withFile('tables/sex.csv', (text) => `${text}X,other,\n`), held, false],
  ['the code without a target', withFile('tables/sex.csv', (text) => `${text}X,,\n`), held, false],
  [
    'the code in a layer',
    withFile('layers/acme/sex.csv', (text) => `${text}X,other\n`),
    held,
    false,
  ],
  [
    'a code for all others',
    withFile('tables/sex.csv', (text) => text.replace('*,,hold', '*,other,')),
    held,
    false,
  ],
  [
    'a table that keeps',
    withFile('tables/sex.csv', (text) => text.replace('hold', 'keep')),
    held,
    false,
  ],
  [
    'a rule that omits',
    withFile('segment/PID.Patient.map.yaml', (text) =>
      text.replace('table: sex', 'table: sex, onUnmapped: omit'),
    ),
    held,
    false,
  ],
  [
    'a rule of another table',
    withFile('segment/PID.Patient.map.yaml', (text) => text.replace('table: sex', 'fn: code')),
    held,
    false,
  ],
  [
    'a rule of another name',
    withFile('segment/PID.Patient.map.yaml', (text) => text.replace('PID-8.gender', 'sex')),
    held,
    true,
  ],
  ['no such table', asIs, { ...held, table: 'none' }, false],
  ['a node that asks the table', asIs, asked, true],
  ['a code of FHIR that nothing becomes', asIs, { ...held, code: 'unknown', isTarget: true }, true],
  ['a code of FHIR that another becomes', asIs, { ...held, code: 'female', isTarget: true }, false],
] as const)('says whether a message still waits, with %s', (_, files, code, expected) => {
  expect(isAwaited(files, code)).toBe(expected);
});

it('goes by the layers and the policy that the node has now', () => {
  const files = withFile('layers/acme/sex.csv', (text) => `${text}X,other\n`);
  expect(isAwaited(files, asked, { layers: [] })).toBe(true);
  expect(isAwaited(files, asked, { layers: ['acme'] })).toBe(false);
  expect(isAwaited(files, asked, { layers: [], onUnmapped: 'keep' })).toBe(false);
});

it('is not for codes of another system than the table', () => {
  const files = withFile(
    'tables/sex.csv',
    () => 'code,target,source\nF,female,urn:id:L\n*,,\n',
  ).map((file) =>
    file.path === 'tables/sex.csv'
      ? { ...file, text: 'code,target,source,equivalence\nF,female,urn:id:L,\n*,,,hold\n' }
      : file,
  );
  expect(isAwaited(files, { ...held, system: 'urn:id:L' })).toBe(true);
  expect(isAwaited(files, { ...held, system: 'urn:id:99LAB' })).toBe(false);
});
