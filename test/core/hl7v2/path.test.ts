import { HilumError } from '../../../core/errors.ts';
import { parsePath, parsePathExpression } from '../../../core/hl7v2/parse-path.ts';
import { build, parse } from './support.ts';

describe('a path', () => {
  it.each([
    ['PID', { segment: 'PID' }],
    ['OBX[3]', { segment: 'OBX', occurrence: 3 }],
    ['PID-3', { segment: 'PID', field: 3 }],
    ['PID.3.1', { segment: 'PID', field: 3, component: 1 }],
    ['PID-3[2].4.1', { segment: 'PID', field: 3, repetition: 2, component: 4, subcomponent: 1 }],
    ['OBX[3]-5', { segment: 'OBX', occurrence: 3, field: 5 }],
    ['OBX[12]-5[2].1', { segment: 'OBX', occurrence: 12, field: 5, repetition: 2, component: 1 }],
    ['ZZ9-10', { segment: 'ZZ9', field: 10 }],
  ])('is read: %s', (text, path) => {
    expect(parsePath(text)).toEqual({ ok: true, path });
  });

  it.each([
    ['', 'a segment name', 1],
    ['PI-3', 'a segment name', 1],
    ['1AB-3', 'a segment name', 1],
    ['PID3', 'a dash', 4],
    ['PID-', 'a field position', 5],
    ['PID-0', 'a field position', 5],
    ['PID-x', 'a field position', 5],
    ['PID-99999', 'a field position', 5],
    ['PID-3[', 'a number', 7],
    ['PID-3[0]', 'a number', 7],
    ['PID-3[2', 'a closing bracket', 8],
    ['PID-3[2]4', 'a dot before the component', 9],
    ['PID-3.', 'a component position', 7],
    ['PID-3.4.1.2', 'the end', 10],
    ['PID-3 ', 'a dot before the component', 6],
    ['PID[two]-3', 'a number', 5],
  ])('is refused with the place where it goes wrong: "%s"', (text, expected, character) => {
    const parsed = parsePath(text);
    expect(parsed.ok ? '' : parsed.issue.message).toMatch(`Expected ${expected}`);
    expect(parsed.ok ? '' : parsed.issue.message).toContain(`at character ${character} `);
  });
});

describe('a path expression', () => {
  it.each([
    ['PID-3[*].1', { segment: 'PID', groups: [], field: 3, repetition: 'all', component: 1 }],
    [
      'PID-3[type=MR].1',
      { field: 3, repetition: { key: 'type', component: 5, value: 'MR' }, component: 1 },
    ],
    [
      'PID-3[authority=GC]',
      { field: 3, repetition: { key: 'authority', component: 4, subcomponent: 1, value: 'GC' } },
    ],
    [
      'PID-3[4.2="a ] ""b"]',
      { field: 3, repetition: { component: 4, subcomponent: 2, value: 'a ] "b' } },
    ],
    ['OBX[3=x]-5', { occurrence: { key: '3', field: 3, component: 1, value: 'x' }, field: 5 }],
    ['OBX[3.1=2345-7]-5', { occurrence: { field: 3, component: 1, value: '2345-7' }, field: 5 }],
    ['OBX[*]-11', { occurrence: 'all', field: 11 }],
    [
      'PATIENT_RESULT.ORDER_OBSERVATION[2].OBX[1]-5',
      {
        groups: [{ name: 'PATIENT_RESULT' }, { name: 'ORDER_OBSERVATION', index: 2 }],
        segment: 'OBX',
        occurrence: 1,
        field: 5,
      },
    ],
    ['VISIT.PV1', { groups: [{ name: 'VISIT' }], segment: 'PV1' }],
  ])('is read: %s', (text, path) => {
    expect(parsePathExpression(text)).toMatchObject({ ok: true, path });
  });

  it.each([
    ['PID-3[type]', 'a number, * or a condition such as 5=MR', 7],
    ['PID-3[color=MR]', 'a component’s position such as 5=MR, or a name that PID-3 has', 7],
    ['PID-3[0=MR]', 'positions such as 5=MR', 7],
    ['PID-3[1.2.3=MR]', 'positions such as 5=MR', 7],
    ['PID-3[5="MR]', 'a closing quotation mark', 10],
    ['PID-3[5=MR', 'a closing bracket', 11],
    ['OBX[type=x]-5', 'a component’s position such as 3.1=2345-7', 5],
    ['ORDER[5=x].OBX', 'a number from 1 to 9999999 or *', 7],
    ['ORDER.', 'a dash', 4],
    ['ORDER.OB-1', 'a segment name', 7],
  ])('is refused with the place where it goes wrong: "%s"', (text, expected, character) => {
    const parsed = parsePathExpression(text);
    const message = parsed.ok ? '' : parsed.issue.message;
    expect(message.replaceAll("'", '’')).toContain(`Expected ${expected}`);
    expect(message).toContain(`at character ${character} `);
  });

  it('is no place of its own', () => {
    expect(parsePath('PID-3[type=MR]')).toMatchObject({ ok: false });
    expect(parsePath('PID-3[*]')).toMatchObject({ ok: false });
    expect(parsePath('VISIT.PV1-2')).toMatchObject({ ok: false });
  });
});

