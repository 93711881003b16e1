import { parseMessage } from '../../core/hl7v2/parse.ts';
import { findRuleProblem, toLabel, type Rule } from '../../nodes/hl7-route/definition.ts';
import { compileRule, findOutputs } from '../../nodes/hl7-route/match.ts';

const text = [
  'MSH|^~\\&|LAB|NORTH|EHR|MAIN|20260101||ADT^A04^ADT_A01|C1|P|2.5.1',
  'PID|1||100^^^NORTH^MR~200^^^SOUTH^PI||Example^Alex|||""',
  'OBX|1|NM|GLU^Glucose||5.4',
  'OBX|2|ST|NOTE^Note||a\\T\\b',
].join('\r');

function parse() {
  const result = parseMessage(text);
  if (!result.ok) throw new Error('The fixture is no message.');
  return result.message;
}

const type = (value: string): Rule => ({ kind: 'type', value });
const field = (
  path: string,
  operator: (Rule & { kind: 'field' })['operator'],
  value = '',
): Rule => ({ kind: 'field', path, operator, value });
const table = (path: string, values: string): Rule => ({ kind: 'table', path, values });

describe('a rule', () => {
  it.each<[Rule, boolean]>([
    [type('ADT^A04'), true],
    [type('ADT^*'), true],
    [type('ADT'), true],
    [type('*'), true],
    [type('ORU^R01, ADT^A04'), true],
    [type('ADT^A04^ADT_A01'), true],
    [type('ADT^A0*'), true],
    [type('ORU^R01'), false],
    [type('ADT^A0'), false],
    [type('AD'), false],
    [field('PID-3.4.1', 'equals', 'SOUTH'), true],
    [field('PID-3[1].4.1', 'equals', 'SOUTH'), false],
    [field('PID-3.4.1', 'not-equals', 'EAST'), true],
    [field('PID-3.4.1', 'not-equals', 'SOUTH'), false],
    [field('PID-30', 'not-equals', 'Y'), true],
    [field('OBX-3.1', 'starts-with', 'GL'), true],
    [field('OBX[2]-3.1', 'starts-with', 'GL'), false],
    [field('OBX-5', 'contains', 'a&b'), true],
    [field('OBX-5', 'matches', '^\\d+\\.\\d$'), true],
    [field('OBX-5', 'matches', '^x'), false],
    [field('PID-8', 'is-empty'), true],
    [field('PID-8', 'exists'), false],
    [field('PID-5', 'is-empty'), false],
    [field('PID-5', 'exists'), true],
    [field('ZPI', 'exists'), false],
    [field('OBX', 'exists'), true],
    [table('PID-3.5', 'XX, PI'), true],
    [table('PID-3.5', 'XX, P'), false],
  ])('%j matches: %s', (rule, matches) => {
    expect(findRuleProblem(rule)).toBeUndefined();
    expect(compileRule(rule)(parse())).toBe(matches);
  });

  it.each<[Rule, string]>([
    [type(' , '), 'type-missing'],
    [field('3.1', 'exists'), 'path-invalid'],
    [field('PID-', 'equals', 'x'), 'path-invalid'],
    [field('PID-3', 'equals'), 'value-missing'],
    [field('PID-3', 'matches', '['), 'expression-invalid'],
    [field('PID-3', 'matches', '(?=a)b'), 'expression-invalid'],
    [field('PID-3', 'matches', '(a)\\1'), 'expression-invalid'],
    [table('PID-3', ''), 'value-missing'],
    [table('', 'A'), 'path-invalid'],
  ])('%j is refused as %s', (rule, problem) => {
    expect(findRuleProblem(rule)).toBe(problem);
  });

  it.each<[Rule, string]>([
    [type('ADT^*'), 'ADT^*'],
    [field('PID-3.4.1', 'equals', 'NORTH'), 'PID-3.4.1 equals "NORTH"'],
    [field('PID-8', 'exists'), 'PID-8 exists'],
    [table('PID-8', 'F,M'), 'PID-8 ∈ F, M'],
  ])('%j is labelled %s', (rule, label) => {
    expect(toLabel(rule, (operator) => operator)).toBe(label);
  });
});

describe('time', () => {
  it.each<[string, Rule]>([
    ['a regular expression', field('OBX-5', 'matches', '^(a+)+$')],
    ['a message type', type('a*a*a*a*a*b')],
  ])('grows with the value alone: %s', (_what, rule) => {
    const value = 'a'.repeat(100_000);
    const result = parseMessage(
      `MSH|^~\\&|A|B|C|D|2026||${value}^A01|1|P|2.5\rOBX|1|ST|x||${value}b\r`,
    );
    const started = process.cpuUsage();
    expect(result.ok && compileRule(rule)(result.message)).toBe(false);
    expect(process.cpuUsage(started).user / 1e6).toBeLessThan(4);
  });
});

describe('a message', () => {
  const matchers = [type('ORU'), type('ADT'), field('PID-3', 'exists')].map(compileRule);

  it('goes to the first rule that matches', () => {
    expect(findOutputs(parse(), matchers, false)).toEqual([1]);
  });

  it('goes to every rule that matches when told so', () => {
    expect(findOutputs(parse(), matchers, true)).toEqual([1, 2]);
  });

  it.each([false, true])('goes to otherwise, the last, where none does (all: %s)', (all) => {
    expect(findOutputs(parse(), matchers.slice(0, 1), all)).toEqual([1]);
    expect(findOutputs(parse(), [], all)).toEqual([0]);
  });
});
