import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { listShippedProfiles, openProfile } from '../../connectors/file/profile-files.ts';
import type { Hl7Message } from '../../core/hl7v2/message.ts';
import { parseMessage } from '../../core/hl7v2/parse.ts';
import { isForMessage } from '../../core/hl7v2/profile/profile.ts';
import { profileSchema } from '../../core/hl7v2/profile/schema.ts';
import { validate } from '../../core/hl7v2/validate.ts';

const definitions = openDefinitions();

function read(text: string): Hl7Message {
  const parsed = parseMessage(text);
  if (!parsed.ok) throw new Error(parsed.issues.map(({ code }) => code).join());
  return parsed.message;
}

const readExample = (name: string): string =>
  readFileSync(join(import.meta.dirname, 'messages', `${name}.hl7`), 'utf8');

/** `code location`, of errors and warnings alone unless `all` are asked for. */
function findIssues(message: Hl7Message, profile: string): readonly string[] {
  return validate(message, openProfile(profile, { definitions }).definitions).map(
    ({ code, location = '' }) => `${code} ${location}`,
  );
}

const examples: Readonly<Record<string, string>> = {
  'lab-results': 'lab-results',
  'lab-orders': 'lab-orders',
  immunization: 'immunization',
  'adt-a01': 'adt',
  'adt-a03': 'adt',
  'adt-a40': 'adt',
};

describe.each(Object.entries(examples))('the example %s', (name, profile) => {
  test(`conforms to ${profile} and has all that it asks for`, () => {
    const message = read(readExample(name));
    expect(findIssues(message, profile)).toEqual([]);
    const [type = '', event = ''] = [message.get('MSH-9.1'), message.get('MSH-9.2')];
    expect(isForMessage(openProfile(profile, { definitions }).profile, type, event)).toBe(true);
  });
});

