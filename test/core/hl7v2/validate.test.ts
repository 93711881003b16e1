import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDefinitions } from '../../../connectors/file/definition-files.ts';
import { matchStructure } from '../../../core/hl7v2/match-structure.ts';
import { parseStructureText } from '../../../core/hl7v2/definitions/structure-text.ts';
import { validate } from '../../../core/hl7v2/validate.ts';
import { build, parse } from './support.ts';

const pid = 'PID|1||4711^^^NORTH^MR||Testperson^Amelie';
const obr = 'OBR|1|P1|F1|24323-8^Panel^LN|||20260312';
const adtHeader = 'MSH|^~\\&|REG|NORTH|EHR|CLINIC|20260312||ADT^A01^ADT_A01|M1|P|2.5.1';

function obx(value: string, type = 'NM'): string {
  return `OBX|1|${type}|2345-7^Glucose^LN||${value}||||||F`;
}

function adt(...segments: readonly string[]): string {
  return [adtHeader, ...segments].join('\r');
}

/** Findings as `code location`, a severity other than error in front. */
function find(text: string): readonly string[] {
  return validate(parse(text), openDefinitions()).map(({ code, severity, location }) => {
    const where = location === undefined ? code : `${code} ${location}`;
    return severity === 'error' ? where : `${severity} ${where}`;
  });
}

describe('what conforms has no findings', () => {
  it.each(['oru-r01.hl7', 'adt-a01.hl7'])('samples/%s', (name) => {
    expect(find(readFileSync(join(import.meta.dirname, '../../../samples', name), 'utf8'))).toEqual(
      [],
    );
  });

  it.each([
    ['a result without visit', build(pid, obr, obx('1'))],
    ['a result without patient', build(obr, obx('1'))],
    [
      'notes, orders, specimens and their observations',
      build(
        pid,
        'NTE|1',
        'PV1|1|O',
        'ORC|RE',
        obr,
        'NTE|1',
        obx('1'),
        'NTE|1',
        obx('2'),
        'SPM|1|||119297000^Blood^SCT',
        'OBX|1|ST|x||y||||||F',
        'ORC|RE',
        obr,
        obx('3'),
      ),
    ],
    ['several patients', build(pid, obr, pid, obr)],
    ['Z segments anywhere', build('ZZ1|1', pid, 'ZPI|1', obr, 'ZOB|1', obx('1'), 'ZZ9')],
    ['a continuation pointer', build(pid, obr, 'DSC|1')],
    [
      'an admission with everything',
      adt(
        'SFT|1|2|3|4',
        'EVN||2026',
        pid,
        'PD1|',
        'ROL||AD|PP|1',
        'NK1|1',
        'PV1|1|I',
        'PV2|',
        'ROL||AD|PP|1',
        'DB1|1',
        obx('1'),
        'AL1|1||x',
        'DG1|1|||||A',
        'DRG|',
        'PR1|1||x||2026',
        'ROL||AD|PP|1',
        'GT1|1||x',
        'IN1|1|a|b',
        'IN2|',
        'IN3|1',
        'IN1|2|a|b',
        'ACC|',
        'UB1|',
        'UB2|',
        'PDA|',
      ),
    ],
    ['an HL7 null in a required field', adt('EVN||2026', 'PID|1||""||""', 'PV1|1|I')],
    ['an observation without a value', build(pid, obr, 'OBX|1||x||||||||X')],
    ['a table named with the value type', build(pid, obr, 'OBX|1|CWE^^HL70125|x||a^b^L||||||F')],
  ])('%s', (_name, text) => {
    expect(find(text)).toEqual([]);
  });

  it.each(['2.3', '2.3.1', '2.4', '2.5', '2.5.1', '2.6', '2.7', '2.7.1', '2.8', '2.8.1', '2.8.2'])(
    'in version %s',
    (version) => {
      const oru = build(pid, 'PD1|', 'PV1|1|O', 'ORC|RE', obr, obx('7.5')).replace(
        '2.5.1',
        version,
      );
      expect(find(oru)).toEqual([]);
      for (const event of ['A01', 'A04', 'A08', 'A13']) {
        const text = adt(
          `EVN|${event}|2026`,
          pid,
          'NK1|1||||||C^^99LOC',
          'PV1|1|I',
          'AL1|1||x',
          'IN1|1|a|b^^^^XX',
        );
        expect(find(text.replace('A01^', `${event}^`).replace('2.5.1', version))).toEqual([]);
      }
    },
  );
});

