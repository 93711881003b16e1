import { findFailure } from '../../core/errors.ts';
import { contributors } from '../../nodes/definitions.ts';
import { findEditProblem, type Edit } from '../../nodes/hl7-edit/definition.ts';
import register from '../../nodes/hl7-edit/runtime.ts';
import { startNode, stopNode } from './node-red.ts';

const lines = [
  'MSH|^~\\&|LAB|NORTH|EHR|MAIN|20260101||ORU^R01^ORU_R01|C1|P|2.5.1||||||8859/1',
  'PID|1||100^^^NORTH&1.2&ISO^MR~200^^^SOUTH^PI||Example^Alex',
  'OBX|1|NM|GLU^Glucose||5.4||||||P',
  'OBX|2|NM|NA^Sodium||140||||||P',
];
const payload = lines.join('\r');

const edit = (action: Edit['action'], path: string, value = '', source: Edit['source'] = 'text') =>
  ({ action, path, source, value }) satisfies Edit;

function start(edits: readonly Edit[], missing = 'fail') {
  return startNode(register, { type: 'hl7 edit', name: '', edits, missing }, { outputs: 1 });
}

afterEach(stopNode);

describe('hl7 edit', () => {
  it.each<[string, Edit, string, string]>([
    ['sets text', edit('set', 'PID-5.1', 'O|Neil'), 'Example^', 'O\\F\\Neil^'],
    ['sets a property of msg', edit('set', 'PID-5.2', 'patient.given', 'msg'), '^Alex', '^Kim'],
    ['sets a number', edit('set', 'OBX[2]-5', 'count', 'msg'), '140', '7'],
    [
      'copies a value with its parts',
      edit('set', 'PID-4', 'PID-3[type=MR]', 'path'),
      'PI||Ex',
      'PI|100^^^NORTH&1.2&ISO^MR|Ex',
    ],
    ['adds a repetition', edit('append', 'PID-5', 'Other'), 'Alex', 'Alex~Other'],
    [
      'adds a copied repetition',
      edit('append', 'PID-5', 'PID-3[2]', 'path'),
      'Alex',
      'Alex~200^^^SOUTH^PI',
    ],
    [
      'adds a copied repetition in the first of several segments',
      edit('append', 'OBX-5', 'PID-3[2]', 'path'),
      '5.4',
      '5.4~200^^^SOUTH^PI',
    ],
    ['adds a segment', edit('append', 'OBX', 'OBX|3|ST|C'), '140||||||P', '140||||||P\rOBX|3|ST|C'],
    ['copies a segment', edit('append', 'OBX', 'PID', 'path'), '140||||||P', '140||||||P'],
    ['removes a repetition', edit('remove', 'PID-3[type=PI]'), '~200^^^SOUTH^PI', ''],
  ])('%s, and leaves every other character', async (name, step, before, after) => {
    const flow = await start([step]);
    const failure = await flow.handle({ payload, patient: { given: 'Kim' }, count: 7 });
    if (name === 'copies a segment') {
      expect(findFailure(failure)?.issues[0]?.code).toBe('value-divides');
      return;
    }
    expect(failure).toBeUndefined();
    expect(flow.received(1)[0]?.payload).toBe(payload.replace(before, after));
  });

  it('makes edits one after the other, in every segment with a star', async () => {
    const flow = await start([
      edit('set', 'OBX[*]-11', 'F'),
      edit('set', 'PID-2', 'OBX[2]-11', 'path'),
      edit('remove', 'OBX[1]'),
    ]);
    await flow.handle({ payload });
    const [msh, pid, , obx] = lines;
    expect(flow.received(1)[0]?.payload).toBe(
      [msh, pid?.replace('1||', '1|F|'), obx?.replace(/P$/, 'F')].join('\r'),
    );
    expect(flow.status()).toMatchObject({ fill: 'green', text: 'hl7-edit.status.edited' });
  });

  it('keeps bytes in the character set of the message', async () => {
    const flow = await start([edit('set', 'PID-5.1', 'M\u00fcller')]);
    await flow.handle({ payload: Buffer.from(payload, 'latin1') });
    const edited = flow.received(1)[0]?.payload as Buffer;
    expect(edited.equals(Buffer.from(payload.replace('Example', 'M\u00fcller'), 'latin1'))).toBe(
      true,
    );
  });

  it('refuses a character that the set of the bytes does not have', async () => {
    const flow = await start([edit('set', 'PID-5.1', '\u0141')]);
    const failure = findFailure(await flow.handle({ payload: Buffer.from(payload, 'latin1') }));
    expect(failure).toMatchObject({
      errorClass: 'permanent',
      issues: [{ code: 'character-not-in-charset' }],
    });
  });

  const absent: readonly [string, Edit, string][] = [
    ['segment', edit('set', 'ZPI-1', 'x'), 'segment-missing'],
    ['repetition', edit('set', 'PID-3[type=SS].1', 'x'), 'repetition-missing'],
    ['property', edit('set', 'PID-4', 'patient.ssn', 'msg'), 'value-missing'],
    ['place to copy from', edit('set', 'PID-4', 'ZPI-1', 'path'), 'value-missing'],
  ];

  it.each(absent)('fails for good where the %s is missing', async (_what, step, code) => {
    const flow = await start([step]);
    expect(findFailure(await flow.handle({ payload }))).toMatchObject({
      errorClass: 'permanent',
      issues: [{ code }],
    });
    expect(flow.received(1)).toEqual([]);
  });

  it.each(absent)('goes on where the %s is missing, when told so', async (_what, step) => {
    const flow = await start([step, edit('set', 'PID-1', '9')], 'skip');
    await flow.handle({ payload });
    expect(flow.received(1)[0]?.payload).toBe(payload.replace('PID|1', 'PID|9'));
  });

  it('lets nothing pass while an edit cannot be read', async () => {
    const flow = await start([edit('set', 'PID', 'x')]);
    expect(findFailure(await flow.handle({ payload }))).toMatchObject({
      issues: [{ code: 'edit-faulty' }],
    });
  });
});

describe('an edit', () => {
  it.each<[Edit, string | undefined]>([
    [edit('set', 'PID-5'), undefined],
    [edit('remove', 'NTE'), undefined],
    [edit('set', 'NTE', 'x'), 'path-invalid'],
    [edit('set', 'PID-', 'x'), 'path-invalid'],
    [edit('set', 'PID-5', '', 'msg'), 'property-missing'],
    [edit('set', 'PID-5', 'PID-', 'path'), 'source-invalid'],
    [edit('append', 'NTE', 'PID-3', 'path'), 'segment-source'],
    [edit('append', 'NTE', 'NTE[1]', 'path'), undefined],
  ])('that cannot be made is refused by the deploy: %j', (step, problem) => {
    expect(findEditProblem(step)).toBe(problem);
    const node = { id: 'n1', type: 'hl7 edit', edits: [edit('set', 'PID-5'), step] };
    const made = contributors['hl7 edit']?.(node, { interface: 'tab', defaults: { bind: '' } });
    const codes = made?.issues?.map(({ code, location }) => [code, location]);
    expect(codes).toEqual(problem === undefined ? undefined : [[`edit-${problem}`, 'n1']]);
  });
});
