import { openDefinitions } from '../../../../connectors/file/definition-files.ts';
import { parsePath } from '../../../../core/hl7v2/parse-path.ts';
import { validate } from '../../../../core/hl7v2/validate.ts';
import { parse } from '../support.ts';

/** Findings as `code location`, a severity other than error in front. */
function find(text: string): readonly string[] {
  return validate(parse(text), openDefinitions()).map(({ code, severity, location = '' }) => {
    expect(parsePath(location).ok).toBe(true);
    return severity === 'error' ? `${code} ${location}` : `${severity} ${code} ${location}`;
  });
}

/** A result of a version with these segments; its one order is `obr`. */
function oru(version: string, ...segments: readonly string[]): string {
  const type = version < '2.3.1' ? 'ORU^R01' : 'ORU^R01^ORU_R01';
  return [`MSH|^~\\&|A|B|C|D|2026031214||${type}|M1|P|${version}`, ...segments].join('\r');
}

const pid = 'PID|1||4711^^^NORTH^MR||Testperson^Amelie';
const obr = 'OBR|1|P1|F1|24323-8^Panel^LN|||20260312';

function field(version: string, position: number, value: string): string {
  const values = ['1', '', '4711^^^NORTH^MR', '', 'Testperson^Amelie'];
  values[position - 1] = value;
  return oru(
    version,
    `PID|${Array.from(values, (each: string | undefined) => each ?? '').join('|')}`,
    obr,
  );
}

const long = (length: number): string => 'x'.repeat(length);

describe('a value', () => {
  it.each<[what: string, version: string, position: number, value: string, findings: string[]]>([
    ['a date', '2.5.1', 7, '19840229', []],
    ['a year', '2.5.1', 7, '1984', []],
    ['a year before 2.3', '2.2', 7, '1984', ['value-invalid PID-7']],
    ['a day before 2.3', '2.2', 7, '19840229', []],
    ['a minute before 2.3', '2.2', 7, '198402290830', []],
    ['an hour before 2.3', '2.2', 7, '1984022908', ['value-invalid PID-7']],
    ['a fraction and an offset', '2.8.2', 7, '19840229083000.1234-0500', []],
    ['a day that is none', '2.8.2', 7, '19830229', ['value-invalid PID-7']],
    ['a month that is none', '2.4', 7, '198313', ['value-invalid PID-7']],
    ['an hour that is none', '2.6', 7, '1984022924', ['value-invalid PID-7']],
    ['dashes', '2.3', 7, '1984-02-29', ['value-invalid PID-7']],
    ['a timestamp with its precision', '2.5.1', 7, '19840229^D', []],
    [
      'the same where it is one value',
      '2.8',
      7,
      '19840229^D',
      ['warning component-unexpected PID-7'],
    ],
    ['a null', '2.5.1', 7, '""', []],
    ['nothing but delimiters', '2.5.1', 7, '^', []],
    ['an escape that hides a date', '2.5.1', 7, '\\X31\\9840229', []],
    ['an escape that hides none', '2.5.1', 7, '\\T\\', ['value-invalid PID-7']],
    ['a number that is none', '2.5.1', 25, 'second', ['value-invalid PID-25']],
    ['a set id that is none', '2.5.1', 1, 'one', ['value-invalid PID-1']],
    ['a code of an HL7 table', '2.5.1', 24, 'Y', []],
    ['another code', '2.5.1', 24, 'Q', ['code-not-in-table PID-24']],
    ['a code of a user table', '2.5.1', 8, 'F', []],
    ['another code of a user table', '2.5.1', 8, 'Q', ['warning code-not-in-table PID-8']],
    ['a code of another system', '2.5.1', 10, 'x^y^99LOC', []],
    ['a code of no system', '2.5.1', 10, 'x^y', ['warning code-not-in-table PID-10']],
    ['a code in a component', '2.5.1', 3, '1^^^A^QQ', ['code-not-in-table PID-3.5']],
    ['a code that came later', '2.5.1', 13, '^PRS^PH', ['warning code-not-in-table PID-13.2']],
    ['a sub-component', '2.5.1', 3, '1^^^A&1.2&QQ^MR', ['code-not-in-table PID-3.4.3']],
    ['half an authority', '2.5.1', 3, '1^^^A&1.2^MR', ['required-field-missing PID-3.4.3']],
    ['the other half', '2.5.1', 3, '1^^^A&&ISO^MR', ['required-field-missing PID-3.4.2']],
    ["a nation's identifier", '2.5.1', 3, '1^^^A^NNGBR', []],
    ['the number of a device', '2.6', 3, '1^^^A&0123456789ABCDEF&EUI-64^MR', []],
    ['a local scheme', '2.8.2', 3, '1^^^A&1&L^MR', []],
    ['a date in a component', '2.5.1', 3, '1^^^A^MR^^2026^yesterday', ['value-invalid PID-3.8']],
    ['a repetition', '2.5.1', 3, '1^^^A^MR~2^^^A^QQ', ['code-not-in-table PID-3[2].5']],
    ['no identifier', '2.5.1', 3, '^^^A^MR', ['required-field-missing PID-3.1']],
    ['no type of an identifier from 2.7 on', '2.7', 3, '1^^^A', ['required-field-missing PID-3.5']],
    ['one component too many', '2.3', 3, '1^^^A^MR^^7', ['warning component-unexpected PID-3.7']],
    [
      'several too many, once',
      '2.3',
      3,
      '1^^^A^MR^^7^8^9',
      ['warning component-unexpected PID-3.7'],
    ],
    ['a sub-component in text', '2.5.1', 23, 'a&b', ['warning component-unexpected PID-23']],
    ['a component in text', '2.5.1', 23, 'a^b', ['warning component-unexpected PID-23']],
    ['escaped delimiters in text', '2.5.1', 23, 'a\\T\\b', []],
    ['a repetition too many', '2.5.1', 7, '1984~1985', ['repetitions-too-many PID-7[2]']],
    ['several too many, once', '2.5.1', 7, '1984~1985~1986', ['repetitions-too-many PID-7[2]']],
    ['an empty repetition', '2.5.1', 7, '1984~', []],
    ['a text as long as may be', '2.5.1', 23, long(250), []],
    ['one character more', '2.5.1', 23, long(251), ['value-too-long PID-23']],
    ['the length of what is escaped', '2.5.1', 23, `${long(249)}\\T\\`, []],
    ['a long component', '2.5.1', 5, long(60), ['value-too-long PID-5']],
    ['a long name before 2.5', '2.3', 5, long(49), ['value-too-long PID-5']],
    [
      'long parts before 2.5',
      '2.3',
      5,
      `${long(40)}^${long(20)}`,
      ['warning value-too-long PID-5'],
    ],
    ['a control character', '2.5.1', 23, 'a\u0001b', ['warning character-invalid PID-23']],
    ['a tab', '2.5.1', 23, 'a\tb', []],
    ['a field too many', '2.3', 40, 'x', ['warning field-unexpected PID-40']],
    ['an empty field too many', '2.3', 40, '^~^', []],
    ['a withdrawn field', '2.8', 9, 'x^y^z', []],
  ])('is judged: %s in %s', (_what, version, position, value, findings) => {
    const all = find(field(version, position, value));
    expect(all.filter((each) => each.includes('PID'))).toEqual(findings);
  });
});

