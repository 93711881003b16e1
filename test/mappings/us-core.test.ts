import type { Resource } from '@medplum/fhirtypes';
import { openFhirValidator } from '../../connectors/file/fhir-schema.ts';
import { openMapper } from '../../connectors/file/mapping-files.ts';
import {
  mappingsFolder,
  openShippedMapper,
  readMessageCases,
  toMessage,
  toParsed,
} from './support.ts';

const mapper = openMapper(mappingsFolder, ['us-core']);
const female = toParsed(
  [
    'MSH|^~\\&|ADTAPP|HOSP|EHRAPP|EHR|20260102093000+0100||ADT^A08^ADT_A01|M1|P|2.5.1',
    'PID|1||C3^^^ALPHA^MR||Low^Al|||F||2106-3^White^HL70005',
  ].join('\r'),
);

test('the administrative sex alone says nothing of the sex at birth', () => {
  const text = JSON.stringify(mapper.map(female).resource);
  expect(text).toContain('us-core-race');
  expect(text).not.toContain('us-core-birthsex');
});

test('without the layer there is none of it, and the race is listed as used by no rule', () => {
  const { resource, unconsumed } = openShippedMapper().map(female);
  expect(JSON.stringify(resource)).not.toContain('us-core');
  expect(unconsumed).toContain('PID-10');
});

/** What the profiles of US Core 7 require (1..) beyond FHIR R4, for the resources that we write. */
const required: Partial<Record<Resource['resourceType'], readonly string[]>> = {
  Patient: ['identifier', 'name', 'gender'],
  Encounter: ['type', 'subject'],
  Condition: ['category', 'code'],
  AllergyIntolerance: ['code'],
  Procedure: ['code'],
  Coverage: ['relationship', 'payor'],
  CareTeam: ['subject', 'participant'],
  DiagnosticReport: ['category', 'code'],
  Specimen: ['type'],
  Organization: ['active', 'name'],
  Practitioner: ['identifier', 'name'],
  RelatedPerson: ['active', 'patient'],
  Location: ['name'],
};

describe.each(readMessageCases().filter(({ layers }) => layers.length === 0))(
  '$file: $name',
  (one) => {
    const { resource } = mapper.map(toMessage(one));

    test('has all that US Core requires, or says that it is unknown', () => {
      const missing = (resource?.entry ?? []).flatMap(({ resource: found }) => {
        if (found === undefined) return [];
        const has = new Set(Object.keys(found).map((key) => key.replace(/^_/, '')));
        const wanted = required[found.resourceType] ?? [];
        return wanted.filter((key) => !has.has(key)).map((key) => `${found.resourceType}.${key}`);
      });
      expect(missing).toEqual([]);
    });

    test('makes a Bundle of valid FHIR', () => {
      expect(openFhirValidator()(resource)).toEqual([]);
    });
  },
);
