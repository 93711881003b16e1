import { openShippedMapper, toParsed } from './support.ts';

const mapper = openShippedMapper();

interface Visit {
  readonly version?: string;
  readonly control?: string;
  readonly pid?: string;
  readonly more?: readonly string[];
}

function mapEvent(event: string, { version = '2.5.1', control = 'M1', pid, more = [] }: Visit) {
  const header = `MSH|^~\\&|ADT|HOSP|EHR|EHR|20260102093000+0100||ADT^${event}|${control}|P|${version}`;
  const segments = [
    header,
    `EVN|${event}|20260102093000`,
    pid ?? 'PID|1||A1^^^ALPHA^MR||Low^Al',
    'PV1|1|I|W1||||||||||||||||V77',
    ...more,
  ];
  return mapper.map(toParsed(segments.join('\r')));
}

function toUrls(event: string, visit: Visit, types: readonly string[]): string[] {
  const entries = mapEvent(event, visit).resource?.entry ?? [];
  return entries
    .filter(({ resource }) => types.includes(resource?.resourceType ?? ''))
    .map(({ request }) => request?.ifNoneExist ?? request?.url ?? '');
}

const owned = ['Patient', 'Encounter', 'Condition', 'AllergyIntolerance', 'RelatedPerson'];
const more = ['NK1|1|Stone^Ivy|MTH', 'AL1|1|DA|PEN^Penicillin^L', 'DG1|1||I63^Stroke^I10C'];
const corrected = [
  'NK1|1|Stone^Ivy|MTH|2 Low St^^Town',
  'AL1|1|DA|PEN^Penicillin^L|SV|Hives',
  'DG1|1||I63^Stroke^I10C|Ischaemic stroke|20260101',
];

describe('which resources the events of one visit write', () => {
  const admitted = toUrls('A01', { more }, owned);

  test('an admission writes one of each', () => {
    expect(admitted).toHaveLength(owned.length);
    expect(new Set(admitted).size).toBe(owned.length);
  });

  test.each(['A02', 'A03', 'A08', 'A11', 'A12', 'A13', 'A31'])('%s updates the same', (event) => {
    expect(toUrls(event, { control: 'M2', more: corrected }, owned)).toEqual(admitted);
  });

  test('the same visit in 2.3 is the same', () => {
    expect(toUrls('A08', { version: '2.3', control: 'M3', more }, owned)).toEqual(admitted);
  });

  test('another visit of the patient is another encounter and another diagnosis', () => {
    const pid = 'PID|1||A2^^^ALPHA^MR||Low^Al';
    const others = toUrls('A01', { pid, more }, owned);
    expect(others.filter((url) => admitted.includes(url))).toEqual([]);
  });
});

describe('what has equal numbers or names', () => {
  const guarantor = 'GT1|1||Low^Lu||||||||SPO';
  const insured = 'IN1|1|PLAN|HOSP|||||||||||||Low^Lu|SPO';
  const toPeople = (more: readonly string[]) => toUrls('A08', { more }, ['RelatedPerson']);

  test('the insured is the same with a guarantor of that name and without', () => {
    const both = toPeople([guarantor, insured]);
    expect(both).toHaveLength(2);
    expect([...toPeople([guarantor]), ...toPeople([insured])]).toEqual(both);
  });

  test('an insurer with the number of the sending facility is another organization', () => {
    const organizations = toUrls('A08', { more: [insured] }, ['Organization']);
    expect(new Set(organizations).size).toBe(organizations.length);
    expect(organizations).toHaveLength(4);
  });

  test('a living will that changes is the same observation', () => {
    const toWill = (code: string) =>
      toUrls('A08', { more: [`PD1|||||||${code}`] }, ['Observation']);
    expect(toWill('Y')).toEqual(toWill('N'));
    expect(toWill('Y')).toHaveLength(1);
  });
});

