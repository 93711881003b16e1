import { openMapper, openReverseMapper } from '../../../connectors/file/mapping-files.ts';
import { mappingsFolder, toParsed } from '../../mappings/support.ts';

const mapper = openMapper(mappingsFolder);

const toResult = (...units: readonly string[]) => [
  'MSH|^~\\&|LAB|ACME|EHR|EHR|20260102093000+0100||ORU^R01|M1|P|2.5.1',
  'PID|||7^^^ACME^MR',
  'OBR|1||F1|1^Panel^L',
  ...units.map((unit, index) => `OBX|${index + 1}|NM|${index}^Test^L||5|${unit}|||||F`),
];
const map = (segments: readonly string[], provenance = false) =>
  mapper.map(toParsed(segments.join('\r')), { provenance });

it('names the field, the unit and what is meant', () => {
  const { issues } = map(toResult('mg/dL^^UCUM', 'x10^3/uL^^UCUM'.replace('^', '\\S\\')));
  expect(issues).toEqual([
    {
      code: 'unit-not-ucum',
      severity: 'warning',
      location: 'OBX[2]-6[1].1',
      message: expect.stringContaining(
        'found "x10^3/uL"; it was kept as text. Perhaps 10*3/uL',
      ) as string,
    },
  ]);
});

it('says the same with provenance and without', () => {
  const segments = toResult('mcg/mL^micrograms^UCUM', 'gm/dL^^UCUM', 'mg^^UCUM', '%^^L');
  const { provenance: _, unresolved: without, ...traced } = map(segments, true);
  const { provenance: none, unresolved: untold, ...plain } = map(segments);
  expect(without.length).toBeGreaterThan(0);
  expect([none, untold]).toEqual([[], []]);
  expect(traced).toEqual(plain);
  expect(plain.unconsumed).toContain('OBX-6[1].1');
});

it('names no text that may be about a patient', () => {
  const { issues } = map(toResult('as Low Al said^^UCUM'));
  expect(issues.map(({ code }) => code)).toEqual(['unit-not-ucum']);
  expect(JSON.stringify(issues)).not.toContain('Low');
});

it('asks no other coding system for units of UCUM', () => {
  expect(map(toResult('gm/dL^^L', 'gm/dL')).issues).toEqual([]);
});

it('writes no UCUM into HL7 v2 for a unit that is none', () => {
  const observation = {
    ...{ resourceType: 'Observation', status: 'final', code: { text: 'Test' } },
    subject: { reference: 'urn:uuid:1' },
    valueQuantity: { value: 5, unit: 'gm/dL', system: 'http://unitsofmeasure.org', code: 'gm/dL' },
  };
  const bundle = {
    ...{ resourceType: 'Bundle', type: 'collection' },
    entry: [
      { fullUrl: 'urn:uuid:1', resource: { resourceType: 'Patient', id: '1' } },
      { fullUrl: 'urn:uuid:2', resource: observation },
    ],
  };
  const before = JSON.stringify(bundle);
  const { message, issues } = openReverseMapper(mappingsFolder).map(bundle, {
    ...{ date: '20260102093000+0100', event: 'ORU^R01' },
  });
  expect(message).toContain('||5|gm/dL|');
  expect(issues).toContainEqual(
    expect.objectContaining({
      code: 'unit-not-ucum',
      location: 'Bundle.entry[1].resource.valueQuantity.code',
    }),
  );
  expect(JSON.stringify(bundle)).toBe(before);
});