const chosen = parse(
  build(
    'PID|1||77^^^NORTH^PI~4711^^^GC&2.999&ISO^MR~4712^^^GC&2.999&ISO^MR||A^B',
    'OBX|1|NM|2345-7^Glucose^LN||107',
    'OBX|2|ST|8251-1^Comment^LN||a \\T\\ b~c',
    'OBX|3|NM|2345-7^Glucose^LN||99',
  ),
);

describe('a choice', () => {
  it.each([
    ['PID-3[type=MR].1', ['4711', '4712']],
    ['PID-3[5=PI].1', ['77']],
    ['PID-3[authority=GC].1', ['4711', '4712']],
    ['PID-3[4.2=2.999].1', ['4711', '4712']],
    ['PID-3[type=SS].1', []],
    ['OBX[3.1=2345-7]-5', ['107', '99']],
    ['OBX[3=8251-1]-5[2]', ['c']],
    ['OBX[5="a & b"]-1', ['2']],
    ['OBX[5=c]-1', ['2']],
    ['OBX[*]-1', ['1', '2', '3']],
    ['ZZZ[1=x]-1', []],
  ])('finds every value that fits, and get the first: %s', (path, values) => {
    expect(chosen.all(path)).toEqual(values);
    expect(chosen.get(path)).toBe(values[0]);
  });

  it('tells the place of each', () => {
    const places = chosen.places('OBX[3.1=2345-7]-5');
    expect(places.map(({ location, value }) => [location, value])).toEqual([
      ['OBX[1]-5[1]', '107'],
      ['OBX[3]-5[1]', '99'],
    ]);
    const { start, end } = places[1]!.range;
    expect(chosen.text.slice(start, end)).toBe('99');
  });

  it('sets the first that fits, and each with a star', () => {
    expect(chosen.set('PID-3[type=MR].1', 'new').all('PID-3.1')).toEqual(['77', 'new', '4712']);
    expect(chosen.set('OBX[3.1=8251-1]-5[2]', 'new').all('OBX-5')).toEqual([
      '107',
      'a & b',
      'new',
      '99',
    ]);
    expect(chosen.set('OBX[*]-11', 'C').all('OBX-11')).toEqual(['C', 'C', 'C']);
    expect(chosen.set('PID-3[*].6', 'F').all('PID-3.6')).toEqual(['F', 'F', 'F']);
  });

  it.each([
    ['PID-3[type=SS].1', 'repetition-missing'],
    ['OBX[3.1=1]-5', 'segment-missing'],
    ['ZZZ[*]-5', 'segment-missing'],
    ['PATIENT.PID-3', 'path-needs-structure'],
  ])('that nothing fits is refused: %s', (path, code) => {
    expect(codeOf(() => chosen.set(path, 'new'))).toBe(code);
  });
});

