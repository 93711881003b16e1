import { parseProfilePackage } from '../../../../core/fhir/profile/parse-profiles.ts';

const head = `version: 1.0.0
profiles: 'urn:acme:profile:'
prefixes: { acme: 'urn:acme:set:' }
`;
const parse = (profiles: string, valueSets = '{}') =>
  parseProfilePackage(
    [
      { name: 'package.yaml', text: `${head}valueSets: ${valueSets}` },
      { name: 'one.yaml', text: profiles },
    ],
    (url) => (url === 'urn:acme:wards' ? ['east', 'west', 'north'] : undefined),
  );

it('reads how often, whether it must be supported, and the names of value sets', () => {
  const { profiles } = parse(`
- profile: acme-patient
  type: Patient
  elements:
    name: 1.. S
    address.state: { is: ..1 U, extensible: acme:states }
    photo: ..0
`);
  expect(profiles).toEqual([
    {
      ...{ url: 'urn:acme:profile:acme-patient', id: 'acme-patient', type: 'Patient' },
      invariants: [],
      elements: [
        { path: 'name', min: 1, support: 'S' },
        { path: 'address.state', max: 1, support: 'U', extensible: 'urn:acme:set:states' },
        { path: 'photo', max: 0 },
      ],
    },
  ]);
});

it('puts a profile over the one that it extends, element by element', () => {
  const { profiles } = parse(`
- profile: base
  type: Patient
  invariants: { a-1: { holds: 'true', says: yes } }
  elements: { name: 1.. S, gender: S }
- profile: more
  extends: base
  type: Patient
  elements: { gender: 1.. S }
`);
  expect(profiles[1]).toMatchObject({
    invariants: [{ key: 'a-1' }],
    elements: [
      { path: 'name', min: 1 },
      { path: 'gender', min: 1 },
    ],
  });
});

it('keeps of the element below what the one above does not change', () => {
  const { profiles } = parse(`
- profile: base
  type: Patient
  elements:
    name:
      is: 1.. S
      invariants: { a-1: { holds: 'true', says: yes } }
      slices: { old: { pattern: { use: old } } }
- profile: more
  extends: base
  type: Patient
  elements:
    name:
      is: ..2
      invariants: { a-2: { holds: 'true', says: yes } }
      slices: { usual: { is: 1.., pattern: { use: usual } } }
`);
  expect(profiles[1]?.elements).toMatchObject([
    {
      ...{ path: 'name', min: 1, max: 2, support: 'S' },
      invariants: [{ key: 'a-1' }, { key: 'a-2' }],
      slices: [{ name: 'old' }, { name: 'usual', min: 1 }],
    },
  ]);
});

it('lists the codes of value sets, those of a code system too', () => {
  const { valueSets } = parse(
    '[]',
    `
  acme:one: { urn:x: [a, b], urn:y: 'c d', urn:z: '*' }
  acme:wards: { urn:w: { of: urn:acme:wards, without: [west] } }`,
  );
  expect(valueSets.get('urn:acme:set:one')).toEqual({
    ...{ 'urn:x': ['a', 'b'], 'urn:y': ['c', 'd'], 'urn:z': '*' },
  });
  expect(valueSets.get('urn:acme:set:wards')).toEqual({ 'urn:w': ['east', 'north'] });
});

it.each([
  [
    '- { profile: p, type: Patient, elements: { name: often } }',
    'one.yaml: p name: expected such as 1.. S',
  ],
  ['- { profile: p, type: Patient, elements: { name: { max: 1 } } }', 'found max'],
  [
    '- { profile: p, type: Patient, extends: q, elements: {} }',
    'extends a profile that is not before it',
  ],
  [
    '- { profile: p, type: Patient, elements: { a: { required: other:x } } }',
    'other:x has no prefix',
  ],
  [
    '- { profile: p, type: Patient, elements: { a: { slices: { s: { is: 1.. } } } } }',
    'a slice has either a pattern or codes',
  ],
])('refuses %s', (profiles, reason) => {
  expect(() => parse(profiles)).toThrow(reason);
});

it('refuses a value set of a code system that nobody has', () => {
  expect(() => parse('[]', '{ acme:x: { urn:x: { of: urn:unknown } } }')).toThrow(
    'nobody has the codes of urn:unknown',
  );
});
