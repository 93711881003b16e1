import { openConformance } from '../../connectors/file/conformance.ts';
import { findFailure } from '../../core/errors.ts';
import { buildMappings, type Mappings } from '../../core/mapping/mappings.ts';
import registerTranslate from '../../nodes/code-translate/runtime.ts';
import registerFhirMap from '../../nodes/fhir-map/runtime.ts';
import registerValidate from '../../nodes/fhir-validate/runtime.ts';
import registerMap from '../../nodes/hl7-map/runtime.ts';
import { openShippedMappings } from '../../nodes/shared/mappings.ts';
import { smallMappings, smallMessage } from '../support/small-mappings.ts';
import { startNode, stopNode } from './node-red.ts';
import { RecordingRuntime } from './recording-runtime.ts';

afterEach(stopNode);

const mappings = buildMappings(() => smallMappings);
const runtime = (own: Mappings = mappings): RecordingRuntime =>
  Object.assign(new RecordingRuntime(), { mappings: own });
const codesOf = (error: unknown): readonly string[] =>
  findFailure(error)?.issues.map(({ code, location = '' }) => `${location} ${code}`.trim()) ?? [];

describe('hl7 map', () => {
  const config = { type: 'hl7 map', name: '', mapping: '', unconsumed: 'ignore' };
  const map = async (more: object) => {
    const flow = await startNode(
      registerMap,
      { ...config, ...more },
      { outputs: 1, hilum: runtime() },
    );
    const error = await flow.handle({ payload: smallMessage });
    return { error, text: String(flow.received(1)[0]?.payload), status: flow.status() };
  };

  it('maps with the layers that it is told', async () => {
    expect((await map({ layers: '' })).text).toContain('"birthDate":"1980-01-02"');
    await stopNode();
    const { text } = await map({ layers: 'acme' });
    expect(text).toContain('urn:acme:born');
    expect(text).not.toContain('birthDate');
  });

  it('takes times without a zone to be in the one it is told', async () => {
    const shipped = { ...config, type: 'hl7 map', zone: 'Europe/Berlin' };
    const flow = await startNode(registerMap, shipped, { outputs: 1 });
    const payload =
      'MSH|^~\\&|LAB|NORTH|EHR|MAIN|20260101120000||ORU^R01^ORU_R01|C1|P|2.5.1\rPID|1||1^^^N^MR||Example\r' +
      'OBR|1||F-1|GLU^Glucose^99LAB|||202607011155';
    await flow.handle({ payload });
    expect(flow.received(1)[0]?.payload).toContain('2026-07-01T11:55:00+02:00');
  });

  it('maps as a type that has one map for all its triggers', async () => {
    const payload = 'MSH|^~\\&|A|B|C|D|20260102||ZZZ^Z01|M1|P|2.5.1\rMSA|AA|X1';
    const flow = await startNode(registerMap, { ...config, mapping: 'ACK' }, { outputs: 1 });
    expect(codesOf(await flow.handle({ payload }))).toEqual([]);
    expect(flow.received(1)[0]?.payload).toContain('MessageHeader');
  });

  it('maps by the version that is pinned', async () => {
    for (const mapping of ['', 'ADT^A01']) {
      const pin = mappings.version(mapping || undefined, []);
      expect((await map({ mapping, pin })).error).toBeUndefined();
      await stopNode();
    }
  });

  it('lets no message pass by another version, and lets it be tried again', async () => {
    const { error, status } = await map({ pin: mappings.version(undefined, ['acme']) });
    expect(codesOf(error)).toEqual(['mapping-version-differs']);
    expect(findFailure(error)?.errorClass).toBe('transient');
    expect(status).toMatchObject({ fill: 'red', text: 'mapping-version-differs' });
  });

  it.each([
    [{ layers: 'nobody' }, 'mapping-invalid'],
    [{ mapping: 'ORU^R01' }, 'mapping-unknown'],
    [{ layers: 'a b' }, 'layers-invalid'],
    [{ zone: 'Here' }, 'zone-invalid'],
    [{ pin: 'x' }, 'pin-invalid'],
  ])('lets no message pass with %j', async (more, code) => {
    const { error } = await map(more);
    expect(findFailure(error)).toMatchObject({ errorClass: 'permanent', issues: [{ code }] });
  });
});

