import type { Bundle } from '@medplum/fhirtypes';
import { openFhirValidator } from '../../../connectors/file/fhir-schema.ts';
import { findByReference, findResources, isRepeatable } from '../../../core/fhir/bundle.ts';
import { toOperationOutcome } from '../../../core/fhir/operation-outcome.ts';

describe('openFhirValidator', () => {
  const validate = openFhirValidator();

  test('takes what is valid', () => {
    expect(validate({ resourceType: 'Patient', gender: 'female', birthDate: '1980-01' })).toEqual(
      [],
    );
  });

  test.each([
    [{ resourceType: 'Patient', gender: 'f' }, 'Patient.gender'],
    [{ resourceType: 'Patient', birthDate: '19800102' }, 'Patient.birthDate'],
    [{ resourceType: 'Patient', name: [{ surname: 'Low' }] }, 'Patient.name[0]'],
    [{ resourceType: 'Poem' }, 'Poem'],
    [{}, 'Resource'],
    [
      { resourceType: 'Bundle', entry: [{ resource: { resourceType: 'Patient', active: 'yes' } }] },
      'Bundle.entry[0].resource.active',
    ],
  ])('says where %j is wrong', (resource, location) => {
    expect(validate(resource)[0]).toMatchObject({
      code: 'fhir-schema',
      severity: 'error',
      location,
    });
  });
});

describe('toOperationOutcome', () => {
  test('is valid FHIR, with and without findings', () => {
    const outcome = toOperationOutcome([
      {
        code: 'required-field-missing',
        severity: 'error',
        location: 'PID-3[1].4',
        message: 'Missing.',
      },
      { code: 'value-too-long', severity: 'error', location: 'OBX[2]-5[1].1.2', message: 'Long.' },
      { code: 'fhir-schema', severity: 'warning', location: 'Observation.status', message: 'Odd.' },
    ]);
    expect(outcome.issue).toMatchObject([
      {
        severity: 'error',
        code: 'required',
        diagnostics: 'PID-3[1].4: Missing.',
        location: ['PID-3[1].4'],
        details: {
          coding: [
            { system: 'urn:hilum:issue', code: 'required-field-missing' },
            { system: 'http://terminology.hl7.org/CodeSystem/v2-0357', code: '101' },
          ],
        },
      },
      { code: 'too-long', location: ['OBX[2]-5[1].1.2'] },
      { severity: 'warning', expression: ['Observation.status'], diagnostics: 'Odd.' },
    ]);
    expect(openFhirValidator()(outcome)).toEqual([]);
    expect(openFhirValidator()(toOperationOutcome([]))).toEqual([]);
  });
});

describe('bundle', () => {
  test.each([
    [{ method: 'PUT', url: 'Patient?identifier=a%7Cb' }, true],
    [{ method: 'PUT', url: 'Patient/1' }, true],
    [{ method: 'POST', url: 'Patient', ifNoneExist: 'identifier=a%7Cb' }, true],
    [{ method: 'POST', url: 'Patient' }, false],
    [{ method: 'GET', url: 'Patient/1' }, true],
    [undefined, false],
  ] as const)('%j may be sent twice: %s', (request, expected) => {
    expect(isRepeatable(request === undefined ? {} : { request })).toBe(expected);
  });

  test('finds resources by type and by reference', () => {
    const patient = { resourceType: 'Patient', gender: 'female' } as const;
    const bundle: Bundle = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ fullUrl: 'urn:uuid:1', resource: patient }, {}],
    };
    expect(findResources(bundle, 'Patient')).toEqual([patient]);
    expect(findResources(bundle, 'Observation')).toEqual([]);
    expect(findByReference(bundle, 'urn:uuid:1')).toBe(patient);
    expect(findByReference(bundle, 'urn:uuid:2')).toBeUndefined();
  });
});
