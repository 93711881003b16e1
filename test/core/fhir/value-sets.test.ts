import type { Resource } from '@medplum/fhirtypes';
import { expandValueSets } from '../../../core/fhir/value-sets.ts';

const system: Resource = {
  ...{ resourceType: 'CodeSystem', url: 'urn:s', status: 'active', content: 'complete' },
  concept: [{ code: 'a', concept: [{ code: 'b', concept: [{ code: 'c' }] }] }, { code: 'd' }],
};

type Include = Record<string, unknown>;

const expand = (include: readonly Include[], exclude: readonly Include[] = []) =>
  expandValueSets([
    system,
    { resourceType: 'ValueSet', url: 'urn:v', status: 'active', compose: { include, exclude } },
    {
      ...{ resourceType: 'ValueSet', url: 'urn:some', status: 'active' },
      compose: { include: [{ system: 'urn:s', concept: [{ code: 'a' }, { code: 'd' }] }] },
    },
  ] as readonly unknown[] as readonly Resource[]).get('urn:v');

const isA = (op: string, value: string): Include => ({
  system: 'urn:s',
  filter: [{ property: 'concept', op, value }],
});

const sets: readonly (readonly [string, readonly Include[], readonly Include[], unknown])[] = [
  ['a whole system', [{ system: 'urn:s' }], [], { 'urn:s': ['a', 'b', 'c', 'd'] }],
  ['what is below a code', [isA('descendent-of', 'a')], [], { 'urn:s': ['b', 'c'] }],
  ['a code and what is below', [isA('is-a', 'b')], [], { 'urn:s': ['b', 'c'] }],
  ['another set', [{ valueSet: ['urn:some|1.0'] }], [], { 'urn:s': ['a', 'd'] }],
  [
    'what is in a system and in a set',
    [{ ...isA('is-a', 'a'), valueSet: ['urn:some'] }],
    [],
    { 'urn:s': ['a'] },
  ],
  ['all but some', [{ system: 'urn:s' }], [isA('is-a', 'a')], { 'urn:s': ['d'] }],
  ['a system that is not there', [{ system: 'urn:other' }], [], null],
  ['a filter by something else', [isA('regex', 'a.*')], [], null],
  ['itself', [{ valueSet: ['urn:v'] }], [], null],
];

it.each(sets)('lists a set of %s', (_name, include, exclude, expected) => {
  expect(expand(include, exclude)).toEqual(expected);
});