describe('code translate', () => {
  const config = { type: 'code translate', name: '', table: 'sex', layers: '', source: 'v2' };
  const translate = async (
    more: object,
    message: { readonly payload?: unknown; readonly [name: string]: unknown },
    own = mappings,
  ) => {
    const options = { outputs: 1, hilum: runtime(own) };
    const flow = await startNode(registerTranslate, { ...config, ...more }, options);
    const error = await flow.handle(message);
    return { error, sent: flow.received(1)[0] };
  };
  const orders = [
    'MSH|^~\\&|A|B|C|D|20260102||ORU^R01|M1|P|2.5.1',
    'OBX|1|CE|F^x~M^y||1',
    'OBX|2|CE|M^z||2',
  ].join('\r');

  it('translates every place that fits, and no other character', async () => {
    const { sent } = await translate({ from: 'OBX-3.1' }, { payload: orders });
    expect(sent?.payload).toBe(
      orders.replace('F^x', 'female^x').replace('M^y', 'male^y').replace('M^z', 'male^z'),
    );
  });

  it('keeps bytes bytes', async () => {
    const payload = Buffer.from(orders.replace('^x', '^\u00e9'), 'latin1');
    const { sent } = await translate({ from: 'OBX-3.1' }, { payload });
    expect(Buffer.isBuffer(sent?.payload)).toBe(true);
    expect((sent?.payload as Buffer).toString('latin1')).toContain('female^\u00e9~male');
  });

  it('writes the new code beside the old one, in the same repetition of the same segment', async () => {
    const { sent } = await translate({ from: 'OBX-3.1', to: 'OBX-3.4' }, { payload: orders });
    expect(sent?.payload).toBe(
      orders.replace('F^x', 'F^x^^female').replace('M^y', 'M^y^^male').replace('M^z', 'M^z^^male'),
    );
  });

  it('translates codes and concepts of FHIR, and keeps the original coding', async () => {
    const coding = { system: 'urn:lab', code: 'F' };
    const observation = { resourceType: 'Observation', code: { coding: [coding] } };
    const patient = { resourceType: 'Patient', gender: 'F' };
    const payload = JSON.stringify({
      resourceType: 'Bundle',
      entry: [{ resource: patient }, { resource: observation }],
    });
    const fhir = { source: 'fhir' };
    const gender = await translate({ ...fhir, from: 'Patient.gender' }, { payload });
    expect(gender.sent?.payload).toBe(payload.replace('"F"', '"female"'));
    await stopNode();
    const code = await translate({ ...fhir, from: 'Observation.code' }, { payload });
    expect(JSON.parse(code.sent?.payload as string)).toMatchObject({
      entry: [{}, { resource: { code: { coding: [{ code: 'female' }, coding] } } }],
    });
  });

  it('leaves as it was written what has nothing to translate', async () => {
    const payload = '{ "resourceType": "Observation", "valueQuantity": { "value": 5.40 } }';
    const { sent } = await translate({ source: 'fhir', from: 'Patient.gender' }, { payload });
    expect(sent?.payload).toBe(payload);
  });

  it('translates a property of msg into another', async () => {
    const message = { payload: {}, site: { code: 'F' } };
    const { sent } = await translate({ source: 'msg', from: 'site.code', to: 'sex' }, message);
    expect(sent).toMatchObject({ site: { code: 'F' }, sex: 'female' });
    await stopNode();
    const list = await translate({ source: 'msg', from: 'all' }, { all: ['F', 'M'] });
    expect(list.sent?.['all']).toEqual(['female', 'male']);
  });

  describe('with a code that the table does not hold', () => {
    const payload = orders.replace('F^x', 'X^x');
    const at = { from: 'OBX-3.1' };

    it.each([
      ['keep', 'X^x~male^y', []],
      ['omit', '^x~male^y', ['OBX[1]-3[1].1 code-unmapped']],
      ['', '^x~male^y', ['OBX[1]-3[1].1 code-unmapped']],
    ])('and told to %j, writes %s', async (onUnmapped, written, codes) => {
      const { sent } = await translate({ ...at, onUnmapped }, { payload });
      expect(sent?.payload).toContain(`OBX|1|CE|${written}`);
      const found = sent?.issues?.map(({ code, location = '' }) => `${location} ${code}`);
      expect(found).toEqual(codes);
    });

    it.each([
      ['error', 'code-unmapped'],
      ['hold', 'code-unmapped-held'],
    ])('and told to %s, refuses the message with each code, as it was', async (policy, code) => {
      const both = payload.replace('M^z', 'Y^z');
      const message = { payload: both };
      const { error, sent } = await translate({ ...at, onUnmapped: policy }, message);
      expect(codesOf(error)).toEqual([`OBX[1]-3[1].1 ${code}`, `OBX[2]-3[1].1 ${code}`]);
      expect(findFailure(error)?.errorClass).toBe('permanent');
      const held = findFailure(error)?.held?.map(
        (each) => `${each.table} ${each.code} ${each.source}`,
      );
      const waits = ['sex X OBX-3.1', 'sex Y OBX-3.1'];
      expect([...(held ?? [])].sort()).toEqual(policy === 'hold' ? waits : []);
      expect([sent, message.payload]).toEqual([undefined, both]);
    });

    it('takes it from the layer that has it', async () => {
      const other = payload.replace('X^x', '9^x');
      const { sent } = await translate({ ...at, layers: 'acme' }, { payload: other });
      expect(sent?.payload).toContain('other^x');
    });

    it('takes away an element of FHIR, and the list with its last one', async () => {
      const patient = {
        resourceType: 'Patient',
        gender: 'X',
        communication: [{ language: { coding: [{ code: 'X' }] } }],
      };
      const given = { payload: JSON.stringify(patient) };
      const gender = await translate({ source: 'fhir', from: 'Patient.gender' }, given);
      expect(gender.sent?.payload).not.toContain('gender');
      await stopNode();
      const list = await translate(
        { source: 'fhir', from: 'Patient.communication.language' },
        given,
      );
      expect(JSON.parse(list.sent?.payload as string)).toMatchObject({ communication: [{}] });
    });
  });

  it.each([
    [{ table: 'nothing' }, 'table-unknown'],
    [{ table: '' }, 'field-required'],
    [{ from: 'PID' }, 'path-invalid'],
    [{ source: 'fhir', from: 'gender' }, 'path-invalid'],
    [{ source: 'fhir', from: 'Patient.gender', to: 'Patient.x' }, 'path-invalid'],
  ])('lets no message pass with %j', async (more, code) => {
    const { error } = await translate({ from: 'PID-8', ...more }, { payload: smallMessage });
    expect(findFailure(error)).toMatchObject({ errorClass: 'permanent', issues: [{ code }] });
  });

  it.each(['text', 7, null, '[]', '{}'])(
    'refuses %j where a FHIR resource is expected',
    async (payload) => {
      const { error } = await translate({ source: 'fhir', from: 'Patient.gender' }, { payload });
      expect(codesOf(error)).toEqual(['payload-not-fhir']);
    },
  );
});

