import type { ConceptMapDocument } from '../../../../core/mapping/document.ts';
import type { Issue } from '../../../../core/issue.ts';
import { parseSheet } from '../../../../core/mapping/guide/sheet.ts';
import { compareTables, guideSystem, readCodes } from '../../../../core/mapping/guide/tables.ts';

const issues: Issue[] = [];
const path = 'codesystems/HL7 Concept Map_ AdministrativeSex - Sheet1.csv';
const sheet = parseSheet(
  {
    path,
    text: [
      'HL7 v2,,,Condition (IF True),,,HL7 FHIR,,,,,Comments',
      'Code,Text,Code System,Computable ANTLR,Computable FHIRPath,Narrative,Code,,Display,Code System,,',
      'F,x,HL70001,,,,female,,x,http://hl7.org/fhir/administrative-gender,,',
      'M,x,HL7-0001,,,,male,,x,http://hl7.org/fhir/administrative-gender,,',
      'O,x,HL70001,,,,other,,x,http://hl7.org/fhir/administrative-gender,,',
      '01,x,HL70001,,,,,,,,,',
      ',,,,,,unknown,,x,http://hl7.org/fhir/administrative-gender,,',
      'F,x,HL70001,,,,other,,x,http://hl7.org/fhir/administrative-gender,,',
      'Q,x,HL70001,,,,Create JIRA: a long story,,x,,,',
      'R,x,local,,,,other,,x,http://hl7.org/fhir/administrative-gender,,',
    ].join('\n'),
  },
  issues,
);
if (sheet === undefined) throw new Error(JSON.stringify(issues));

const table = (...codes: readonly [string, string?][]): ConceptMapDocument => ({
  resourceType: 'ConceptMap',
  id: 'sex',
  identifier: { system: guideSystem, value: 'AdministrativeSex' },
  group: [
    {
      target: 'http://hl7.org/fhir/administrative-gender',
      element: codes.map(([code, target]) =>
        target === undefined ? { code } : { code, target: [{ code: target }] },
      ),
    },
  ],
});

test('reads codes with the systems of source and target, and says which rows are no use', () => {
  const { codes, faults } = readCodes(sheet);
  const source = 'http://terminology.hl7.org/CodeSystem/v2-0001';
  const system = 'http://hl7.org/fhir/administrative-gender';
  expect(codes).toEqual([
    { line: 3, source, code: 'F', target: { system, code: 'female' } },
    { line: 4, source, code: 'M', target: { system, code: 'male' } },
    { line: 5, source, code: 'O', target: { system, code: 'other' } },
    { line: 6, source, code: '01' },
  ]);
  expect(faults.map(({ line, code }) => [line, code])).toEqual([
    [8, 'F'],
    [9, 'Q'],
    [10, 'R'],
  ]);
});

test('tells codes that our table lacks and those for which it decides otherwise', () => {
  const { differences, count } = compareTables(
    [sheet],
    [table(['F', 'female'], ['M', 'other'], ['01'])],
  );
  expect(differences.map(({ kind, location }) => `${kind} ${location}`)).toEqual([
    `code-faulty ${path}:8`,
    `code-faulty ${path}:9`,
    `code-faulty ${path}:10`,
    `code-unmapped ${path}:5`,
    `code-differs ${path}:4`,
  ]);
  expect(count).toMatchObject({ sheets: 1, followed: 1, rows: 4, mapped: 3, unmapped: 1 });
});

test('a sheet that no table follows is one difference', () => {
  const { differences } = compareTables([sheet], []);
  expect(differences.filter(({ kind }) => kind === 'sheet-unmapped')).toHaveLength(1);
});
