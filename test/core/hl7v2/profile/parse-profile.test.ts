import { apply, findFaults, head, read } from './support.ts';

describe('values are taken as they are written', () => {
  test.each([
    ['0085', '0085'],
    ['01', '01'],
    ['NO', 'NO'],
    ['Y', 'Y'],
    ['true', 'true'],
    ['1.10', '1.10'],
    ['0x1F', '0x1F'],
    ['1e3', '1e3'],
    ['null', 'null'],
    ['2026-01-02', '2026-01-02'],
    ['"a: b"', 'a: b'],
  ])('the code %s', (written, code) => {
    const { codes } =
      apply(`fields: {PID-8: {codes: [${written}]}}`).findSegment('PID')?.fields[7] ?? {};
    expect(codes?.has(code)).toBe(true);
  });

  test('a version that looks like a number', () => {
    expect(read('profile: a\nversion: 2.3\nmessages: [ADT^A01]').version).toBe('2.3');
  });
});

describe('what is wrong with a file is found with its line and column', () => {
  test.each([
    ['profile: [', 'test.yaml:1:11', 'no YAML'],
    [
      `${head}fields:\n  PID-3: {usage: C, when: PID-2 in [A, B], then: R}`,
      'test.yaml:5:36',
      'needs quotes',
    ],
    ['', 'test.yaml:1:1', 'found nothing'],
    ['- a', 'test.yaml:1:1', 'found a list'],
    ['version: 2.5.1', 'test.yaml:1:1', 'expected "profile"'],
    ['profile: a\nmessages: [ORU^R01]', 'test.yaml:1:1', 'version: expected one of 2.1'],
    [
      'profile: a\nversion: 2.51\nmessages: [ORU^R01]',
      'test.yaml:2:1',
      'version: expected one of 2.1',
    ],
    ['profile: a\nversion: 2.5.1', 'test.yaml:1:1', 'messages'],
    ['profile: a\nversion: 2.5.1\nmessages: [ORU_R01]', 'test.yaml:3:12', 'ORU^R01'],
    ['profile: a b\nversion: 2.5.1\nmessages: [ORU^R01]', 'test.yaml:1:1', 'letters, digits'],
    [`${head}feilds: {}`, 'test.yaml:4:1', 'Did you mean "fields"?'],
    [`${head}fields:\n  PID-3: {usgae: R}`, 'test.yaml:5:11', 'Did you mean "usage"?'],
    [`${head}fields:\n  PID-3: {note: a, b}`, 'test.yaml:5:20', 'no meaning'],
    [`${head}fields:\n  PID-3: {note: a, b c}`, 'test.yaml:5:20', 'needs quotes'],
    [`${head}fields:\n  PID-3: Q`, 'test.yaml:5:3', 'PID-3: expected another value, found "Q"'],
    [`${head}fields:\n  PID-3: {usage: RR}`, 'test.yaml:5:11', 'Did you mean "R"?'],
    [`${head}fields:\n  PID-3: {usage: C(Q/O)}`, 'test.yaml:5:11', 'Did you mean "C(R/O)"?'],
    [`${head}fields:\n  PID-3: {min: few}`, 'test.yaml:5:11', 'a whole number'],
    [`${head}fields:\n  PID-3: {max: -1}`, 'test.yaml:5:11', '"*" for any number'],
    [`${head}fields:\n  PID-3: {length: long}`, 'test.yaml:5:11', '..20 at most'],
    [`${head}fields:\n  PID-3: {codes: []}`, 'test.yaml:5:11', 'The codes that are allowed'],
    [`${head}fields:\n  PID-3: {codes: {closed: no}}`, 'test.yaml:5:19', 'true, the default'],
    [`${head}fields:\n  PID-3: {codes: {file: ../a.csv}}`, 'test.yaml:5:19', 'beside the profile'],
    [`${head}fields:\n  PID-3: {codes: {file: a.csv}}`, 'test.yaml:5:19', 'no file a.csv'],
    [`${head}segments:\n  PV1: C`, 'test.yaml:5:3', 'a usage (R, RE, O, X)'],
    [`${head}fields:\n  PID-3: R\n  PID-3: O`, 'test.yaml:6:3', 'for the second time'],
  ])('%j', (text, location, reason) => {
    const [issue, ...others] = findFaults(text);
    expect(others).toEqual([]);
    expect(issue).toMatchObject({ code: 'profile-invalid', severity: 'error', location });
    expect(issue?.message).toContain(reason);
  });

  test('all at once', () => {
    const text = 'profile: a\nversions: 2\nfields:\n  PID-3: {usgae: R}\n  PID-5: Q';
    expect(findFaults(text).map(({ location }) => location)).toEqual([
      'test.yaml:2:1',
      'test.yaml:4:11',
      'test.yaml:5:3',
    ]);
  });

  test.each([
    ['aliases that multiply', `a: &a [x,x,x,x,x,x,x,x]\n${toBombs()}`],
    ['brackets without end', '['.repeat(5_000)],
    ['a file that nobody has written', 'a'.repeat(1_000_001)],
  ])('%s', (_, text) => {
    expect(findFaults(text).every(({ code }) => code === 'profile-invalid')).toBe(true);
    expect(findFaults(text)).not.toEqual([]);
  });
});

/** Each list holds the one before it eight times. */
function toBombs(): string {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  return names
    .slice(1)
    .map((name, at) => `${name}: &${name} [${`*${names[at]!},`.repeat(8)}]\n`)
    .join('');
}