describe('fhir validate', () => {
  const config = { type: 'fhir validate', name: '' };
  const valid = '{"resourceType":"Patient","gender":"female"}';
  const invalid = valid.replace('female', 'F');

  it.each([
    ['text', valid],
    ['bytes', Buffer.from(valid)],
    ['an object', JSON.parse(valid)],
  ])(
    'sends what is valid out of the first output, as %s as it came',
    async (_as, payload: unknown) => {
      const flow = await startNode(registerValidate, config, { outputs: 2 });
      expect(await flow.handle({ payload })).toBeUndefined();
      expect(flow.received(1)).toMatchObject([{ payload, issues: [] }]);
      expect(flow.received(2)).toEqual([]);
    },
  );

  it('sends what is invalid out of the second, with what is wrong', async () => {
    const flow = await startNode(registerValidate, config, { outputs: 2 });
    await flow.handle({ payload: invalid });
    expect(flow.received(1)).toEqual([]);
    expect(flow.received(2)[0]?.issues?.[0]).toMatchObject({ location: 'Patient.gender' });
    expect(flow.status()).toMatchObject({ fill: 'red' });
  });

  it('fails what is invalid for good where nothing is wired to the second', async () => {
    const flow = await startNode(registerValidate, config, { outputs: 2, unwired: [2] });
    expect(findFailure(await flow.handle({ payload: invalid }))?.errorClass).toBe('permanent');
    expect(flow.received(1)).toEqual([]);
  });

  it.each(['no json', 7, undefined])('takes %j as invalid', async (payload) => {
    const flow = await startNode(registerValidate, config, { outputs: 2 });
    await flow.handle({ payload });
    expect(flow.received(2)[0]?.issues).toMatchObject([{ code: 'payload-not-fhir' }]);
  });
});

