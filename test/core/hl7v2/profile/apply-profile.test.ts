import { apply, base, findItem, head, findFaults, read } from './support.ts';
import { applyProfile } from '../../../../core/hl7v2/profile/apply-profile.ts';
import { isForMessage, type ProfileFiles } from '../../../../core/hl7v2/profile/profile.ts';

describe('a rule of a field', () => {
  test.each([
    ['PID-8: R', 'PID', 8, { usage: 'R', min: 1 }],
    ['PID-3: O', 'PID', 3, { usage: 'O', min: 0, max: Infinity }],
    ['PID-3: {usage: R, max: 3}', 'PID', 3, { min: 1, max: 3 }],
    ['PID-3: {min: 2, max: "*"}', 'PID', 3, { usage: 'R', min: 2, max: Infinity }],
    ['PID-1: {length: ..4}', 'PID', 1, { maxLength: 4 }],
    ['PID-1: {length: 2..4}', 'PID', 1, { minLength: 2, maxLength: 4 }],
    ['PID-1: {length: 4}', 'PID', 1, { maxLength: 4 }],
    ['PID-1: {length: 2..}', 'PID', 1, { minLength: 2 }],
    ['PID-1: X', 'PID', 1, { usage: 'X', min: 0 }],
    ['PID-1: {fixed: 01}', 'PID', 1, { fixed: '01' }],
    ['PID-1: {name: Row}', 'PID', 1, { name: 'Row' }],
    ['OBX-5: {datatype: ST}', 'OBX', 5, { datatype: 'ST' }],
    ['PID-10: {datatype: CX}', 'PID', 10, { datatype: 'CX', usage: 'O' }],
    ['ZPI-2: {usage: R, datatype: NM}', 'ZPI', 2, { usage: 'R', datatype: 'NM', min: 1 }],
  ])('%s', (rule, name, position, expected) => {
    const added = name === 'ZPI' ? 'segments: {ZPI: {after: PID}}\n' : '';
    const definitions = apply(`${added}fields:\n  ${rule}`);
    expect(definitions.findSegment(name)?.fields[position - 1]).toMatchObject(expected);
  });

  test('changes nothing else, and not the definitions below it', () => {
    const before = base.findSegment('PID');
    const definitions = apply('fields: {PID-8: R}');
    expect(definitions.findSegment('PID')?.fields.slice(0, 7)).toEqual(before?.fields.slice(0, 7));
    expect(base.findSegment('PID')?.fields[7]?.usage).toBe('O');
    expect(definitions.findSegment('PID')).toBe(definitions.findSegment('PID'));
    expect(definitions.findSegment('OBX')).toBe(base.findSegment('OBX'));
  });

  test('of a component is said of that field alone', () => {
    const definitions = apply('fields: {PID-3.4.2: R, PID-3.5: R}');
    const [, , identifiers, others] = definitions.findSegment('PID')?.fields ?? [];
    expect(identifiers?.components?.[4]?.usage).toBe('R');
    expect(identifiers?.components?.[3]?.components?.[1]?.usage).toBe('R');
    expect(identifiers?.components?.[3]?.usage).toBe('O');
    expect(others?.components).toBeUndefined();
  });

  test('at a place is for that place alone, and takes what holds anywhere with it', () => {
    const definitions = apply('fields: {OBX-8: R, SPECIMEN.OBX-7: R, SPECIMEN.OBX-8: O}');
    const group = 'PATIENT_RESULT.ORDER_OBSERVATION';
    const own = findItem(definitions, `${group}.SPECIMEN.OBX`)?.definition;
    expect(own?.fields[6]?.usage).toBe('R');
    expect(own?.fields[7]?.usage).toBe('O');
    expect(findItem(definitions, `${group}.OBSERVATION.OBX`)?.definition).toBeUndefined();
    expect(definitions.findSegment('OBX')?.fields[7]?.usage).toBe('R');
  });

  test('of a whole comes before those of its parts, in any order', () => {
    const definitions = apply('fields: {PID-2.1: R, PID-2: {datatype: EI}}');
    const field = definitions.findSegment('PID')?.fields[1];
    expect(field).toMatchObject({ datatype: 'EI', components: [{ usage: 'R' }, {}, {}, {}] });
  });

  test('of a datatype holds wherever it is used', () => {
    const definitions = apply('datatypes: {CX.4: R, HD.2: R}');
    expect(definitions.findDatatype('CX')?.components[3]?.usage).toBe('R');
    expect(definitions.findDatatype('HD')?.components[1]?.usage).toBe('R');
    const own = apply('datatypes: {CX.4: R}\nfields: {PID-3.1: R}').findSegment('PID');
    expect(own?.fields[2]?.components?.map(({ usage }) => usage)).toEqual([
      'R',
      'O',
      'O',
      'R',
      'O',
    ]);
  });
});