describe('what is wrong is found', () => {
  it.each([
    ['no patient', adt('EVN||2026', 'PV1|1|I'), ['segment-missing PID']],
    ['no visit', adt('EVN||2026', pid, 'AL1|1||x'), ['segment-missing PV1']],
    ['no event', adt(pid, 'PV1|1|I'), ['segment-missing EVN']],
    [
      'only a header',
      adtHeader,
      ['segment-missing EVN', 'segment-missing PID', 'segment-missing PV1'],
    ],
    ['no order', build(pid), ['segment-missing OBR']],
    ['only the header of a result', build(), ['segment-missing OBR']],
    ['an observation in front of its order', build(pid, obx('1'), obr), ['segment-missing OBR']],
    ['no order in the second of two patients', build(pid, obr, pid), ['segment-missing OBR[2]']],
    ['an order of segments', adt('EVN||2026', 'PV1|1|I', pid), ['segment-out-of-order PID']],
    [
      'a second patient in an admission',
      adt('EVN||2026', pid, pid, 'PV1|1|I'),
      ['segment-out-of-order PID[2]'],
    ],
    [
      'a note where none belongs',
      build(pid, obr, 'SPM|1|||119297000^Blood^SCT', 'NTE|1'),
      ['segment-out-of-order NTE'],
    ],
    ['two messages in one', build(pid, obr) + build(pid, obr), ['segment-out-of-order MSH[2]']],
    [
      'a segment of another message',
      build(pid, 'AL1|1||x', obr),
      ['warning segment-unexpected AL1'],
    ],
    [
      'a specimen before 2.5',
      build(pid, obr, 'SPM|1|||BLD').replace('2.5.1', '2.3'),
      ['warning segment-unexpected SPM'],
    ],
    ['a wrapped line', build(pid, 'and more', obr), ['segment-name-invalid PID']],
    [
      'wrapped lines behind one of several',
      build(pid, obr, obx('1'), obx('2'), 'Abc|1', 'def', obx('3')),
      ['segment-name-invalid OBX[2]', 'segment-name-invalid OBX[2]'],
    ],
    ['a name in small letters', build(pid, 'pv1|1|O', obr), ['segment-name-invalid PID']],
    [
      'missing fields',
      build('PID|1', 'OBR|1', 'OBX|1|NM'),
      [
        'required-field-missing PID-3',
        'required-field-missing PID-5',
        'required-field-missing OBR-4',
        'required-field-missing OBX-3',
        'required-field-missing OBX-11',
      ],
    ],
    [
      'required fields with nothing but delimiters',
      build('PID|1||^^^&~||^', obr),
      ['required-field-missing PID-3', 'required-field-missing PID-5'],
    ],
    [
      'missing fields in the second of several',
      build(pid, obr, obx('1'), 'OBX|2|NM|x||2'),
      ['required-field-missing OBX[2]-11'],
    ],
    ['a value without type', build(pid, obr, obx('1', '')), ['required-field-missing OBX-2']],
    ['an unknown type', build(pid, obr, obx('1', 'XY')), ['code-not-in-table OBX-2']],
    [
      'a value that is not of its type',
      build(pid, obr, obx('1~high~3')),
      ['value-invalid OBX-5[2]'],
    ],
    [
      'a birth date that no calendar has',
      build('PID|1||1||A||20260230', obr),
      ['value-invalid PID-7'],
    ],
    [
      'a header without its fields',
      'MSH|^~\\&|A\rPID|1',
      [
        'required-field-missing MSH-7',
        'required-field-missing MSH-9',
        'required-field-missing MSH-10',
        'required-field-missing MSH-11',
        'required-field-missing MSH-12',
        'required-field-missing PID-3',
        'required-field-missing PID-5',
      ],
    ],
    [
      'no trigger event',
      build(pid, obr).replace('ORU^R01^ORU_R01', 'ORU'),
      ['required-field-missing MSH-9.2'],
    ],
    [
      'an unknown processing id',
      build(pid, obr).replace('|P|', '|X|'),
      ['code-not-in-table MSH-11'],
    ],
    ['an unknown version', build(pid, obr).replace('2.5.1', '9.9'), ['version-unknown MSH-12']],
    [
      'a version not published',
      build(pid, obr).replace('2.5.1', '2.9.2'),
      ['version-unknown MSH-12'],
    ],
    ...['2.9', '2.9.1'].map((later): [string, string, string[]] => [
      `a version later than our definitions, ${later}`,
      build(pid, obr, 'PRT||""||RO^^99LOC').replace('2.5.1', later),
      ['warning version-later MSH-12'],
    ]),
    [
      'what is missing in a later version',
      build('PID|1||1^^^NORTH^MR', obr).replace('2.5.1', '2.9'),
      ['warning version-later MSH-12', 'required-field-missing PID-5'],
    ],
    [
      'an unknown message type',
      build(pid).replace('ORU^R01^ORU_R01', 'XYZ^Z01'),
      ['message-type-unknown MSH-9'],
    ],
    [
      'a structure that is not the event’s',
      build(pid, obr).replace('ORU_R01', 'ORU_R30'),
      ['warning structure-mismatch MSH-9.3'],
    ],
    [
      'a known structure of an event of the site’s own',
      build(pid).replace('R01^ORU', 'Z01^ORU'),
      ['segment-missing OBR'],
    ],
    [
      'everything at once',
      build('PID|1||1', obx('x'), obr).replace('|P|', '|X|'),
      [
        'code-not-in-table MSH-11',
        'segment-missing OBR',
        'required-field-missing PID-5',
        'value-invalid OBX-5[1]',
      ],
    ],
  ])('%s', (_name, text, findings) => {
    expect(find(text)).toEqual(findings);
  });

  it.each([
    [
      'NM',
      ['1', '-1.5', '+.5', '12.', '0012.50', '""', ''],
      ['<5', '1,5', '1e3', ' 1', '7.5 ', '1^2', '.', 'abc'],
    ],
    ['DT', ['2026', '202603', '20260312'], ['20261399', '2026031214', '12/03/2026']],
    ['TM', ['14', '1425', '142530.1234', '1425+0100'], ['25', '14:25', '1']],
    ['TS', ['2026', '20260312142530-0500', '20260312^D'], ['yesterday', '2026-03-12']],
    ['DTM', ['2026031214'], ['20260312T14']],
    ['SI', ['0', '9999'], ['-1', '12345', 'x']],
    ['ST', ['anything < 5'], []],
    ['CWE', ['a^b^LN', 'free text'], []],
  ])('in values of type %s', (type, good, bad) => {
    for (const value of good)
      expect([value, find(build(pid, obr, obx(value, type)))]).toEqual([value, []]);
    for (const value of bad) {
      expect([value, find(build(pid, obr, obx(value, type)))]).toEqual([
        value,
        ['value-invalid OBX-5[1]'],
      ]);
    }
  });

  it('in structured numbers, by component', () => {
    for (const value of ['>^60', '^1^-^2', '<', '^1^:^128', '>=^1^+', '""', '^""']) {
      expect([value, find(build(pid, obr, obx(value, 'SN')))]).toEqual([value, []]);
    }
    expect(find(build(pid, obr, obx('^a', 'SN')))).toEqual(['value-invalid OBX-5[1].2']);
    expect(find(build(pid, obr, obx('^1^-^b', 'SN')))).toEqual(['value-invalid OBX-5[1].4']);
    expect(find(build(pid, obr, obx('!^1', 'SN')))).toEqual(['value-invalid OBX-5[1].1']);
  });

  it.each([
    ['2.3', 'CDFIPRSUX', 'NOWABV', 'Q'],
    ['2.5.1', 'CDFINOPRSUWX', 'ABV', 'Q'],
    ['2.8.2', 'ABCDFINOPRSUVWX', '', 'QEf'],
  ])('in the status of a result in %s', (version, known, later, unknown) => {
    const findStatus = (status: string): readonly string[] =>
      find(build(pid, obr, obx('1').replace(/F$/, status)).replace('|2.5.1', `|${version}`));
    for (const code of known) expect([code, findStatus(code)]).toEqual([code, []]);
    for (const code of later)
      expect([code, findStatus(code)]).toEqual([code, ['warning code-not-in-table OBX-11']]);
    for (const code of unknown)
      expect([code, findStatus(code)]).toEqual([code, ['code-not-in-table OBX-11']]);
  });

  it('without telling what the values are', () => {
    const text = build(
      'PID|1||||Testperson||notadate',
      obx('notanumber', 'NM'),
      obx('x', 'QQ'),
      'Testperson line',
    );
    expect(JSON.stringify(validate(parse(text), openDefinitions()))).not.toMatch(
      /Testperson|notadate|notanumber|QQ/,
    );
  });
});

