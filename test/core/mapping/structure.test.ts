import { parseMessage } from '../../../core/hl7v2/parse.ts';
import { type Group, toGroups } from '../../../core/mapping/structure.ts';

const structure = {
  segments: ['MSH'],
  groups: [
    {
      name: 'PATIENT',
      opens: ['PID'],
      segments: ['NTE', 'PV1'],
      groups: [
        {
          name: 'ORDER',
          opens: ['ORC', 'OBR'],
          segments: ['NTE'],
          groups: [
            { name: 'RESULT', opens: ['OBX'], segments: ['NTE'] },
            { name: 'SPECIMEN', opens: ['SPM'], groups: [{ name: 'OF', opens: ['OBX'] }] },
          ],
        },
      ],
    },
  ],
};

function toText(group: Group): string {
  const inner = [...group.segments.map(({ name }) => name), ...group.groups.map(toText)];
  return `${group.name}(${inner.join(' ')})`;
}

test.each([
  ['PID ORC OBR OBX OBX', 'MESSAGE(MSH PATIENT(PID ORDER(ORC OBR RESULT(OBX) RESULT(OBX))))'],
  ['PID ORC OBR ORC OBR', 'MESSAGE(MSH PATIENT(PID ORDER(ORC OBR) ORDER(ORC OBR)))'],
  [
    'PID OBR OBX OBR OBX',
    'MESSAGE(MSH PATIENT(PID ORDER(OBR RESULT(OBX)) ORDER(OBR RESULT(OBX))))',
  ],
  ['PID OBR ORC OBR', 'MESSAGE(MSH PATIENT(PID ORDER(OBR) ORDER(ORC OBR)))'],
  ['PID NTE OBR NTE OBX NTE', 'MESSAGE(MSH PATIENT(PID NTE ORDER(OBR NTE RESULT(OBX NTE))))'],
  ['PID OBR OBX SPM OBX', 'MESSAGE(MSH PATIENT(PID ORDER(OBR RESULT(OBX) SPECIMEN(SPM OF(OBX)))))'],
  ['PID OBR PID OBR', 'MESSAGE(MSH PATIENT(PID ORDER(OBR)) PATIENT(PID ORDER(OBR)))'],
  ['OBR OBX', 'MESSAGE(MSH PATIENT(ORDER(OBR RESULT(OBX))))'],
  ['PID OBR OBX PV1', 'MESSAGE(MSH PATIENT(PID PV1 ORDER(OBR RESULT(OBX))))'],
  ['PID OBR ZAA OBX ZBB', 'MESSAGE(MSH PATIENT(PID ORDER(OBR ZAA RESULT(OBX ZBB))))'],
])('%s', (names, expected) => {
  const parsed = parseMessage(`MSH|^~\\&|A|B\r${names.replaceAll(' ', '|1\r')}|1`);
  expect(parsed.ok && toText(toGroups(parsed.message, structure))).toBe(expected);
});

test('counts what the group has, or the nearest around it that may have some', () => {
  const names = ['PID', 'OBR', 'OBX', 'SPM', 'OBR', 'OBX', 'OBX'];
  const parsed = parseMessage(`MSH|^~\\&|A|B\r${names.join('|1\r')}|1`);
  if (!parsed.ok) throw new Error('not parsed');
  const [first, second] = toGroups(parsed.message, structure).groups[0]?.groups ?? [];
  const counted = (group: Group | undefined, ...asked: readonly string[]) =>
    asked.map((name) => group?.count(name));
  expect(counted(first, 'RESULT', 'SPECIMEN', 'ORDER', 'PID')).toEqual([1, 1, 2, 1]);
  expect(counted(second, 'RESULT', 'SPECIMEN')).toEqual([2, 0]);
  expect(counted(first?.groups[1], 'RESULT', 'OF', 'OBX', 'ZZZ')).toEqual([1, 0, 0, 0]);
});