describe('codes', () => {
  const files: ProfileFiles = {
    find: () => undefined,
    readCodes: (name) =>
      name === 'wards.csv'
        ? { path: name, text: 'code;name\r\n007;"East"\r\n"A,1";x\r\n\r\n08\r\n' }
        : undefined,
  };
  test.each([
    ['PID-8: {codes: [F, 01, NO]}', 'PID', 8, ['F', '01', 'NO'], ['M', '1']],
    ['PID-8: {codes: "0085"}', 'PID', 8, ['C', 'X'], ['M']],
    ['PID-8: {codes: {add: [D], remove: [U]}}', 'PID', 8, ['D', 'M'], ['U']],
    ['PID-8: {codes: {table: "0085", add: [D]}}', 'PID', 8, ['D', 'C'], ['M']],
    ['PID-8: {codes: {file: wards.csv}}', 'PID', 8, ['007', 'A,1', '08'], ['7', 'code', 'East']],
    ['PID-8: {codes: status}', 'PID', 8, ['F', 'Z'], ['C']],
    ['PID-8: {codes: {set: status, remove: [Z]}}', 'PID', 8, ['F'], ['Z']],
    ['PID-8: {pattern: "[A-Z]\\\\d{2,3}"}', 'PID', 8, ['A12', 'B123'], ['A1', 'A1234', 'a12']],
  ])('%s', (rule, name, position, good, bad) => {
    const sets = 'valueSets: {status: [F, Z]}\n';
    const { codes } =
      apply(`${sets}fields:\n  ${rule}`, files).findSegment(name)?.fields[position - 1] ?? {};
    expect(good.filter((code) => codes?.has(code) !== true)).toEqual([]);
    expect(bad.filter((code) => codes?.has(code) !== false)).toEqual([]);
    expect(codes?.isClosed).toBe(true);
  });

  test('are said of a coded field itself, and of the first part of any other', () => {
    const definitions = apply('fields: {OBX-3: {codes: [a]}, PID-3: {codes: [b]}}');
    expect(definitions.findSegment('OBX')?.fields[2]?.codes?.has('a')).toBe(true);
    const identifier = definitions.findSegment('PID')?.fields[2];
    expect(identifier?.codes).toBeUndefined();
    expect(identifier?.components?.[0]?.codes?.has('b')).toBe(true);
  });

  test('of a coding system ask for its name in component 3', () => {
    const definitions = apply('fields: {OBX-3: {codes: {list: [8480-6], system: LN}}}');
    const field = definitions.findSegment('OBX')?.fields[2];
    expect(field?.components?.[2]?.fixed).toBe('LN');
    expect(field?.codes?.has('8480-6')).toBe(true);
  });

  test('may be suggestions', () => {
    const definitions = apply('fields: {PID-8: {codes: {list: [F], closed: false}}}');
    expect(definitions.findSegment('PID')?.fields[7]?.codes?.isClosed).toBe(false);
  });
});

