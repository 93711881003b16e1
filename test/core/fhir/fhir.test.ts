import type { Bundle } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openFhirValidator, readFhirSchema } from '../../../connectors/file/fhir-schema.ts';
import { openMapper } from '../../../connectors/file/mapping-files.ts';
import { findByReference, findResources, isRepeatable } from '../../../core/fhir/bundle.ts';
import { compileTypes } from '../../../core/fhir/type-schema.ts';
import { buildFhirValidator } from '../../../core/fhir/validate.ts';
import { toOperationOutcome } from '../../../core/fhir/operation-outcome.ts';
import { parseMessage } from '../../../core/hl7v2/parse.ts';
import { mappingsFolder } from '../../mappings/support.ts';

const samplesFolder = join(import.meta.dirname, '..', '..', '..', 'samples');

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
    [{ resourceType: 'Patient', contained: [{ resourceType: 'Poem' }] }, 'Patient.contained[0]'],
    [{ resourceType: 'Patient', contained: [{ id: 'a' }] }, 'Patient.contained[0]'],
    [
      {
        resourceType: 'Bundle',
        entry: [{ response: { outcome: { resourceType: 'Bundle', x: 1 } } }],
      },
      'Bundle.entry[0].response.outcome',
    ],
    [
      {
        resourceType: 'Parameters',
        parameter: [{ part: [{ resource: { resourceType: 'Binary', data: 7 } }] }],
      },
      'Parameters.parameter[0].part[0].resource.data',
    ],
    [{ resourceType: 'Bundle', entry: [{ resource: 7 }] }, 'Bundle.entry[0].resource'],
    // No resource, though it has a property of that name; nor what every object has.
    [{ resourceType: 'ExampleScenario_Instance' }, 'ExampleScenario_Instance'],
    [{ resourceType: 'constructor' }, 'constructor'],
  ])('says where %j is wrong', (resource, location) => {
    expect(validate(resource)[0]).toMatchObject({
      code: 'fhir-schema',
      severity: 'error',
      location,
    });
  });
});

describe('the checks that the build has written', () => {
  const built = openFhirValidator();
  const compiled = buildFhirValidator(compileTypes(readFhirSchema()));
  const wrong = [{}, { value: {} }, 'text', 7, [], [{}], null];

  test.each(['Patient', 'Encounter', 'Observation', 'DiagnosticReport', 'Bundle'])(
    'find in a %s what the schema itself finds, element by element',
    (resourceType) => {
      const { definitions } = readFhirSchema() as {
        readonly definitions: Record<string, { readonly properties: object }>;
      };
      const names = Object.keys(definitions[resourceType]!.properties);
      for (const name of names.filter((each) => each !== 'resourceType')) {
        for (const value of wrong) {
          const resource = { resourceType, [name]: value };
          expect(built(resource)).toEqual(compiled(resource));
        }
      }
    },
  );
});

describe('a Bundle that was mapped, one value of it replaced', () => {
  const built = openFhirValidator();
  const compiled = buildFhirValidator(compileTypes(readFhirSchema()));
  const samples = readdirSync(samplesFolder).filter((name) => name.endsWith('.hl7'));
  const bundles = samples.flatMap((name) => {
    const parsed = parseMessage(readFileSync(join(samplesFolder, name)));
    const { resource } = parsed.ok ? openMapper(mappingsFolder).map(parsed.message) : {};
    return resource ? [resource] : [];
  });
  const values = [
    ...['', ' ', 'a b', ' a', 'b\u00a0', 'ä', '\u2003', 'a\n', '2026', '2026-13', 'final', 'urn:a'],
    ...[0, -1, 1.5, Number.NaN, Infinity, true, null, undefined, {}, [], [null], [{}], ['a']],
    ...[{ resourceType: 'Poem' }, { resourceType: 'Patient' }, { extension: [] }],
  ];

  /** Puts the value at the place by number, counted over all places within, or beside it under a name that is not known. */
  function replace(tree: unknown, place: number, value: unknown): unknown {
    let left = place;
    const copy = (node: unknown): unknown => {
      left -= 1;
      if (left === -1) return value;
      if (Array.isArray(node)) return node.map(copy);
      if (typeof node !== 'object' || node === null) return node;
      const entries = Object.entries(node).map(([key, inner]) => [key, copy(inner)] as const);
      left -= 1;
      return Object.fromEntries(left === -1 ? [...entries, ['unknown', value]] : entries);
    };
    return copy(tree);
  }

  test('is taken by the quick checks only where the schema takes it', () => {
    expect(bundles.length).toBeGreaterThan(2);
    for (const bundle of bundles) expect(built(bundle)).toEqual(compiled(bundle));
    fc.assert(
      fc.property(
        fc.constantFrom(...bundles),
        fc.nat(1_500),
        fc.constantFrom(...values),
        (bundle, place, value) => {
          const changed = replace(bundle, place, value);
          expect(built(changed)).toEqual(compiled(changed));
        },
      ),
      { numRuns: 500 },
    );
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