describe('a full validation', () => {
  afterAll(() => openConformance().close());
  const withoutIdentity = '{"resourceType":"Organization","active":true}';
  const validate = async (more: object, payload: string) => {
    const config = { type: 'fhir validate', name: '', validation: 'full', profiles: '', ...more };
    const flow = await startNode(registerValidate, config, { outputs: 2 });
    const error = await flow.handle({ payload });
    return { error, valid: flow.received(1), invalid: flow.received(2) };
  };

  it('of fhir validate also finds broken invariants', async () => {
    const full = await validate({}, withoutIdentity);
    expect(full.valid).toEqual([]);
    expect(full.invalid[0]?.issues).toMatchObject([{ code: 'fhir-invariant' }]);
    await stopNode();
    const bySchema = await validate({ validation: 'schema' }, withoutIdentity);
    expect(bySchema.valid).toHaveLength(1);
  });

  it('of fhir validate checks by the profiles that it is told', async () => {
    const patient = '{"resourceType":"Patient","gender":"female"}';
    expect((await validate({}, patient)).valid).toHaveLength(1);
    await stopNode();
    const { invalid } = await validate({ profiles: 'us-core-patient' }, patient);
    expect(invalid[0]?.issues?.map(({ location }) => location)).toContain('Patient.identifier');
  });

  it.each([
    [{ profiles: 'a b' }, 'profiles-invalid'],
    [{ validation: 'half' }, 'choice-invalid'],
  ])('lets no message pass with %j', async (more, code) => {
    const { error } = await validate(more, withoutIdentity);
    expect(findFailure(error)).toMatchObject({ errorClass: 'permanent', issues: [{ code }] });
  });

  it('of hl7 map names the field and the rule that made what is wrong', async () => {
    const contact = `kind: SegmentMap
id: PID.Patient@site
extends: PID.Patient
layer: site
rules: [{ id: PID-3.contact, override: add, from: PID-3, to: 'contact[0].gender', const: male }]
`;
    const site = [...smallMappings, { path: 'layers/site/PID.map.yaml', text: contact }];
    const map = async (validation: string, layers: string) => {
      const flow = await startNode(
        registerMap,
        { ...{ type: 'hl7 map', name: '', mapping: '', unconsumed: 'ignore' }, validation, layers },
        { outputs: 1, hilum: runtime(buildMappings(() => site)) },
      );
      const error = await flow.handle({ payload: smallMessage });
      const sent = flow.received(1).length;
      await stopNode();
      return { error, sent };
    };
    expect(await map('schema', 'site')).toEqual({ error: undefined, sent: 1 });
    expect(await map('full', '')).toEqual({ error: undefined, sent: 1 });
    const { error, sent } = await map('full', 'site');
    expect(sent).toBe(0);
    expect(codesOf(error)).toEqual(['PID-3[1] fhir-invariant']);
    expect(findFailure(error)?.issues[0]?.message).toContain(
      'by the rule PID.Patient#PID-3.contact',
    );
  });
});