describe('a condition', () => {
  const values: Readonly<Record<string, readonly string[]>> = {
    '2': ['NM'],
    '11': ['F'],
    '5': ['12.5'],
    '3.1': ['8480-6'],
    '8': ['H', 'HH'],
    '7': ['""'],
    'MSH-9.2': ['R01'],
    'PID-3': ['1^^^A', '2^^^B'],
    'PID-5': ['^^'],
    'PID-7.1': ['20260102'],
  };
  const context = { all: (path: string) => values[path] ?? [] };
  test.each([
    ['OBX-11 in [F, C]', true],
    ['.11 = F', true],
    ["OBX-11 = 'C'", false],
    ['OBX-11 != F', false],
    ['OBX-2 in (NM, "SN") and not OBX-11 = X', true],
    ['OBX-6 valued', false],
    ['OBX-6 not valued', true],
    ['OBX-7 null', true],
    ['OBX-7 valued', false],
    ['OBX-8 = HH', true],
    ['OBX-3 = "8480-6"', true],
    ["OBX-3 matches '\\d{1,7}-\\d'", true],
    ["OBX-3 not matches '\\d+'", true],
    ['OBX-5 is number', true],
    ['PID-7 is date-time', true],
    ['MSH-9.2 = R01', true],
    ['count(PID-3) > 1', true],
    ['length(OBX-5) <= 3 or length(OBX-2) = 2', true],
    ['PID-5 valued', false],
  ])('%s is %s', (when, expected) => {
    const quoted = JSON.stringify(when);
    const definitions = apply(`fields: {OBX-5: {usage: C(R/X), when: ${quoted}}}`);
    const { condition } = definitions.findSegment('OBX')?.fields[4] ?? {};
    expect(condition).toMatchObject({ text: when, then: 'R', otherwise: 'X' });
    expect(condition?.holds(context)).toBe(expected);
  });

  test('is said in either way, and gone with another usage', () => {
    const long = apply('fields: {OBX-5: {usage: C, when: OBX-2 valued, otherwise: X}}');
    const field = long.findSegment('OBX')?.fields[4];
    expect(field).toMatchObject({ usage: 'C', min: 0, condition: { then: 'R', otherwise: 'X' } });
    const files: ProfileFiles = {
      find: () => ({
        path: 'base.yaml',
        text: `${head}fields: {OBX-5: {usage: C(R/O), when: OBX-2 valued}}`,
      }),
      readCodes: () => undefined,
    };
    const over = apply('extends: base\nfields: {OBX-5: R}', files);
    expect(over.findSegment('OBX')?.fields[4]?.condition).toBeUndefined();
  });
});

describe('a rule of the structure', () => {
  test.each([
    ['PV1: X', 'PATIENT_RESULT.PATIENT.PV1', { min: 0, usage: 'X' }],
    ['PATIENT: R', 'PATIENT_RESULT.PATIENT', { min: 1, max: 1, usage: 'R' }],
    ['PATIENT_RESULT.PATIENT.PV1: RE', 'PATIENT_RESULT.PATIENT.PV1', { min: 0, usage: 'RE' }],
    ['ORDER_OBSERVATION: {max: 1}', 'PATIENT_RESULT.ORDER_OBSERVATION', { min: 1, max: 1 }],
    ['OBSERVATION.NTE: {max: 2}', 'PATIENT_RESULT.ORDER_OBSERVATION.OBSERVATION.NTE', { max: 2 }],
    ['OBR: O', 'PATIENT_RESULT.ORDER_OBSERVATION.OBR', { min: 0, usage: 'O' }],
    ['ZPI: {after: PID, usage: R}', 'PATIENT_RESULT.PATIENT.ZPI', { min: 1, max: 1 }],
    ['NTE: {max: 5}', 'PATIENT_RESULT.ORDER_OBSERVATION.NTE', { max: 5 }],
    ['ORDER_OBSERVATION.NTE: {max: 2}', 'PATIENT_RESULT.ORDER_OBSERVATION.NTE', { max: 2 }],
  ])('%s', (rule, place, expected) => {
    expect(findItem(apply(`segments: {${rule}}`), place)).toMatchObject(expected);
  });

  test('adds segments where they belong, in their order', () => {
    const rules =
      '{ZPA: {after: PID}, ZPB: {after: PID, max: "*"}, ZOR: {before: ORDER_OBSERVATION}, NTE: {after: PV1}}';
    const definitions = apply(`segments: ${rules}`);
    const names = (place: string): readonly string[] | undefined =>
      findItem(definitions, place)?.items.map(({ name }) => name);
    expect(names('PATIENT_RESULT.PATIENT')).toEqual(['PID', 'ZPA', 'ZPB', 'PV1', 'NTE']);
    expect(names('PATIENT_RESULT')).toEqual(['PATIENT', 'ZOR', 'ORDER_OBSERVATION']);
  });

  test('leaves the structure of the version as it was', () => {
    apply('segments: {PATIENT: R}');
    expect(findItem(base, 'PATIENT_RESULT.PATIENT')?.min).toBe(0);
    const definitions = apply('segments: {PATIENT: R}');
    expect(definitions.findStructure('ORU_R01')).toBe(definitions.findStructure('ORU_R01'));
  });
});

