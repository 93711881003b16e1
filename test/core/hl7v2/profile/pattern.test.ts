import fc from 'fast-check';
import { compilePattern } from '../../../../core/hl7v2/profile/pattern.ts';
import { measureProcessorMs } from '../../../support/processor.ts';

test.each([
  ['\\d{9}', ['123456789'], ['12345678', '1234567890', '12345678a']],
  ['[A-Z]{2}\\d*', ['AB', 'AB1', 'AB123'], ['A1', 'ABC', 'ab']],
  ['yes|no', ['yes', 'no'], ['', 'yesno', 'ye']],
  ['a\\|b|c', ['a|b', 'c'], ['a', 'b']],
  ['[a|b]x?', ['a', '|', 'bx'], ['ab', 'x']],
  ['[^0-9]+', ['abc', 'é'], ['', 'a1']],
  ['1\\.[0-9.]+', ['1.2.840'], ['1x2', '1.']],
  ['.{2,3}', ['ab', 'abc'], ['a', 'abcd']],
  ['x{2,}', ['xx', 'xxxx'], ['x']],
  ['', [''], ['a']],
  ['a?b?c?', ['', 'ac', 'abc'], ['ca']],
  ['[\\]\\d-]+', [']', '1', '-'], ['a']],
])('%s', (source, good, bad) => {
  const pattern = compilePattern(source);
  expect(good.filter((text) => !pattern(text))).toEqual([]);
  expect(bad.filter(pattern)).toEqual([]);
});

test.each(['(a)', 'a{3,2}', '*a', '[z-a]', '\\w', '^a$', '[', 'a**', '.{999}.{999}'])(
  'refuses %s',
  (source) => {
    expect(() => compilePattern(source)).toThrow(SyntaxError);
  },
);

test('decides as a regular expression of the same text does', () => {
  const atom = fc.constantFrom('a', 'b', '.', '\\d', '[ab]', '[^a]');
  const times = fc.constantFrom('', '?', '*', '+', '{2}', '{1,2}', '{1,}');
  const part = fc.tuple(atom, times).map((both) => both.join(''));
  const source = fc
    .array(fc.array(part, { maxLength: 4 }), { minLength: 1, maxLength: 3 })
    .map((alternatives) => alternatives.map((parts) => parts.join('')).join('|'));
  const text = fc.array(fc.constantFrom('a', 'b', 'c', '1'), { maxLength: 8 });
  fc.assert(
    fc.property(source, text, (pattern, characters) => {
      const value = characters.join('');
      expect(compilePattern(pattern)(value)).toBe(new RegExp(`^(?:${pattern})$`, 's').test(value));
    }),
    { seed: 7, numRuns: 2_000 },
  );
});

test('takes no more time for what almost fits', () => {
  const pattern = compilePattern('a*a*a*a*a*a*a*a*b');
  const milliseconds = measureProcessorMs(() => expect(pattern('a'.repeat(100_000))).toBe(false));
  expect(milliseconds).toBeLessThan(5_000);
});