describe('several fields', () => {
  const obx = (text: string): string => oru('2.5.1', pid, obr, text);

  it.each<[what: string, text: string, findings: readonly string[]]>([
    ['a value without its type', obx('OBX|1||x||5||||||F'), ['required-field-missing OBX-2']],
    ['a value that is withdrawn, without its type', obx('OBX|1||x||5||||||X'), []],
    ['a type that 2.5.1 does not know', obx('OBX|1|QQ|x||5||||||F'), ['code-not-in-table OBX-2']],
    ['a type of a later version', oru('2.3', pid, obr, 'OBX|1|CWE|x||a^b^c^^^^^^^9||||||F'), []],
    ['a coded value', obx('OBX|1|CE|x||a^b^L~c||||||F'), []],
    [
      'a part of a coded value that is no more',
      obx('OBX|1|CE|x||a^b^L^c^d^L^e||||||F'),
      ['warning component-unexpected OBX-5[1].7'],
    ],
    ['a document', obx('OBX|1|ED|x||A^AP^PDF^Base64^QUJD||||||F'), []],
    [
      'a document in no encoding',
      obx('OBX|1|ED|x||^AP^PDF^zip^QUJD||||||F'),
      ['code-not-in-table OBX-5[1].4'],
    ],
    ['a date in two parts', obx('OBX|1|DT|x||2026^3||||||F'), ['value-invalid OBX-5[1]']],
    [
      'text with delimiters',
      obx('OBX|1|TX|x||a^b||||||F'),
      ['warning component-unexpected OBX-5[1]'],
    ],
    ['a range of days', obx('OBX|1|DR|x||2026^2027||||||F'), []],
    ['a range to no day', obx('OBX|1|DR|x||2026^x||||||F'), ['value-invalid OBX-5[1].2']],
    ['an amount', obx('OBX|1|MO|x||10.5^EUR||||||F'), []],
    ['an amount of nothing', obx('OBX|1|MO|x||ten^EUR||||||F'), ['value-invalid OBX-5[1].1']],
    [
      'an order and a result of another number',
      oru('2.5.1', pid, 'ORC|RE|P1|F1', 'OBR|1|P2|F1|24323-8^Panel^LN'),
      ['values-contradictory OBR-2'],
    ],
    [
      'an order and a second result',
      oru('2.5.1', pid, 'ORC|RE|P1|F1', obr, 'OBR|2|P2|F2|24323-8^Panel^LN'),
      [],
    ],
    [
      'an event that the header contradicts',
      'MSH|^~\\&|A|B|C|D|2026||ADT^A01^ADT_A01|1|P|2.5.1\rEVN|A04|2026\r' + pid + '\rPV1|1|I',
      ['warning values-contradictory EVN-1'],
    ],
  ])('%s', (_what, text, findings) => {
    expect(find(text)).toEqual(findings);
  });
});