describe('a structure', () => {
  it.each([
    ['A01 [B01] {C01 [D01]}', 'A01 C01', []],
    ['A01 [B01] {C01 [D01]}', 'A01 B01 C01 D01 C01', []],
    ['A01 [B01] {C01 [D01]}', 'A01 D01 C01', ['segment-missing C01']],
    ['A01 [B01] {C01 [D01]}', 'A01 C01 B01', ['segment-out-of-order B01']],
    ['A01 [{B01 [{C01}]}] D01', 'A01 B01 C01 C01 B01 D01', []],
    ['A01 [{B01 [{C01}]}] D01', 'A01 C01 D01', ['segment-out-of-order C01']],
    ['A01 [{B01 [{C01}]}] D01', 'D01', ['segment-missing A01']],
    ['A01 {[B01] [C01]} D01', 'A01 B01 C01 B01 C01 D01', []],
    ['A01 {[B01] [C01]} D01', 'A01 D01', []],
  ])('%s against %s', (structure, names, findings) => {
    const message = parse(`MSH|^~\\&\r${names.replaceAll(' ', '|\r')}|\r`);
    const issues = matchStructure(message, parseStructureText('TEST', `MSH ${structure}`));
    expect(issues.map(({ code, location }) => `${code} ${location ?? ''}`)).toEqual(findings);
  });

  it.each(['A01 [B01', 'A01 B01]', 'A01 [B01}'])(
    'with brackets that do not match is refused: %s',
    (text) => {
      expect(() => parseStructureText('TEST', text)).toThrow('Expected');
    },
  );
});
