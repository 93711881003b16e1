import fc from 'fast-check';
import { compareMessages, type Difference } from '../../../core/hl7v2/compare.ts';
import { parseMessage } from '../../../core/hl7v2/parse.ts';
import type { Hl7Message } from '../../../core/hl7v2/message.ts';

const text = [
  'MSH|^~\\&|LIS|TESTLAB|HILUM|EHR|20261101||ORU^R01^ORU_R01|C1|P|2.5.1',
  'PID|1||P1^^^TESTLAB^MR~S2^^^TESTLAB^PI||SAMPLE^ADA',
  'OBR|1|||4711^Potassium',
  'OBX|1|NM|2823-3^Potassium||4.1',
  'OBX|2|NM|2951-2^Sodium||140',
].join('\r');

function parse(source: string): Hl7Message {
  const parsed = parseMessage(source);
  if (!parsed.ok) throw new Error('Expected a message.');
  return parsed.message;
}

const original = parse(text);

it.each<readonly [string, (message: Hl7Message) => Hl7Message, readonly Difference[]]>([
  ['nothing', (message) => message, []],
  [
    'a field',
    (message) => message.set('OBR-4.2', 'K'),
    [{ location: 'OBR-4.2', before: 'Potassium', after: 'K' }],
  ],
  [
    'a component of a repetition',
    (message) => message.set('PID-3[2].4', 'OTHER'),
    [{ location: 'PID-3[2].4', before: 'TESTLAB', after: 'OTHER' }],
  ],
  [
    'a field beyond the end',
    (message) => message.set('OBR-7', '2026'),
    [{ location: 'OBR-7', after: '2026' }],
  ],
  [
    'a repetition more',
    (message) => message.append('PID-3', 'X3'),
    [{ location: 'PID-3[3]', after: 'X3' }],
  ],
  [
    'one of several segments',
    (message) => message.set('OBX[2]-5', '141'),
    [{ location: 'OBX[2]-5', before: '140', after: '141' }],
  ],
  [
    'a segment more',
    (message) => message.append('NTE', 'NTE|1||seen'),
    [{ location: 'NTE', after: 'NTE|1||seen' }],
  ],
  [
    'a segment less',
    (message) => message.remove('OBR'),
    [{ location: 'OBR', before: 'OBR|1|||4711^Potassium' }],
  ],
])('names %s', (_what, change, differences) => {
  expect(compareMessages(original, change(original))).toEqual(differences);
});

it('finds every change of a value at its place and no other', () => {
  const places = ['MSH-3', 'PID-5.1', 'PID-3[2].1', 'OBX[1]-3.2', 'OBX[2]-5', 'OBR-4.1'];
  fc.assert(
    fc.property(fc.subarray(places), fc.stringMatching(/^[A-Za-z0-9 ]{1,8}$/), (chosen, value) => {
      let changed = original;
      for (const place of chosen) changed = changed.set(place, `${value}!`);
      expect(
        compareMessages(original, changed)
          .map(({ location }) => location)
          .sort(),
      ).toEqual(chosen.map((place) => place).sort());
    }),
  );
});
