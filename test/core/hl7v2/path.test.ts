import { HilumError } from '../../../core/errors.ts';
import { parsePath } from '../../../core/hl7v2/path.ts';
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
