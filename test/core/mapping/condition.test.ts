import { parseMessage } from '../../../core/hl7v2/parse.ts';
import { parseCondition } from '../../../core/mapping/condition.ts';
import { Run } from '../../../core/mapping/run.ts';
import { toGroups } from '../../../core/mapping/structure.ts';

const parsed = parseMessage(
  'MSH|^~\\&|A|B|||20260102||ORU^R01|M1|P|2.5\rPID|1||7^^^X&1.2&ISO~8||""|^^|F\rOBX|1|NM|||5.2',
);
if (!parsed.ok) throw new Error('not parsed');
const { message } = parsed;
const group = toGroups(message, { segments: ['MSH', 'PID', 'OBX'], groups: [] });
const pid = message.segmentsNamed('PID')[0];
const run = new Run(message, new Map(), { provenance: false });
const frame = { run, group, segment: pid, value: run.fields(pid!).repetition(3, 1) };

test.each([
  ['PID-3 valued', true],
  ['PID-3 not valued', false],
  ['PID-5 valued', false],
  ['PID-5 null', true],
  ['PID-6 valued', false],
  ['PID-99 valued', false],
  ['PV1 valued', false],
  ['PV1-2 not valued', true],
  ["PID-7 = 'F'", true],
  ["PID-7 != 'F'", false],
  ['PID-7 in (\'M\', "F")', true],
  ["PID-7 not in ('M', 'F')", false],
  ["4.3 = 'ISO'", true],
  ['. is number', true],
  ['4.2 is not number', false],
  ['OBX-5 is number and MSH-7 is date-time', true],
  ['OBX-5 is time', false],
  ['OBX-5 is compared-number', false],
  ['count(PID-3) = 2', true],
  ['count(OBX) >= 1', true],
  ['count(1) = 1', true],
  ['count(PV1-3) = 0', true],
  ['length(PID-7) < 2', true],
  ["not PID-7 = 'M' and (PV1 valued or PID-7 = 'F')", true],
  ["PID-7 = 'M' or PID-7 = 'F' and PID valued", true],
])('%s is %s', (text, expected) => {
  const result = parseCondition(text);
  expect(result.ok && result.condition(frame)).toBe(expected);
});

test.each([
  ['PID-7', 'more'],
  ["PID-7 equals 'F'", 'equals'],
  ['PID-7 = F', 'quotes'],
  ["PID.7 = 'F'", 'no path'],
  ["PID-7 = 'F' PID-8 valued", 'not expected'],
  ['(PID-7 valued', 'expected )'],
  ['count(PID-3) = many', 'whole number'],
  ['PID-7 is blue', 'blue'],
  ['PID-7 not = 3', 'not ='],
  ['PID-7 ; drop', 'no meaning'],
])('refuses %s', (text, reason) => {
  const result = parseCondition(text);
  expect(result.ok ? '' : result.message).toContain(reason);
});