describe('a profile that extends another', () => {
  const lab = `profile: lab\nversion: 2.5.1\nmessages: [ORU^R01]\nvalueSets: {sex: [F, M]}
segments: {ZPI: {after: PID}, PV1: X}
fields: {PID-3: {usage: R, max: 3}, PID-8: {codes: sex}}`;
  const files: ProfileFiles = {
    find: (name) => (name === 'lab' ? { path: 'lab.yaml', text: lab } : undefined),
    readCodes: () => undefined,
  };

  test('has its rules, changed key by key', () => {
    const text =
      'profile: acme\nextends: lab\nsegments: {ZPI: R, PV1: O}\nfields: {PID-3: {max: 1}}';
    const profile = read(text, files);
    expect(profile).toMatchObject({ name: 'acme', version: '2.5.1', messages: ['ORU^R01'] });
    const result = applyProfile(base, profile);
    if (!result.ok) throw new Error(JSON.stringify(result.issues));
    const { definitions } = result;
    expect(definitions.findSegment('PID')?.fields[2]).toMatchObject({ usage: 'R', max: 1 });
    expect(definitions.findSegment('PID')?.fields[7]?.codes?.has('M')).toBe(true);
    expect(findItem(definitions, 'PATIENT_RESULT.PATIENT.ZPI')).toMatchObject({ min: 1 });
    expect(findItem(definitions, 'PATIENT_RESULT.PATIENT.PV1')).toMatchObject({ usage: 'O' });
  });

  test('may change a value set that the other one uses', () => {
    const text = 'profile: acme\nextends: lab\nvalueSets: {sex: [F, M, D]}';
    const result = applyProfile(base, read(text, files));
    expect(result.ok && result.definitions.findSegment('PID')?.fields[7]?.codes?.has('D')).toBe(
      true,
    );
  });

  test('may add to its codes', () => {
    const text = 'profile: acme\nextends: lab\nfields: {PID-8: {codes: {add: [D], remove: [M]}}}';
    const result = applyProfile(base, read(text, files));
    const codes = result.ok ? result.definitions.findSegment('PID')?.fields[7]?.codes : undefined;
    expect(['F', 'D', 'M', 'O'].map((code) => codes?.has(code))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('cannot extend itself, or nothing', () => {
    const around: ProfileFiles = {
      find: () => ({ path: 'test.yaml', text: '' }),
      readCodes: () => undefined,
    };
    expect(findFaults('profile: a\nextends: a', around)).toMatchObject([
      { location: 'test.yaml:2:1', message: expect.stringContaining('itself') as string },
    ]);
    expect(findFaults('profile: a\nextends: b')).toMatchObject([{ location: 'test.yaml:2:1' }]);
  });
});

test('knows the messages that it is for', () => {
  const profile = read(head);
  expect(isForMessage(profile, 'ORU', 'R01')).toBe(true);
  expect(isForMessage(profile, 'ORU', 'R03')).toBe(false);
});

describe('what does not fit the version is found where it stands', () => {
  test.each([
    ['segments:\n  PVX: X', '5:3', 'no place', 'Did you mean "PV1"?'],
    ['segments:\n  PATIENT.OBR: R', '5:3', 'no place', 'not one in the other'],
    ['segments:\n  ZPI: R', '5:3', 'after or before', ''],
    ['segments:\n  ZPI: {after: PDI}', '5:9', 'PDI', 'Did you mean "PID"?'],
    ['segments:\n  pid: R', '5:3', 'expected a segment', ''],
    ['segments:\n  PV1: {min: 3, max: 2}', '5:9', 'min 3 is more than max 2', ''],
    ['segments:\n  PV1: {usage: O, min: 1}', '5:19', 'needs usage R', ''],
    ['fields:\n  PDI-3: R', '5:3', 'no place', 'Did you mean "PID"?'],
    ['fields:\n  PID-9: R', '5:3', 'PID has 8 fields in HL7 2.5.1', ''],
    ['fields:\n  PID-3.6: R', '5:3', 'CX has 5 components', ''],
    ['fields:\n  PID-1.2: R', '5:3', 'SI has no components', ''],
    ['fields:\n  OBX-5.1: R', '5:3', 'told by another field', ''],
    ['fields:\n  PID3: R', '5:3', 'expected a field', ''],
    ['fields:\n  OBR.PID-3: R', '5:3', 'no place', ''],
    ['fields:\n  PID-8: {codes: {table: "9999"}}', '5:19', 'no table 9999', ''],
    ['fields:\n  PID-8: {codes: "9999"}', '5:11', 'no table 9999', ''],
    ['fields:\n  PV1-2: {codes: {table: "0004"}}', '5:11', 'lists no codes', ''],
    ['fields:\n  PID-8: {codes: sexes}', '5:11', 'no value set sexes', 'Did you mean "sex"?'],
    ['fields:\n  PID-8: {codes: {remove: [G]}}', '5:19', 'none of the codes', ''],
    ['fields:\n  PID-1: {codes: {add: [G]}}', '5:11', 'no table of its own', ''],
    ['fields:\n  PID-8: {codes: {list: [F], table: "0001"}}', '5:11', 'only one of', ''],
    ['fields:\n  PID-8: {codes: {list: [F], system: LN}}', '5:30', 'coded datatype', ''],
    ['fields:\n  PID-8: {fixed: X, codes: [F]}', '5:11', 'not in the list', ''],
    ['fields:\n  PID-3: {min: 3, max: 2}', '5:19', 'contradicts', ''],
    ['fields:\n  PID-8: {min: 1}', '5:11', 'needs usage R', ''],
    ['fields:\n  PID-8: {usage: X, fixed: F}', '5:21', 'must be absent', ''],
    ['fields:\n  PID-8: {usage: C(R/O)}', '5:11', 'needs its condition', ''],
    ['fields:\n  PID-8: {when: PID-3 valued}', '5:11', 'needs usage: C', ''],
    ['fields:\n  PID-8: {usage: R, when: PID-3 valued}', '5:21', 'needs usage: C', ''],
    ['fields:\n  PID-8: {usage: C(R/R), when: PID-3 valued}', '5:11', 'holds or not', ''],
    ['fields:\n  PID-8: {usage: C, when: PID-30 valued}', '5:21', 'no such field', ''],
    ['fields:\n  PID-8: {usage: C, when: PI valued}', '5:21', 'no path', ''],
    ['fields:\n  PID-8: {usage: C, when: "PID-3 matches \'(a+)+\'"}', '5:21', 'has no meaning', ''],
    ['fields:\n  PID-8: {usage: C, when: PID-3 = PID-2}', '5:21', 'in quotes', ''],
    ['fields:\n  PID-8: {length: 3..2}', '5:11', 'ends before it begins', ''],
    ['fields:\n  PID-8: {datatype: XYZ}', '5:11', 'no datatype XYZ', ''],
    ['fields:\n  PID-3.1: {max: 2}', '5:3', 'does not repeat', ''],
    ['datatypes:\n  XX.1: R', '5:3', 'no datatype XX', ''],
    ['datatypes:\n  CX: R', '5:3', 'expected a component', ''],
    ['datatypes:\n  CX.5: {usage: C, when: CX.1 valued}', '5:20', 'no path', ''],
  ])('%s', (rules, position, reason, hint) => {
    const issues = findFaults(
      `${head}${rules}${rules.includes('sexes') ? '\nvalueSets: {sex: [F]}' : ''}`,
    );
    expect(issues.map(({ location }) => location)).toEqual([`test.yaml:${position}`]);
    expect(issues[0]).toMatchObject({ code: 'profile-invalid', severity: 'error' });
    expect(issues[0]?.message).toContain(reason);
    expect(issues[0]?.message).toContain(hint);
  });

  test('a message that the version does not have', () => {
    const issues = findFaults('profile: a\nversion: 2.5.1\nmessages: [ORU^R01, ORU^R99]');
    expect(issues.map(({ location }) => location)).toEqual(['test.yaml:3:21']);
  });

  test('all at once', () => {
    const rules = 'segments: {PVX: X}\nfields: {PID-9: R, PID-8: {codes: "9999"}}';
    expect(findFaults(head + rules)).toHaveLength(3);
  });
});
