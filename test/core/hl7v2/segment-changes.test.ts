import fc from 'fast-check';
import { compareMessages, compareSegmentChange } from '../../../core/hl7v2/compare.ts';
import { parseMessage } from '../../../core/hl7v2/parse.ts';
import { findSegmentChanges, readEncoding } from '../../../core/hl7v2/segment-changes.ts';

const header = 'MSH|^~\\&|LIS|LAB|HILUM|EHR|20260101||ORU^R01|C1|P|2.5.1';
const join = (...segments: readonly string[]): string => [header, ...segments, ''].join('\r');

describe('findSegmentChanges', () => {
  it.each([
    ['one field', ['PID|1||A^B'], ['PID|1||A^C'], [['PID', 0, 3, 'A^B', 'A^C']]],
    [
      'fields from the first to the last',
      ['PID|a|b|c|d'],
      ['PID|a|x|c|y'],
      [['PID', 0, 2, 'b|c|d', 'x|c|y']],
    ],
    ['fields more at the end', ['PID|1'], ['PID|1|2|3'], [['PID', 0, 1, '1', '1|2|3']]],
    ['a value that becomes empty', ['PID|1|2|3'], ['PID|1||3'], [['PID', 0, 2, '2', '']]],
    [
      'one of several of a name',
      ['OBX|1', 'OBX|2|a'],
      ['OBX|1', 'OBX|2|b'],
      [['OBX', 2, 2, 'a', 'b']],
    ],
    ['a segment put in', ['PID|1'], ['PID|1', 'NTE|1|x'], [['NTE', 0, 0, null, 'NTE|1|x']]],
    [
      'a segment put in before its like',
      ['OBX|1'],
      ['OBX|0', 'OBX|1'],
      [['OBX', 1, 0, null, 'OBX|0']],
    ],
    ['a segment taken away', ['PID|1', 'NTE|1'], ['PID|1'], [['NTE', 0, 0, 'NTE|1', null]]],
    [
      'a segment that became another',
      ['PID|1', 'ZAA|1', 'OBX|1'],
      ['PID|1', 'ZBB|1', 'OBX|1'],
      [
        ['ZAA', 0, 0, 'ZAA|1', null],
        ['ZBB', 0, 0, null, 'ZBB|1'],
      ],
    ],
    ['nothing', ['PID|1'], ['PID|1'], []],
  ])('tells %s', (_, before, after, changes) => {
    expect(findSegmentChanges(join(...before), join(...after))).toEqual(changes);
  });

  it('counts MSH-1 as a field', () => {
    const changed = join('PID|1').replace('|HILUM|', '|OTHER|');
    expect(findSegmentChanges(join('PID|1'), changed)).toEqual([['MSH', 0, 5, 'HILUM', 'OTHER']]);
  });

  it('does not count other ends of segments as changes', () => {
    const changed = join('PID|1', 'PV1|1').replaceAll('\r', '\r\n');
    expect(findSegmentChanges(join('PID|1', 'PV1|1'), changed)).toEqual([]);
  });

  it('tells whole segments where the field separator is another', () => {
    const changed = 'MSH$^~\\&$LIS\rPID$1\r';
    expect(findSegmentChanges('MSH|^~\\&|LIS\rPID|1\r', changed)).toEqual([
      ['MSH', 0, 0, 'MSH|^~\\&|LIS', 'MSH$^~\\&$LIS'],
      ['PID', 0, 0, 'PID|1', 'PID$1'],
    ]);
  });

  const value = fc.constantFrom('', 'a', 'b', 'a^b', 'a~b', 'a^b~c^d', 'ä', 'long text');
  const fields = fc.array(value, { minLength: 1, maxLength: 6 });
  const segment = fc.tuple(fc.constantFrom('PID', 'OBX', 'ZZ1'), fields, fields);

  it('finds what a comparison of the parsed messages finds, where both have the same segments', () => {
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 6 }), (segments) => {
        const [before, after] = [1, 2].map((side) =>
          join(...segments.map((each) => [each[0], ...(each[side] as string[])].join('|'))),
        ) as [string, string];
        const [one, other] = [parseMessage(before), parseMessage(after)];
        if (!one.ok || !other.ok) throw new Error('Expected messages.');
        const encoding = [readEncoding(before), readEncoding(after)] as const;
        const found = findSegmentChanges(before, after);
        expect(found.flatMap((each) => compareSegmentChange(each, encoding))).toEqual(
          compareMessages(one.message, other.message),
        );
      }),
      { numRuns: 500 },
    );
  });
});