describe('fhir map', () => {
  const config = { type: 'fhir map', name: '', event: '', layers: '', version: '' };
  const bundle = {
    resourceType: 'Bundle',
    type: 'collection',
    entry: [
      {
        fullUrl: 'urn:uuid:1',
        resource: {
          resourceType: 'Patient',
          identifier: [
            { system: 'urn:oid:1.2.3', value: 'A1', type: { coding: [{ code: 'MR' }] } },
          ],
          name: [{ family: 'Low', given: ['Al'] }],
          birthDate: '1980-01-02',
        },
      },
      {
        fullUrl: 'urn:uuid:2',
        resource: {
          resourceType: 'DiagnosticReport',
          status: 'final',
          identifier: [{ value: 'F1' }],
          code: { coding: [{ system: 'http://loinc.org', code: '24331-1', display: 'Lipids' }] },
          subject: { reference: 'urn:uuid:1' },
          effectiveDateTime: '2026-01-02T08:00:00+01:00',
          issued: '2026-01-02T09:00:00+01:00',
          result: [{ reference: 'urn:uuid:3' }],
        },
      },
      {
        fullUrl: 'urn:uuid:3',
        resource: {
          resourceType: 'Observation',
          status: 'final',
          code: {
            coding: [{ system: 'http://loinc.org', code: '2093-3', display: 'Cholesterol' }],
          },
          subject: { reference: 'urn:uuid:1' },
          valueQuantity: {
            value: 5.4,
            unit: 'mmol/L',
            system: 'http://unitsofmeasure.org',
            code: 'mmol/L',
          },
        },
      },
    ],
  };
  const envelope = {
    ...{ id: 'm1', interface: 'tab', contentType: 'application/fhir+json', correlationId: 'm1' },
    ...{ receivedAt: '2026-01-02T10:00:00.000Z', attempt: 1 },
  };
  const map = async (more: object, payload: unknown = JSON.stringify(bundle)) => {
    const flow = await startNode(registerFhirMap, { ...config, ...more }, { outputs: 1 });
    const error = await flow.handle({ payload, envelope });
    return { error, sent: flow.received(1)[0], status: flow.status() };
  };

  it('makes a message of a Bundle, as it is told to, and keeps its envelope', async () => {
    const { error, sent, status } = await map({
      ...{ event: 'ORU^R01', version: '2.7', sendingApplication: 'EHR^1.2.3^ISO' },
      ...{ receivingFacility: 'NORTH' },
    });
    expect(codesOf(error)).toEqual([]);
    expect(sent).toMatchObject({ envelope, contentType: 'application/hl7-v2' });
    const segments = String(sent?.payload).split('\r');
    expect(segments[0]).toMatch(
      /^MSH\|\^~\\&#?\|EHR\^1\.2\.3\^ISO\|[^|]*\|[^|]*\|NORTH\|20260102\d{6}[^|]*\|\|ORU\^R01\^ORU_R01\|[^|]+\|P\|2\.7/,
    );
    expect(segments.find((line) => line.startsWith('PID'))).toContain('|Low^Al|');
    expect(segments.find((line) => line.startsWith('OBX'))).toContain('|2093-3^Cholesterol^LN|');
    expect(status).toMatchObject({ fill: 'green', text: 'ORU^R01' });
  });

  it('makes the same message when its flow runs again', async () => {
    const first = await map({});
    await stopNode();
    const second = await map({}, bundle);
    expect(second.sent?.payload).toBe(first.sent?.payload);
  });

  it('says which elements no rule reads where it is told to', async () => {
    const payload = {
      ...bundle,
      entry: bundle.entry.map((entry) => ({
        ...entry,
        resource: { ...entry.resource, language: 'nl' },
      })),
    };
    const { sent } = await map({ unconsumed: 'warn' }, payload);
    expect(sent?.issues).toContainEqual(
      expect.objectContaining({
        code: 'source-unconsumed',
        location: expect.stringContaining('language') as string,
      }),
    );
  });

  it.each([
    [{}, '{"resourceType":"Basic"}'],
    [{}, 'text'],
    [{ event: 'ORU^R01' }, '{"resourceType":"Patient"}'],
  ])('fails for good what no message can be made of: %j of %s', async (more, payload) => {
    const { error, sent } = await map(more, payload);
    expect(findFailure(error)?.errorClass).toBe('permanent');
    expect(codesOf(error).length).toBeGreaterThan(0);
    expect(sent).toBeUndefined();
  });

  describe('to FHIR of another profile', () => {
    const photo = {
      ...{ resourceType: 'Patient', id: 'p' },
      photo: [{ url: 'https://example.org' }],
    };

    it.each(['schema', 'full'])('makes it by the map that it is told, %s', async (validation) => {
      const { error, sent, status } = await map({ map: 'acme-patient', validation }, photo);
      expect(codesOf(error)).toEqual([]);
      expect(sent).toMatchObject({ envelope, contentType: 'application/fhir+json' });
      expect(JSON.parse(String(sent?.payload))).toEqual({
        ...{ resourceType: 'Patient', id: 'p' },
        meta: { profile: ['https://acme.example/fhir/StructureDefinition/acme-patient'] },
      });
      expect(status).toMatchObject({ fill: 'green', text: 'Patient' });
      await openConformance().close();
    });

    it('fails for good what is not for the map, and what becomes no valid FHIR', async () => {
      const other = await map({ map: 'acme-patient' }, { resourceType: 'Basic' });
      expect(codesOf(other.error)).toEqual(['resource-not-for-map']);
      await stopNode();
      const { error } = await map({ map: 'acme-patient' }, { ...photo, birthDate: 'x' });
      expect(codesOf(error)).toEqual(['Patient.birthDate fhir-schema']);
      expect(findFailure(error)?.errorClass).toBe('permanent');
    });
  });

  it('maps by the version that is pinned, and by no other', async () => {
    const { maps, version } = openShippedMappings().fromFhir([]);
    expect((await map({ pin: version })).error).toBeUndefined();
    await stopNode();
    const pin = maps.find(({ id }) => id === 'acme-patient')?.version;
    const patient = { resourceType: 'Patient' };
    expect((await map({ map: 'acme-patient', pin }, patient)).error).toBeUndefined();
    await stopNode();
    const { error } = await map({ map: 'acme-patient', pin: version }, patient);
    expect(codesOf(error)).toEqual(['mapping-version-differs']);
    expect(findFailure(error)?.errorClass).toBe('transient');
  });

  it.each([
    [{ event: 'ZZZ^Z01' }, 'mapping-unknown'],
    [{ map: 'nobody' }, 'mapping-unknown'],
    [{ map: 'a b' }, 'map-invalid'],
    [{ sendingApplication: 'A|B' }, 'designator-invalid'],
    [{ version: '9' }, 'choice-invalid'],
  ])('lets no message pass with %j', async (more, code) => {
    const { error } = await map(more);
    expect(findFailure(error)).toMatchObject({ errorClass: 'permanent', issues: [{ code }] });
  });
});