describe('remove', () => {
  const lines = ['PID|1||A^B&C~D~E|x|y', 'OBX|1|NM', 'NTE|1||a', 'NTE|2||b', 'OBX|2|NM'];
  const text = build(...lines);

  it.each([
    ['a field', 'PID-3', ['PID|1|||x|y', ...lines.slice(1)]],
    ['a repetition with its separator', 'PID-3[2]', ['PID|1||A^B&C~E|x|y', ...lines.slice(1)]],
    ['the first repetition', 'PID-3[1]', ['PID|1||D~E|x|y', ...lines.slice(1)]],
    ['the last repetition', 'PID-3[3]', ['PID|1||A^B&C~D|x|y', ...lines.slice(1)]],
    ['every repetition', 'PID-3[*]', ['PID|1|||x|y', ...lines.slice(1)]],
    ['the one that is chosen', 'PID-3[1=D]', ['PID|1||A^B&C~E|x|y', ...lines.slice(1)]],
    ['a component everywhere', 'PID-3.1', ['PID|1||^B&C~~|x|y', ...lines.slice(1)]],
    ['a sub-component', 'PID-3[1].2.1', ['PID|1||A^&C~D~E|x|y', ...lines.slice(1)]],
    ['a segment with its end', 'OBX[1]', [lines[0]!, ...lines.slice(2)]],
    ['every segment of a name', 'NTE', [lines[0]!, lines[1]!, lines[4]!]],
    ['the last segment', 'OBX[2]', lines.slice(0, 4)],
    ['nothing that is not there', 'PID-30', lines],
    ['no segment that is not there', 'ZZZ', lines],
  ])('takes away %s', (_name, path, left) => {
    expect(parse(text).remove(path).text).toBe(build(...left));
  });

  it('leaves the header and its delimiters', () => {
    for (const path of ['MSH', 'MSH[1]', 'MSH-1', 'MSH-2']) {
      expect(codeOf(() => parse(text).remove(path))).toBe('path-not-editable');
    }
  });
});

describe('append', () => {
  const text = build('PID|1||A^B~D||x', 'OBX|1|NM', 'NTE|1||a', 'OBX|2|NM');

  it.each([
    ['a repetition', 'PID-3', 'new|', 'PID|1||A^B~D~new\\F\\||x'],
    ['a repetition with a component', 'PID-3.4', 'new', 'PID|1||A^B~D~^^^new||x'],
    ['the first repetition of an empty field', 'PID-4', 'new', 'PID|1||A^B~D|new|x'],
    ['the first repetition beyond the end', 'PID-7.2', 'new', 'PID|1||A^B~D||x||^new'],
  ])('adds %s', (_name, path, value, segment) => {
    expect(parse(text).append(path, value).text).toBe(text.replace('PID|1||A^B~D||x', segment));
  });

  it('adds a segment behind the last one that fits', () => {
    const appended = parse(text).append('NTE', 'NTE|2||b\\F\\');
    expect(appended.text).toBe(text.replace('NTE|1||a\r', 'NTE|1||a\rNTE|2||b\\F\\\r'));
    expect(parse(text).append('ZZZ', 'ZZZ|1').text).toBe(`${text}ZZZ|1\r`);
    const bare = text.slice(0, -1).replaceAll('\r', '\n');
    expect(parse(bare).append('ZZZ', 'ZZZ|1').text).toBe(`${bare}\nZZZ|1`);
  });

  it.each(['NTE|1\rNTE|2', 'OBX|1', 'NTEX', ''])(
    'adds one segment of that name only: %j',
    (raw) => {
      expect(codeOf(() => parse(text).append('NTE', raw))).toBe('value-divides');
    },
  );
});

