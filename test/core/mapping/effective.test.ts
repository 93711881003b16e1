import type { Issue } from '../../../core/issue.ts';
import { findEffectiveMaps } from '../../../core/mapping/effective.ts';
import { patientLayer, patientSegment } from '../../support/small-mappings.ts';

const files = [
  patientSegment(
    '{ id: one, from: PID-1, to: language }',
    '{ id: two, from: PID-2, to: language }',
    '{ id: three, from: PID-3, to: language }',
  ),
  patientLayer(
    'us',
    '{ id: one, override: disable }',
    '{ id: two, override: replace, from: PID-22, to: language }',
    '{ id: four, override: add, from: PID-4, to: language }',
  ),
  patientLayer('acme', '{ id: four, override: replace, from: PID-44, to: language }'),
];

const effective = (layers: string[]) => {
  const issues: Issue[] = [];
  const [map] = findEffectiveMaps(files, layers, issues);
  return { map, issues, rules: map?.rules.map(({ id, layer }) => `${id} ${layer}`) };
};

test('says of each rule which layer it comes from', () => {
  expect(effective([]).rules).toEqual(['one base', 'two base', 'three base']);
  expect(effective(['us']).rules).toEqual(['two us', 'three base', 'four us']);
  expect(effective(['us', 'acme']).rules).toEqual(['two us', 'three base', 'four acme']);
});

test('the hash is of what is in effect', () => {
  const hash = (layers: string[]) => effective(layers).map?.hash;
  expect(hash([])).toMatch(/^[0-9a-f]{16}$/);
  expect(hash([])).toBe(hash([]));
  expect(new Set([hash([]), hash(['us']), hash(['us', 'acme'])]).size).toBe(3);
});

test('tells what is wrong with the layers, once', () => {
  expect(effective(['nowhere']).issues).toHaveLength(1);
  expect(effective(['acme']).issues.map(({ location }) => location)).toEqual([
    'layers/acme/PID.Patient.map.yaml:6:four',
  ]);
});