describe('what the lists of a version do not say', () => {
  const query = 'MSH|^~\\&|A|B|C|D|2026||QBP^Q22^QBP_Q21|1|P|2.5';

  it.each<[what: string, text: string, findings: readonly string[]]>([
    [
      'a parameter of a query that repeats',
      `${query}\rQPD|Q22^Find^L|1|@PID.5.1^DOE~@PID.7^1960\rRCP|I`,
      [],
    ],
    ['a reserved field', oru('2.5.1', pid, obr, 'OBX|1|NM|1^x^L||5||||||F|||||||||^x'), []],
    [
      'a value of a type of 2.2',
      oru('2.2', pid, obr, 'OBX|1|CM|1^x^L||5^6||||||F').replace('031214', '03121400'),
      [],
    ],
    [
      'a diagnosis of the third rank',
      'MSH|^~\\&|A|B|C|D|2026||ADT^A01^ADT_A01|1|P|2.7\rEVN||2026\r' +
        `${pid}\rPV1|1|I\rDG1|1||I10|||A|||||||||3`,
      [],
    ],
  ])('is known: %s', (_what, text, findings) => {
    expect(find(text).filter((each) => !each.startsWith('warning'))).toEqual(findings);
  });
});

describe('the header', () => {
  const header = (type: string, version = '2.5.1'): string =>
    `MSH|^~\\&|A|B|C|D|2026||${type}|1|P|${version}\r${pid}\r${obr}`;

  it.each<[what: string, text: string, findings: readonly string[]]>([
    ['an event of no version', header('ORU^QQQ'), ['event-unknown MSH-9.2']],
    ['an event of a later version', header('ORU^R40', '2.3'), ['warning event-unknown MSH-9.2']],
    ["an event of the site's own", header('ORU^Z05'), ['warning event-unknown MSH-9.2']],
    ['an event of another message', header('ORU^A01'), ['warning event-unknown MSH-9.2']],
    ['a message of no standard', header('XYZ^R01'), ['message-type-unknown MSH-9']],
    ["a message of the site's own", header('ZYX^R01'), ['warning message-type-unknown MSH-9']],
    ['no structure', header('ORU^R01'), []],
    [
      'a structure of another event',
      header('ORU^R01^ADT_A01'),
      ['warning structure-mismatch MSH-9.3'],
    ],
    ['an event alone', header('^R01'), ['required-field-missing MSH-9.1']],
    ['no event', header('ORU'), ['required-field-missing MSH-9.2']],
    [
      'the HL7 null as control id',
      header('ORU^R01').replace('|1|P', '|""|P'),
      ['value-invalid MSH-10'],
    ],
    ['a version with its country', header('ORU^R01', '2.5.1^DEU'), []],
    ['no such version', header('ORU^R01', '3.0'), ['version-unknown MSH-12']],
  ])('with %s', (_what, text, findings) => {
    expect(find(text)).toEqual(findings);
  });

  it('needs no event in 2.1', () => {
    expect(find(header('ORU', '2.1')).filter((each) => each.includes('MSH-9'))).toEqual([]);
  });

  it('names the version when it is told another one', () => {
    const message = parse(header('ORU^R01^ORU_R01', '9.9'));
    const issues = validate(message, openDefinitions().of('2.3'));
    expect(issues.map(({ code, severity }) => `${severity} ${code}`)).toEqual([
      'information version-differs',
    ]);
  });
});

describe('many findings', () => {
  it('are bounded, and the first error is among them however late it comes', () => {
    const warnings = Array.from(
      { length: 3_000 },
      () => `${obr}||||||||||||||||||||||||||||||||||||||||||||||||x`,
    );
    const issues = validate(parse(oru('2.5.1', pid, ...warnings, 'OBR|1')), openDefinitions());
    expect(issues).toHaveLength(1_002);
    expect(issues.at(-1)).toMatchObject({ code: 'findings-truncated', severity: 'information' });
    expect(issues.some(({ severity }) => severity === 'error')).toBe(true);
  });
});

it('leaves the parameters of a query to its own definition, repetitions too', () => {
  const query = [
    'MSH|^~\\&|A|B|C|D|20260312||QBP^Q22^QBP_Q21|M1|P|2.5',
    'QPD|Q22^Find Candidates^HL7nnn|Q1|@PID.5.1^SMITH~@PID.5.2^JOHN|80~90',
    'RCP|I|10^RD',
  ];
  expect(find(query.join('\r'))).toEqual([]);
});