describe('setRaw', () => {
  const text = build('PID|1||A^B&C~D|x|');

  it('writes a value with its parts', () => {
    expect(parse(text).setRaw('PID-5', 'DOE&X^JOHN\\T\\').text).toBe(
      text.replace('|x|', '|x|DOE&X^JOHN\\T\\'),
    );
  });

  it.each([
    ['PID-5', 'a|b'],
    ['PID-5', 'a~b'],
    ['PID-5', 'a\rb'],
    ['PID-5.1', 'a^b'],
    ['PID-5.1.1', 'a&b'],
  ])('refuses what would not stay within %s: %j', (path, raw) => {
    expect(codeOf(() => parse(text).setRaw(path, raw))).toBe('value-divides');
  });
});

/** The code of the issue that is thrown. */
function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return error instanceof HilumError ? error.issues[0]?.code : String(error);
  }
  return undefined;
}

describe('set', () => {
  const text = build('PID|1||A^B&C~D|x|', 'OBX|1', 'OBX|2|NM');

  it.each([
    ['a field', 'PID-4', 'PID|1||A^B&C~D|new|'],
    ['the first repetition where none is given', 'PID-3', 'PID|1||new~D|x|'],
    ['a repetition', 'PID-3[2]', 'PID|1||A^B&C~new|x|'],
    ['a component', 'PID-3.2', 'PID|1||A^new~D|x|'],
    ['a sub-component', 'PID-3.2.2', 'PID|1||A^B&new~D|x|'],
    ['a field beyond the end', 'PID-8', 'PID|1||A^B&C~D|x||||new'],
    ['a repetition beyond the end', 'PID-3[4]', 'PID|1||A^B&C~D~~new|x|'],
    ['a component beyond the end', 'PID-3.4', 'PID|1||A^B&C^^new~D|x|'],
    ['a sub-component beyond the end', 'PID-3[2].1.3', 'PID|1||A^B&C~D&&new|x|'],
    ['everything beyond the end', 'PID-7[2].3.2', 'PID|1||A^B&C~D|x|||~^^&new'],
  ])('edits %s', (_name, path, segment) => {
    expect(parse(text).set(path, 'new').text).toBe(text.replace('PID|1||A^B&C~D|x|', segment));
  });

  it('edits the segment that is named', () => {
    expect(parse(text).set('OBX[2]-3', 'new').text).toContain('OBX|1\rOBX|2|NM|new\r');
  });

  it('counts from the separator in MSH', () => {
    expect(parse(text).set('MSH-3', 'new').text).toMatch(/^MSH\|\^~\\&\|new\|NORTH\|/);
  });

  it('escapes what would divide the message', () => {
    const edited = parse(text).set('PID-4', 'a|b^c\r\nd\\e~f&g');
    expect(edited.text).toContain('|a\\F\\b\\S\\c\\X0D\\\\.br\\d\\E\\e\\R\\f\\T\\g|\r');
    expect(edited.get('PID-4')).toBe('a|b^c\r\nd\\e~f&g');
  });

  it.each([
    ['ZZZ-1', 'segment-missing'],
    ['OBX[3]-1', 'segment-missing'],
    ['MSH-1', 'path-not-editable'],
    ['MSH-2', 'path-not-editable'],
    ['PID', 'path-not-editable'],
    ['PID-', 'path-invalid'],
  ])('refuses %s', (path, code) => {
    let thrown: unknown;
    try {
      parse(text).set(path, 'new');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(HilumError);
    expect((thrown as HilumError).issues).toEqual([expect.objectContaining({ code })]);
  });

  it('refuses what needs a delimiter that the message does not have', () => {
    const bare = parse('MSH|^~|A');
    expect(() => bare.set('MSH-3', 'a|b')).toThrow('an escape character');
    expect(() => bare.set('MSH-3.1.2', 'b')).toThrow('a sub-component separator');
    expect(bare.set('MSH-3', 'b').text).toBe('MSH|^~|b');
  });
});