describe('a merge', () => {
  const merge = (pid: string, mrg: string) => {
    const header = 'MSH|^~\\&|ADT|HOSP|EHR|EHR|20260102093000+0100||ADT^A40^ADT_A39|M9|P|2.5.1';
    return mapper.map(toParsed([header, 'EVN|A40|20260102093000', pid, mrg].join('\r')));
  };

  test.each([
    ['a record number', 'A2^^^ALPHA^MR'],
    ['a number without a type', 'A2'],
    ['an account number, which identifies nobody by itself', 'A2^^^ALPHA^AN'],
  ])('finds the patient that was admitted under %s', (_name, number) => {
    const { resource } = merge('PID|1||A1^^^ALPHA^MR||Low^Al', `MRG|${number}`);
    const urls = (resource?.entry ?? [])
      .filter((entry) => entry.resource?.resourceType === 'Patient')
      .map(({ request }) => request?.url);
    expect(urls).toEqual([
      ...toUrls('A01', {}, ['Patient']),
      ...toUrls('A01', { pid: `PID|1||${number}||Low^Al` }, ['Patient']),
    ]);
  });

  test('of a patient into itself is left out, and a warning says so', () => {
    const { resource, issues } = merge('PID|1||A1^^^ALPHA^MR||Low^Al', 'MRG|A1^^^ALPHA^MR');
    const patients = resource?.entry?.filter((one) => one.resource?.resourceType === 'Patient');
    expect(patients).toHaveLength(1);
    expect(patients?.[0]?.resource).not.toHaveProperty('active');
    expect(issues.map(({ code, location }) => [code, location])).toEqual([
      ['resources-not-apart', 'MRG'],
    ]);
  });
});

describe('a move', () => {
  const move = (event: string, mrg: string) =>
    mapEvent(event, { more: [mrg] }).resource?.entry ?? [];
  const giver = { pid: 'PID|1||A2^^^ALPHA^MR||Lowe^Di' };

  test('of a visit ends the encounter that its former patient had', () => {
    const entries = move('A45', 'MRG|A2^^^ALPHA^MR||||V77');
    const urls = entries
      .filter(({ resource }) => resource?.resourceType === 'Encounter')
      .map(({ request }) => request?.url);
    expect(urls).toEqual([
      ...toUrls('A01', {}, ['Encounter']),
      ...toUrls('A01', giver, ['Encounter']),
    ]);
  });

  test('never overwrites the patient from whom something was moved', () => {
    const entries = move('A43', 'MRG|A2^^^ALPHA^MR');
    const patients = entries.filter(({ resource }) => resource?.resourceType === 'Patient');
    expect(patients.map(({ request }) => request?.method)).toEqual(['PUT', 'POST']);
    const [, found] = patients;
    expect([`Patient?${found?.request?.ifNoneExist ?? ''}`]).toEqual(
      toUrls('A01', giver, ['Patient']),
    );
  });

  test('of an account gives the account another patient', () => {
    const entries = move('A44', 'MRG|A2^^^ALPHA^MR||ACC1^^^ALPHA^AN');
    const accounts = entries.filter(({ resource }) => resource?.resourceType === 'Account');
    const pid = 'PID|1||A2^^^ALPHA^MR||Lowe^Di|||||||||||||ACC1^^^ALPHA^AN';
    expect(accounts.map(({ request }) => request?.url)).toEqual(
      toUrls('A01', { pid }, ['Account']),
    );
  });
});

test('an authority that has two names for one OID keeps both', () => {
  const pid = 'PID|1||A1^^^ALPHA&2.16.840.1.999.5&ISO^MR~A7^^^BETA&2.16.840.1.999.5&ISO^PI||Low^Al';
  const organizations = (mapEvent('A08', { pid }).resource?.entry ?? [])
    .map(({ resource }) => resource)
    .filter((resource) => resource?.resourceType === 'Organization');
  const values = organizations.map(({ identifier }) => identifier?.map(({ value }) => value));
  expect(values).toContainEqual(['ALPHA', 'urn:oid:2.16.840.1.999.5', 'BETA']);
});

describe('who has no number', () => {
  const named = (type: string, more: readonly string[]) =>
    (mapEvent('A08', { more }).resource?.entry ?? []).filter(
      ({ resource }) => resource?.resourceType === type,
    );

  test('organizations of one authority are told apart by their names', () => {
    const more = [
      'ROL|1|AD|PP|G1^Gate^Gus||||||||||East Practice^L^^^^CMS',
      'ROL|2|AD|AT|G2^Good^Gabe||||||||||West Practice^L^^^^CMS',
    ];
    const names = named('Organization', more).map(({ resource }) =>
      resource?.resourceType === 'Organization' ? resource.name : undefined,
    );
    expect(names).toEqual(expect.arrayContaining(['East Practice', 'West Practice']));
  });

  test('persons of one authority are told apart by their names', () => {
    const more = ['PD1||||^Gate^Gus^^^^^^NPPES~^Good^Gabe^^^^^^NPPES'];
    expect(named('Practitioner', more)).toHaveLength(2);
  });
});

test('a structure that has no map is refused with the maps that there are', () => {
  const { resource, issues } = mapEvent('A99', {});
  expect(resource).toBeNull();
  expect(issues[0]).toMatchObject({ code: 'message-type-unmapped', location: 'MSH-9' });
});