/** Example, place, new value there (`''` none), what is found. */
const faults: readonly (readonly [string, string, string, string])[] = [
  ['lab-results', 'MSH-4', '', 'required-field-missing MSH-4'],
  ['lab-results', 'MSH-3', '', 'value-expected MSH-3'],
  ['lab-results', 'MSH-8', 'secret', 'value-unsupported MSH-8'],
  ['lab-results', 'MSH-9.3', '', 'required-field-missing MSH-9.3'],
  ['lab-results', 'PID-1', '2', 'value-not-fixed PID-1'],
  ['lab-results', 'PID-3.4', '', 'required-field-missing PID-3.4'],
  ['lab-results', 'PID-3.5', '', 'required-field-missing PID-3.5'],
  ['lab-results', 'PID-8', '', 'required-field-missing PID-8'],
  ['lab-results', 'PID-8', 'W', 'code-not-in-table PID-8'],
  ['lab-results', 'ORC-1', 'NW', 'value-not-fixed ORC-1'],
  ['lab-results', 'OBR-3', '', 'required-field-missing OBR-3'],
  ['lab-results', 'OBR-15', 'BLD', 'value-unsupported OBR-15'],
  ['lab-results', 'OBR-25', '', 'required-field-missing OBR-25'],
  ['lab-results', 'OBR-25', 'Q', 'code-not-in-table OBR-25'],
  ['lab-results', 'OBX[1]-3.1', '', 'required-field-missing OBX[1]-3.1'],
  ['lab-results', 'OBX[1]-5', '', 'required-field-missing OBX[1]-5[1]'],
  ['lab-results', 'OBX[1]-6', '', 'required-field-missing OBX[1]-6'],
  ['lab-results', 'OBX[1]-2', 'TN', 'code-not-in-table OBX[1]-2'],
  ['lab-results', 'OBX[2]-23', '', 'required-field-missing OBX[2]-23'],
  ['lab-results', 'NTE-3', '', 'required-field-missing NTE-3'],
  ['lab-orders', 'MSH-9.3', '', 'required-field-missing MSH-9.3'],
  ['lab-orders', 'PID-5.1', '', 'required-field-missing PID-5.1'],
  ['lab-orders', 'PID-7', '', 'required-field-missing PID-7'],
  ['lab-orders', 'ORC-1', 'RE', 'code-not-in-table ORC-1'],
  ['lab-orders', 'ORC-2', '', 'required-field-missing ORC-2'],
  ['lab-orders', 'ORC-12', '', 'required-field-missing ORC-12'],
  ['lab-orders', 'OBR-2', '', 'required-field-missing OBR-2'],
  ['lab-orders', 'OBR-4.1', '', 'required-field-missing OBR-4.1'],
  ['lab-orders', 'OBR-7', '', 'value-expected OBR-7'],
  ['lab-orders', 'OBR-16', '', 'required-field-missing OBR-16'],
  ['lab-orders', 'DG1-3', '', 'required-field-missing DG1-3'],
  ['lab-orders', 'DG1-3.3', '', 'required-field-missing DG1-3.3'],
  ['lab-orders', 'OBX-2', '', 'required-field-missing OBX-2'],
  ['lab-orders', 'OBX-6', '', 'required-field-missing OBX-6'],
  ['lab-orders', 'SPM-4.1', '', 'required-field-missing SPM-4.1'],
  ['immunization', 'MSH-21', '', 'required-field-missing MSH-21'],
  ['immunization', 'PID-7', '', 'required-field-missing PID-7'],
  ['immunization', 'PID-5.2', '', 'required-field-missing PID-5.2'],
  ['immunization', 'PID-29', '20260101', 'value-unsupported PID-29'],
  ['immunization', 'PD1-16', '""', 'value-unsupported PD1-17'],
  ['immunization', 'NK1-3', '', 'required-field-missing NK1-3'],
  ['immunization', 'ORC-3', '', 'required-field-missing ORC-3'],
  ['immunization', 'RXA-1', '1', 'value-not-fixed RXA-1'],
  ['immunization', 'RXA-5.3', 'LOCAL', 'code-not-in-table RXA-5.3'],
  ['immunization', 'RXA-7', '', 'required-field-missing RXA-7'],
  ['immunization', 'RXA-9', '', 'required-field-missing RXA-9'],
  ['immunization', 'RXA-9.1', '77', 'code-not-in-table RXA-9'],
  ['immunization', 'RXA-9.3', 'LOCAL', 'value-not-fixed RXA-9.3'],
  ['immunization', 'RXA-15', '', 'required-field-missing RXA-15'],
  ['immunization', 'RXA-18', '00^Refused^NIP002', 'value-unsupported RXA-18'],
  ['immunization', 'RXA-21', 'X', 'code-not-in-table RXA-21'],
  ['immunization', 'OBX[1]-4', '', 'required-field-missing OBX[1]-4'],
  ['immunization', 'OBX[1]-17', '', 'required-field-missing OBX[1]-17'],
  ['immunization', 'OBX[2]-6', '', 'required-field-missing OBX[2]-6'],
  ['immunization', 'OBX[2]-11', 'P', 'value-not-fixed OBX[2]-11'],
  ['adt-a01', 'MSH-5', '', 'required-field-missing MSH-5'],
  ['adt-a01', 'PID-2', '4711', 'value-unsupported PID-2'],
  ['adt-a01', 'PID-3.1', '', 'required-field-missing PID-3.1'],
  ['adt-a01', 'PID-3.4', '', 'required-field-missing PID-3.4'],
  ['adt-a01', 'PID-5.1', '', 'required-field-missing PID-5.1'],
  ['adt-a01', 'PID-8', 'X', 'code-not-in-table PID-8'],
  ['adt-a01', 'PV1-2', 'Q', 'code-not-in-table PV1-2'],
  ['adt-a01', 'PV1-3', '', 'required-field-missing PV1-3'],
  ['adt-a01', 'PV1-44', '', 'value-expected PV1-44'],
  ['adt-a03', 'PV1-45', '', 'required-field-missing PV1-45'],
  ['adt-a03', 'EVN-6', '', 'value-expected EVN-6'],
  ['adt-a40', 'MRG-1.4', '', 'required-field-missing MRG-1.4'],
];

test.each(faults)('%s with %s as "%s" has %s, and nothing else', (name, path, value, expected) => {
  const message = read(readExample(name)).set(path, value);
  // A rule of the version may say the same once more.
  const found = new Set(findIssues(message, examples[name] ?? ''));
  expect([...found]).toEqual([expected]);
});

/** Example, a segment's line that is left out or doubled, what is found. */
const structures: readonly (readonly [string, 'without' | 'twice', RegExp, string])[] = [
  ['lab-results', 'without', /^ORC.*\n/m, 'segment-missing ORC'],
  ['lab-results', 'without', /^PID.*\n/m, 'segment-missing PID'],
  ['lab-orders', 'without', /^PID.*\nPV1.*\n/m, 'segment-missing PID'],
  ['immunization', 'without', /^PD1.*\n/m, 'segment-expected PD1'],
  ['immunization', 'without', /^NK1.*\n/m, 'segment-expected NK1'],
  ['immunization', 'without', /^ORC[^]*/m, 'segment-missing ORC'],
  ['adt-a40', 'twice', /^PID.*\nMRG.*\n/m, 'segment-out-of-order PID[2]'],
];

test.each(structures)('%s %s %s has %s', (name, how, lines, expected) => {
  const text = readExample(name).replace(lines, (found) => (how === 'twice' ? found + found : ''));
  expect(findIssues(read(text), examples[name] ?? '')).toContain(expected);
});

test('the schema for editors is the one that profiles are read by', () => {
  const file = join(import.meta.dirname, '../../profiles/schema/profile.schema.json');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(profileSchema);
});

test('every shipped profile has an example', () => {
  expect(listShippedProfiles()).toEqual([...new Set(Object.values(examples))].sort());
});
