import type { EnvelopeHeader } from '../../core/envelope.ts';
import { findFailure } from '../../core/errors.ts';
import type { Mapper } from '../../core/mapping/mapper.ts';
import { buildMappings } from '../../core/mapping/mappings.ts';
import registerMap from '../../nodes/hl7-map/runtime.ts';
import registerReject from '../../nodes/reject/runtime.ts';
import registerRoute from '../../nodes/hl7-route/runtime.ts';
import registerValidate from '../../nodes/hl7-validate/runtime.ts';
import { startNode, stopNode } from './node-red.ts';
import { RecordingRuntime } from './recording-runtime.ts';

const envelope: EnvelopeHeader = {
  id: 'm1',
  interface: 'tab',
  contentType: 'application/hl7-v2',
  correlationId: 'm1',
  receivedAt: '2026-01-01T00:00:00.000Z',
  attempt: 1,
};

const result = [
  'MSH|^~\\&|LAB|NORTH|EHR|MAIN|20260101120000+0000||ORU^R01^ORU_R01|C1|P|2.5.1',
  'PID|1||100^^^NORTH^MR||Example^Alex||19800101|F',
  'OBR|1||F-1|GLU^Glucose^99LAB|||20260101115500|||||||||||||||||LAB|F',
  'OBX|1|NM|GLU^Glucose^99LAB||5.4|mmol/L|||||F',
].join('\r');

afterEach(stopNode);

describe('hl7 route', () => {
  const rules = [
    { kind: 'type', value: 'ADT^*' },
    { kind: 'field', path: 'OBR-4.1', operator: 'starts-with', value: 'GLU' },
    { kind: 'table', path: 'PID-8', values: 'F, M' },
  ];
  const config = { type: 'hl7 route', name: '', rules, all: false, outputs: 4 };

  it.each([
    ['the first rule that matches', result, [2]],
    ['another rule', result.replace('|GLU^', '|NA^'), [3]],
    ['otherwise', result.replace('|GLU^', '|NA^').replace('|F\rOBR', '|\rOBR'), [4]],
  ])('sends to %s, unchanged', async (_where, payload, outputs) => {
    const flow = await startNode(registerRoute, config, { outputs: 4 });
    expect(await flow.handle({ payload, envelope })).toBeUndefined();
    const got = [1, 2, 3, 4].filter((output) => flow.received(output).length > 0);
    expect(got).toEqual(outputs);
    expect(flow.received(outputs[0] ?? 0)).toMatchObject([{ payload, envelope }]);
  });

  it('sends to all rules that match when told so', async () => {
    const flow = await startNode(registerRoute, { ...config, all: true }, { outputs: 4 });
    await flow.handle({ payload: Buffer.from(result) });
    expect([1, 2, 3, 4].map((output) => flow.received(output).length)).toEqual([0, 1, 1, 0]);
  });

  it.each([
    ['text that is no HL7', 'hello'],
    ['a parsed tree', { a: 1 }],
    ['nothing', undefined],
  ])('fails %s for good instead of sending it to otherwise', async (_what, payload) => {
    const flow = await startNode(registerRoute, config, { outputs: 4 });
    expect(findFailure(await flow.handle({ payload }))?.errorClass).toBe('permanent');
    expect(flow.received(4)).toEqual([]);
  });

  it('lets nothing pass while a rule cannot be read', async () => {
    const faulty = { ...config, rules: [{ kind: 'table', path: 'PID', values: '' }], outputs: 2 };
    const flow = await startNode(registerRoute, faulty, { outputs: 2 });
    expect(flow.status()).toMatchObject({ fill: 'red', text: 'hl7-route.status.faulty' });
    expect(findFailure(await flow.handle({ payload: result }))).toMatchObject({
      issues: [{ code: 'rule-value-missing' }],
    });
  });
});

describe('reject', () => {
  const config = {
    type: 'reject',
    name: '',
    code: 'wrong-facility',
    reason: 'For another hospital.',
  };
  const reason = { code: 'wrong-facility', severity: 'error', message: 'For another hospital.' };

  it('rejects the message with its reason and the errors found before', async () => {
    const hilum = new RecordingRuntime();
    const error = {
      code: 'required-field-missing',
      severity: 'error',
      location: 'PID-3',
      message: 'x',
    } as const;
    const warning = { code: 'code-unknown', severity: 'warning', message: 'y' } as const;
    const flow = await startNode(registerReject, config, { outputs: 0, hilum });
    expect(
      await flow.handle({ payload: result, envelope, issues: [warning, error] }),
    ).toBeUndefined();
    expect(hilum.rejected).toEqual([[reason, error]]);
    expect(flow.status()).toMatchObject({ fill: 'red', text: 'hilum.status.rejected' });
  });

  it('gives a reason even where none is configured', async () => {
    const hilum = new RecordingRuntime();
    const flow = await startNode(
      registerReject,
      { ...config, code: '', reason: '' },
      { outputs: 0, hilum },
    );
    await flow.handle({ payload: result });
    expect(hilum.rejected).toMatchObject([[{ code: 'rejected', severity: 'error' }]]);
  });

  it('only shows in a stock Node-RED that it was sent something', async () => {
    const flow = await startNode(registerReject, config, { outputs: 0 });
    expect(await flow.handle({ payload: result })).toBeUndefined();
    expect(flow.status()).toMatchObject({ fill: 'red' });
  });
});

