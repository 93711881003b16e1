import { compileMappings } from '../../../core/mapping/mapper.ts';
import type { MappingFile } from '../../../core/mapping/document.ts';
import { measureProcessorMs } from '../../support/processor.ts';
import { patientLayer, patientMessage, patientSegment } from '../../support/small-mappings.ts';

const message = patientMessage('ORU^R01');
const good = '{ id: PID-1.ignored, from: PID-1, ignore: A number within the message. }';
const bad = (id: string, more = ''): string =>
  `{ id: ${id}, ${more}from: PID-8, to: gender, fn: nothing }`;

function findPlaces(files: readonly MappingFile[], layers: readonly string[] = []): unknown {
  const result = compileMappings(files, { layers });
  return result.ok ? [] : result.issues.map(({ location }) => location);
}

/** The line, 1-based, on which a text begins in a file. */
const lineOf = ({ text }: MappingFile, part: string): number =>
  text.slice(0, text.indexOf(part)).split('\n').length;

test('a fault in a rule is told by file, line and rule', () => {
  const patient = patientSegment(good, bad('gender'));
  expect(findPlaces([message, patient])).toEqual([
    `${patient.path}:${lineOf(patient, '{ id: gender')}:gender`,
  ]);
});

test('a fault in a rule of a layer is told by the file of the layer', () => {
  const patient = patientSegment(good, '{ id: gender, from: PID-8, to: gender }');
  const added = patientLayer('acme', bad('more', 'override: add, '));
  const replaced = patientLayer('north', bad('gender', 'override: replace, '));
  expect(findPlaces([message, patient, added, replaced], ['acme', 'north'])).toEqual([
    `${replaced.path}:${lineOf(replaced, '{ id: gender')}:gender`,
    `${added.path}:${lineOf(added, '{ id: more')}:more`,
  ]);
});

test('a fault that the schema finds is told by line where no rule has an id', () => {
  const patient = patientSegment(good, '{ from: PID-8, to: gender }');
  expect(findPlaces([message, patient])).toContain(
    `${patient.path}:${lineOf(patient, '{ from: PID-8')}`,
  );
});

test('a group that no structure has is told by the files that may name it', () => {
  const patient = patientSegment(good);
  const over: MappingFile = {
    path: 'layers/acme/ORU_R01.map.yaml',
    text: `kind: MessageMap
id: ORU_R01@acme
extends: ORU_R01
layer: acme
resources:
  - forEach: NOWHERE
    resources: [{ id: more, extend: patient, maps: [PID.Patient] }]
`,
  };
  expect(findPlaces([message, patient, over], ['acme'])).toContain(`${over.path}, ${message.path}`);
});

test('four times the faults of a file take about four times as long to tell', () => {
  const measure = (n: number): number => {
    const rules = Array.from({ length: n }, (_, index) => `{ id: r${index}, from: PID-8, too: x }`);
    return measureProcessorMs(() => {
      // One more: the message has no map for PID.
      expect(findPlaces([message, patientSegment(...rules)])).toHaveLength(n + 1);
    });
  };
  measure(10);
  const small = measure(100);
  // Quadratic would be sixteen times.
  expect(measure(400)).toBeLessThan(10 * small);
});
