import { readMappingFilesSync } from '../../connectors/file/mapping-files.ts';
import { runCaseIn } from '../../connectors/file/run-cases.ts';
import { findRulePlaces, findUnexercised } from '../../core/mapping/cases/coverage.ts';
import type { CaseResult } from '../../core/mapping/cases/result.ts';
import { mappingsFolder, readCases } from './support.ts';

const results: CaseResult[] = [];

test.each(readCases())('$file: $name', async (one) => {
  const result = await runCaseIn(mappingsFolder, one);
  results.push(result);
  expect(result.findings.map(({ kind, message }) => `${kind}: ${message}`)).toEqual([]);
});

test('every rule, and every part of a message map, is exercised by a case', () => {
  const places = findRulePlaces(readMappingFilesSync(mappingsFolder));
  const left = findUnexercised(places, results);
  expect(left.map(({ path, line, rule }) => `${path}:${line} ${rule}`)).toEqual([]);
});