describe('hl7 validate', () => {
  const config = { type: 'hl7 validate', name: '' };
  const invalid = result.replace('|100^^^NORTH^MR|', '||');

  it('sends a valid message out of the first output, unchanged', async () => {
    const flow = await startNode(registerValidate, config, { outputs: 2 });
    expect(await flow.handle({ payload: result, envelope })).toBeUndefined();
    expect(flow.received(1)).toMatchObject([{ payload: result, envelope, issues: [] }]);
    expect(flow.received(2)).toEqual([]);
    expect(flow.status()).toMatchObject({ fill: 'green', text: 'hl7-validate.status.ok' });
  });

  it('sends an invalid one out of the second, with what is wrong', async () => {
    const flow = await startNode(registerValidate, config, { outputs: 2 });
    expect(await flow.handle({ payload: invalid, envelope })).toBeUndefined();
    expect(flow.received(1)).toEqual([]);
    const issue = expect.objectContaining({
      code: 'required-field-missing',
      location: 'PID-3',
    }) as object;
    expect(flow.received(2)).toMatchObject([{ payload: invalid, envelope, issues: [issue] }]);
    expect(flow.status()).toMatchObject({ fill: 'red', text: 'PID-3 required-field-missing' });
  });

  it.each([
    ['a version', { version: '2.7.1', profile: '' }, ['version-differs', 'MSH-12']],
    ['a profile', { version: '', profile: 'lab-results' }, ['required-field-missing', 'MSH-9.3']],
  ])('checks by %s that it is told', async (_what, settings, [code, location]) => {
    const flow = await startNode(registerValidate, { ...config, ...settings }, { outputs: 2 });
    await flow.handle({ payload: result.replace('^ORU_R01', ''), envelope });
    const issues = [...flow.received(1), ...flow.received(2)][0]?.issues;
    expect(issues).toContainEqual(expect.objectContaining({ code, location }));
  });

  it('lets nothing pass while its profile cannot be read, and says so at once', async () => {
    const faulty = { ...config, version: '', profile: 'nowhere' };
    const flow = await startNode(registerValidate, faulty, { outputs: 2 });
    expect(flow.status()).toMatchObject({ fill: 'red', text: 'profile-unknown' });
    expect(findFailure(await flow.handle({ payload: result }))?.issues[0]?.code).toBe(
      'profile-unknown',
    );
    expect(flow.received(1)).toEqual([]);
  });

  it('fails an invalid one for good where nothing is wired to the second', async () => {
    const flow = await startNode(registerValidate, config, { outputs: 2, unwired: [2] });
    const failure = findFailure(await flow.handle({ payload: invalid }));
    expect(failure).toMatchObject({ errorClass: 'permanent', issues: [{ location: 'PID-3' }] });
    expect(flow.received(1)).toEqual([]);
  });

  it.each([
    ['text that is no HL7', 'hello'],
    ['bytes that are no HL7', Buffer.from([0, 255])],
    ['a number', 7],
  ])('takes %s as invalid', async (_what, payload) => {
    const flow = await startNode(registerValidate, config, { outputs: 2 });
    expect(await flow.handle({ payload })).toBeUndefined();
    expect(flow.received(1)).toEqual([]);
    expect(flow.received(2)[0]?.issues).toContainEqual(
      expect.objectContaining({ severity: 'fatal' }),
    );
  });

  it('keeps what earlier nodes found', async () => {
    const flow = await startNode(registerValidate, config, { outputs: 2 });
    const earlier = { code: 'noted', severity: 'information', message: 'x' } as const;
    await flow.handle({ payload: result, issues: [earlier] });
    expect(flow.received(1)[0]?.issues).toEqual([earlier]);
  });
});

