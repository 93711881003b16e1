import fc from 'fast-check';
import { countCommonEnd, countCommonStart } from '../../core/common-ends.ts';

const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 40 });

it('finds as many characters as stand at the beginning and the end of both', () => {
  fc.assert(
    fc.property(text, text, text, text, (start, one, other, end) => {
      const [left, right] = [start + one + end, start + other + end];
      const most = Math.min(left.length, right.length);
      let atStart = 0;
      while (atStart < most && left[atStart] === right[atStart]) atStart += 1;
      let atEnd = 0;
      while (atEnd < most && left.at(-1 - atEnd) === right.at(-1 - atEnd)) atEnd += 1;
      expect(countCommonStart(left, right, most)).toBe(atStart);
      expect(countCommonEnd(left, right, most)).toBe(atEnd);
      expect(countCommonEnd(left, right, Math.min(atEnd, 3))).toBe(Math.min(atEnd, 3));
    }),
  );
});
