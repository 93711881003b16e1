import { compileFhirMaps, type FhirMapper } from '../../../core/mapping/fhir-map.ts';

const sex = { path: 'tables/sex.csv', text: 'code,target,system\nmale,M,urn:s\nfemale,F,urn:s\n' };
const files = (rules: readonly object[], more: object = {}) => [
  sex,
  {
    path: 'fhir/m.map.json',
    text: JSON.stringify({
      ...{ kind: 'FhirMap', id: 'm', source: { fhir: 'Patient' }, target: { fhir: 'Patient' } },
      ...{ rules: rules.map((rule, index) => ({ id: `r${index}`, ...rule })), ...more },
    }),
  },
];

function compile(rules: readonly object[], more: object = {}): FhirMapper {
  const compiled = compileFhirMaps(files(rules, more));
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues));
  return compiled.maps.get('m')!;
}

const patient = {
  resourceType: 'Patient',
  id: 'p',
  gender: 'female',
  birthDate: '1980',
  identifier: [
    { system: 'urn:a', value: '1' },
    { system: 'urn:b', value: '2' },
    { system: 'urn:a', value: '3' },
  ],
  contact: [{ gender: 'male', telecom: [{ value: '4' }] }],
};
const { resourceType, id, gender, birthDate, identifier } = patient;

/** A rule and what becomes of the patient. */
const rules: readonly (readonly [string, object, object])[] = [
  ['writes a constant', { to: 'active', const: true }, { ...patient, active: true }],
  [
    'copies an element, with constants beside it',
    { from: 'gender', to: 'extension[+].valueCode', also: { 'extension[-1].url': 'urn:x' } },
    { ...patient, extension: [{ valueCode: 'female', url: 'urn:x' }] },
  ],
  [
    'moves an element',
    { from: 'contact[0].telecom[0]', to: 'telecom[+]', move: true },
    { ...patient, telecom: [{ value: '4' }], contact: [{ gender: 'male' }] },
  ],
  [
    'translates a code',
    { from: 'gender', to: 'gender', table: 'sex' },
    { ...patient, gender: 'F' },
  ],
  [
    'writes into the item that it read, of those that the condition chooses',
    {
      ...{ from: 'identifier[*].system', where: "value != '1'" },
      ...{ to: 'identifier[*].use', const: 'old' },
    },
    {
      ...patient,
      identifier: [
        identifier[0],
        { ...identifier[1], use: 'old' },
        { ...identifier[2], use: 'old' },
      ],
    },
  ],
  [
    'leaves out items of a list',
    { from: 'identifier[*]', where: "system = 'urn:a'", drop: 'why' },
    { ...patient, identifier: [identifier[1]] },
  ],
  [
    'leaves out what is empty then',
    { from: 'contact[*]', drop: 'why' },
    { resourceType, id, gender, birthDate, identifier },
  ],
  [
    'does nothing where the condition does not hold',
    { to: 'active', const: true, when: "gender = 'male'" },
    patient,
  ],
  ['does nothing where there is nothing', { from: 'photo[*]', to: 'photo[+]' }, patient],
];

it.each(rules)('%s', (_name, rule, expected) => {
  const before = JSON.stringify(patient);
  expect(compile([rule]).map(patient)).toMatchObject({ resource: expected, issues: [] });
  expect(compile([rule]).map(patient).resource).toEqual(expected);
  expect(JSON.stringify(patient)).toBe(before);
});

it('says where what it wrote came from, as it stands in the end, and what it left out', () => {
  const { provenance, dropped, unconsumed } = compile([
    {
      from: 'identifier[*].value',
      where: "system = 'urn:b'",
      to: 'identifier[*].use',
      const: 'old',
    },
    { from: 'identifier[*]', where: "value = '1'", drop: 'why' },
  ]).map(patient);
  expect(provenance).toEqual([
    { target: 'Patient.identifier[0].use', source: 'Patient.identifier[1].value', rule: 'm#r0' },
  ]);
  expect(dropped).toEqual(['Patient.identifier[0]']);
  expect(unconsumed).toEqual([]);
});

it('of a map that leaves the rest out makes what its rules name, and lists the others', () => {
  const map = compile(
    [
      { from: 'gender', to: 'gender' },
      { from: 'identifier[*].value', to: 'identifier[+].value' },
      { from: 'contact[*].telecom[*]', drop: 'why' },
    ],
    { rest: 'leave' },
  );
  expect(map.map(patient)).toMatchObject({
    resource: {
      resourceType,
      id,
      gender,
      identifier: [{ value: '1' }, { value: '2' }, { value: '3' }],
    },
    dropped: ['Patient.contact[0].telecom[0]'],
    unconsumed: [
      'Patient.birthDate',
      ...[0, 1, 2].map((at) => `Patient.identifier[${at}].system`),
      'Patient.contact[0].gender',
    ],
  });
});

it('maps the resources of its type in a Bundle, and claims the profile', () => {
  const basic = { resourceType: 'Basic', code: { text: 'x' } };
  const bundle = { resourceType: 'Bundle', entry: [{ resource: basic }, { resource: patient }] };
  const map = compile([{ from: 'contact[*]', drop: 'why' }], {
    target: { fhir: 'Patient', profile: 'urn:p' },
  });
  expect(map.map(bundle)).toMatchObject({
    resource: { entry: [{ resource: basic }, { resource: { meta: { profile: ['urn:p'] } } }] },
    dropped: ['Bundle.entry[1].resource.contact[0]'],
  });
});

it('tells a code that the table lacks, and lets nothing go on where that is an error', () => {
  const rule = { from: 'contact[0].gender', to: 'contact[0].gender', table: 'other' };
  const other = { path: 'tables/other.csv', text: 'code,target\nx,y\n' };
  const run = (onUnmapped: string) => {
    const compiled = compileFhirMaps([...files([{ ...rule, onUnmapped }]), other]);
    return compiled.ok ? compiled.maps.get('m')!.map(patient) : undefined;
  };
  expect(run('omit')).toMatchObject({
    resource: { contact: [{ telecom: [{ value: '4' }] }] },
    issues: [{ code: 'code-unmapped', severity: 'warning', location: 'Patient.contact[0].gender' }],
  });
  expect(run('error')).toMatchObject({ resource: null, issues: [{ severity: 'error' }] });
  expect(run('keep')).toMatchObject({ resource: patient, issues: [] });
});

it.each([[{ resourceType: 'Basic' }], [{ resourceType: 'Bundle' }], ['text'], [null]])(
  'refuses what has nothing for it: %j',
  (input) => {
    expect(compile([]).map(input)).toMatchObject({
      resource: null,
      issues: [{ code: 'resource-not-for-map' }],
    });
  },
);

it.each([
  [{ from: 'constructor', to: 'gender' }, 'from: constructor is no path'],
  [{ from: 'a b', to: 'gender' }, 'from: a b is no path'],
  [{ from: 'gender', to: 'name[x]' }, 'to: name[x] is no path'],
  [{ from: 'gender', to: 'gender', table: 'nobody' }, 'there is no table nobody'],
  [{ from: 'gender', to: 'gender', when: 'MSH-12' }, 'when:'],
  [{ from: 'gender', to: 'gender', form: 'x' }, 'form'],
])('refuses the rule %j', (rule, words) => {
  const compiled = compileFhirMaps(files([rule]));
  expect(compiled.ok ? '' : compiled.issues.map(({ message }) => message).join()).toContain(words);
});

it('refuses to keep the rest of another type', () => {
  expect(compileFhirMaps(files([], { target: { fhir: 'Person' } })).ok).toBe(false);
});