describe('hl7 map', () => {
  const config = { type: 'hl7 map', name: '', mapping: '', unconsumed: 'ignore' };

  it('replaces the message by a FHIR transaction as text, and keeps its envelope', async () => {
    const flow = await startNode(registerMap, config, { outputs: 1 });
    expect(await flow.handle({ payload: result, envelope })).toBeUndefined();
    const [mapped] = flow.received(1);
    expect(mapped).toMatchObject({ envelope, contentType: 'application/fhir+json' });
    expect(typeof mapped?.payload).toBe('string');
    const bundle = JSON.parse(mapped?.payload as string) as {
      type: string;
      entry: { resource: { resourceType: string } }[];
    };
    expect(bundle.type).toBe('transaction');
    expect(bundle.entry.map(({ resource }) => resource.resourceType)).toEqual(
      expect.arrayContaining(['Patient', 'DiagnosticReport', 'Observation']),
    );
    expect(flow.status()).toMatchObject({ fill: 'green', text: 'hl7-map.status.mapped' });
  });

  it('fails for good what has no map, with the reasons', async () => {
    const flow = await startNode(registerMap, config, { outputs: 1 });
    const payload = result.replace('ORU^R01^ORU_R01', 'ZZZ^Z01^ZZZ_Z01');
    expect(findFailure(await flow.handle({ payload }))).toMatchObject({
      errorClass: 'permanent',
      issues: [{ code: 'message-type-unmapped' }],
    });
    expect(flow.received(1)).toEqual([]);
    expect(flow.status()).toMatchObject({ fill: 'red', text: 'MSH-9 message-type-unmapped' });
  });

  it('maps as another type when told so', async () => {
    const flow = await startNode(registerMap, { ...config, mapping: 'ORU^R01' }, { outputs: 1 });
    const payload = result.replace('ORU^R01^ORU_R01', 'ZZZ^Z01^ZZZ_Z01');
    expect(await flow.handle({ payload })).toBeUndefined();
    expect(flow.received(1)).toHaveLength(1);
  });

  it('fails for good when told to map as what is no type', async () => {
    const flow = await startNode(registerMap, { ...config, mapping: 'oru' }, { outputs: 1 });
    expect(findFailure(await flow.handle({ payload: result }))).toMatchObject({
      errorClass: 'permanent',
      issues: [{ code: 'message-type-invalid' }],
    });
  });

  it.each([
    ['warn', ['ZPI-1']],
    ['ignore', []],
  ])('says what no rule reads when told to: %s', async (unconsumed, locations) => {
    const flow = await startNode(registerMap, { ...config, unconsumed }, { outputs: 1 });
    await flow.handle({ payload: `${result}\rZPI|left` });
    const left = flow.received(1)[0]?.issues?.filter(({ code }) => code === 'source-unconsumed');
    expect(
      left?.map(({ location }) => location).filter((place) => place?.startsWith('ZPI')),
    ).toEqual(locations);
  });

  it('gives up a message that waits for a code, and says which', async () => {
    const issue = {
      code: 'code-unmapped-held',
      severity: 'error',
      location: 'PID-8[1]',
      message: 'Table sex has no entry for "X"',
    } as const;
    const mapper: Mapper = {
      messageTypes: [],
      map: () => ({
        resource: { resourceType: 'Bundle', type: 'batch' },
        issues: [issue],
        unconsumed: [],
        held: [{ table: 'sex', map: 'PID.Patient', rule: 'sex', code: 'X', location: 'PID-8[1]' }],
        provenance: [],
        unresolved: [],
      }),
    };
    const mappings = { ...buildMappings(() => []), mapper: () => mapper };
    const hilum = Object.assign(new RecordingRuntime(), { mappings });
    const flow = await startNode(registerMap, config, { outputs: 1, hilum });
    expect(findFailure(await flow.handle({ payload: result }))).toMatchObject({
      errorClass: 'permanent',
      issues: [issue],
      held: [
        {
          node: 'node',
          layers: '',
          map: 'PID.Patient',
          rule: 'sex',
          table: 'sex',
          code: 'X',
          source: 'PID-8',
        },
      ],
    });
    expect(flow.received(1)).toEqual([]);
  });

  it('maps with the mapper that the runtime hands in', async () => {
    const mapper: Mapper = {
      messageTypes: [],
      map: () => ({
        resource: { resourceType: 'Bundle', type: 'batch' },
        issues: [],
        unconsumed: [],
        held: [],
        provenance: [],
        unresolved: [],
      }),
    };
    const mappings = { ...buildMappings(() => []), mapper: () => mapper };
    const hilum = Object.assign(new RecordingRuntime(), { mappings });
    const flow = await startNode(registerMap, config, { outputs: 1, hilum });
    await flow.handle({ payload: result });
    expect(flow.received(1)).toMatchObject([
      { payload: '{"resourceType":"Bundle","type":"batch"}' },
    ]);
  });
});
