import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDefinitions } from '../../../connectors/file/definition-files.ts';
import { usualDelimiters } from '../../../core/hl7v2/delimiters.ts';
import { buildErrorSegments, findCondition } from '../../../core/hl7v2/error-segment.ts';
import { validate } from '../../../core/hl7v2/validate.ts';
import type { Issue } from '../../../core/issue.ts';
import { build, parse } from './support.ts';

function buildAt(location: string, version: string): readonly string[] {
  const issue: Issue = { code: 'value-invalid', severity: 'error', location, message: 'x' };
  return buildErrorSegments([issue], usualDelimiters, version).map(
    (segment) => segment.split('|')[version < '2.5' ? 1 : 2] ?? '',
  );
}

describe('a place in a message', () => {
  it.each([
    ['PV1', 'PV1^1', 'PV1^1^'],
    ['OBX[3]', 'OBX^3', 'OBX^3^'],
    ['PID-7', 'PID^1^7^1', 'PID^1^7'],
    ['PID-3[2]', 'PID^1^3^2', 'PID^1^3'],
    ['PID-3[2].4', 'PID^1^3^2^4', 'PID^1^3'],
    ['OBX[3]-5[2].4.1', 'OBX^3^5^2^4^1', 'OBX^3^5'],
  ])('%s is told as exactly as the version can', (location, later, earlier) => {
    expect(buildAt(location, '2.5.1')).toEqual([later]);
    expect(buildAt(location, '2.4')).toEqual([`${earlier}^102&Data type error&HL70357`]);
  });
});

describe('the findings of a message', () => {
  const text = build(
    'PID|1||1^^^A&1.2^MR||x||tomorrow~1',
    'OBR|1|P1|F1|24323-8^Panel^LN',
    'OBX|1|NM|2345-7^Glucose^LN||high||||||F',
  );
  const issues = validate(parse(text), openDefinitions());

  it('are an acknowledgment that is valid itself', () => {
    const errors = buildErrorSegments(issues, usualDelimiters, '2.5.1');
    const answer = [
      'MSH|^~\\&|A|B|C|D|20260312||ACK^R01^ACK|1|P|2.5.1',
      'MSA|AE|M1',
      ...errors,
    ].join('\r');
    expect(errors).toHaveLength(5);
    expect(validate(parse(answer), openDefinitions())).toEqual([]);
  });
});

it('the documentation says the same of each code', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/hl7v2.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` *\| [a-z, ]+ \| (\d{3}) /gm)];
  expect(rows.length).toBeGreaterThan(25);
  for (const [, code = '', condition] of rows) {
    expect([code, findCondition(code)?.[0] ?? '207']).toEqual([code, condition]);
  }
});
