import type { Bundle, Organization } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { openShippedMapper, toParsed } from './support.ts';

const mapper = openShippedMapper();

interface Result {
  readonly sender: string;
  readonly patient: string;
  readonly placer: string;
  readonly filler: string;
  readonly test: string;
  readonly codes: readonly string[];
  readonly control: string;
  readonly value: string;
}

const base: Result = {
  sender: 'LAB',
  patient: '1',
  placer: 'P1',
  filler: 'F1',
  test: 'T1',
  codes: ['A', 'B', 'A'],
  control: 'M1',
  value: '1',
};

function toBundle(result: Result): Bundle {
  const { sender, patient, placer, filler, test, codes, control, value } = result;
  const text = [
    `MSH|^~\\&|APP|${sender}|EHR|EHR|20260102093000+0100||ORU^R01|${control}|P|2.5.1`,
    `PID|1||${patient}^^^ALPHA^MR||Low^Al`,
    `OBR|1|${placer}|${filler}|${test}^Test^L|||20260102`,
    ...codes.map((code, index) => `OBX|${index + 1}|NM|${code}^Code^L||${value}|g/L|||||F`),
  ].join('\r');
  const { resource } = mapper.map(toParsed(text));
  if (resource === null) throw new Error('not mapped');
  return resource;
}

function toRequests(bundle: Bundle, types: readonly string[]): string[] {
  return (bundle.entry ?? [])
    .filter(({ resource }) => types.includes(resource?.resourceType ?? ''))
    .map(({ request }) => request?.url ?? '');
}

const ofOrder = ['ServiceRequest', 'DiagnosticReport', 'Observation'];
const shared = (a: Result, b: Result): string[] => {
  const known = new Set(toRequests(toBundle(a), ofOrder));
  return toRequests(toBundle(b), ofOrder).filter((url) => known.has(url));
};

const word = fc.stringMatching(/^[A-Z0-9]{1,6}$/);

describe('what a message writes, and what another one finds again', () => {
  test('a correction with a new control id and other values updates the same resources', () => {
    fc.assert(
      fc.property(word, word, (control, value) => {
        expect(
          shared(base, { ...base, control, value: `1${value.replace(/\D/g, '')}` }),
        ).toHaveLength(5);
      }),
    );
  });

  test.each(['sender', 'patient', 'placer', 'filler', 'test'] as const)(
    'another %s never merges',
    (part) => {
      fc.assert(
        fc.property(word, word, (one, other) => {
          fc.pre(one !== other);
          expect(shared({ ...base, [part]: one }, { ...base, [part]: other })).toEqual([]);
        }),
      );
    },
  );

  test('without an order number only a redelivery is the same', () => {
    const bare = { ...base, placer: '', filler: '' };
    expect(shared(bare, bare)).toHaveLength(5);
    expect(shared(bare, { ...bare, control: 'M2' })).toEqual([]);
  });

  test('every observation of a message is one of its own, however often a code comes', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('A', 'B', 'C'), { maxLength: 12 }), (codes) => {
        const urls = toRequests(toBundle({ ...base, codes }), ['Observation']);
        expect(new Set(urls).size).toBe(codes.length);
      }),
    );
  });

  test('parts of a key cannot be shifted into one another', () => {
    expect(
      shared({ ...base, placer: 'P', filler: '1F' }, { ...base, placer: 'P1', filler: 'F' }),
    ).toEqual([]);
  });

  test('the patient is found by system and value, escaped for the search and the URL', () => {
    const [url] = toRequests(toBundle({ ...base, patient: 'A,1' }), ['Patient']);
    expect(url).toBe('Patient?identifier=urn%3Aid%3AALPHA%7CA%5C%2C1');
    const [escaped] = toRequests(toBundle({ ...base, patient: 'A\\T\\1' }), ['Patient']);
    expect(escaped).toBe('Patient?identifier=urn%3Aid%3AALPHA%7CA%261');
  });

  test('two patients of one message keep their own orders', () => {
    const text = [
      'MSH|^~\\&|APP|LAB|||20260102||ORU^R01|M1|P|2.5.1',
      ...['1', '2'].flatMap((id) => [
        `PID|1||${id}^^^ALPHA^MR`,
        'OBR|1|P1|F1|T^Test^L',
        'OBX|1|NM|A^Code^L||1||||||F',
      ]),
    ].join('\r');
    const { resource } = mapper.map(toParsed(text));
    expect(new Set(toRequests(resource!, ofOrder)).size).toBe(6);
  });

  test.each([true, false])(
    'what a message says otherwise of a resource that it has named before is left out and told (provenance: %s)',
    (provenance) => {
      const laboratory = (name: string, address: string): string =>
        `OBX|1|NM|A^Code^L||1||||||F||||||||||||${name}^^^^^ALPHA&1.2.3&ISO^^^^L1|${address}`;
      const doctor = (name: string): string =>
        `5^${name}${'^'.repeat(name.includes('^') ? 6 : 7)}ALPHA&1.2.3&ISO`;
      const text = [
        'MSH|^~\\&|APP|LAB|||20260102||ORU^R01|M1|P|2.5.1',
        'PID|1||1^^^ALPHA^MR',
        `OBR|1|P1|F1|T^Test^L||||||||||||${doctor('Deep^Dan')}`,
        ...[laboratory('Main', 'Street 1'), laboratory('Other', 'Street 1')],
        ...[laboratory('Main', 'Street 9'), laboratory('Other', 'Street 9')],
        `OBR|2|P2|F2|T^Test^L||||||||||||${doctor('Deep')}`,
        `OBR|3|P3|F3|T^Test^L||||||||||||${doctor('Deeper^Dan')}`,
      ].join('\r');
      const { resource, issues } = mapper.map(toParsed(text), { provenance });
      const { name, address } = findLaboratory(resource!);
      expect([name, address?.map(({ line }) => line)]).toEqual(['Main', [['Street 1']]]);
      expect(issues.map(({ code, location, message }) => [code, location, message])).toEqual([
        ['value-left-out', 'OBX[2]', expect.stringMatching(/^Organization\.name: expected/)],
        ['value-left-out', 'OBX[3]', expect.stringMatching(/^Organization\.address: expected/)],
        ['value-left-out', 'OBR[3]-16[1]', expect.stringMatching(/^Practitioner\.name: expected/)],
      ]);
    },
  );
});

const findLaboratory = ({ entry = [] }: Bundle): Organization =>
  entry
    .map(({ resource }) => resource)
    .find(
      (one): one is Organization =>
        one?.resourceType === 'Organization' &&
        one.identifier?.some(({ value }) => value === 'L1') === true,
    )!;
