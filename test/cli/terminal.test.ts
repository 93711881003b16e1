import { toShown } from '../../cli/terminal.ts';

test('a terminal shows a line a segment; a file or pipe gets the bytes as they are', () => {
  const hl7 = 'MSH|^~\\&|A\rPID|1\r';
  expect(toShown(hl7, true)).toBe('MSH|^~\\&|A\nPID|1\n');
  expect(toShown(hl7, false)).toBe(hl7);
});
