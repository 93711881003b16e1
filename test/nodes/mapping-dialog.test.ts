import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { followMappings } from '../../connectors/file/mapping-files.ts';
import { findFailure } from '../../core/errors.ts';
import { buildMappings } from '../../core/mapping/mappings.ts';
import { toJsonLines, toSegmentLines } from '../../nodes/editor/json-lines.ts';
import { findField } from '../../nodes/editor/message-field.ts';
import { describeMappings, tryMapping } from '../../nodes/shared/mapping-trial.ts';
import { openShippedMappings } from '../../nodes/shared/mappings.ts';
import { smallMappings, smallMessage, writeMappings } from '../support/small-mappings.ts';
import { makeTempFolder } from '../support/temp.ts';

const mappings = buildMappings(() => smallMappings);

function codesOf(action: () => unknown): readonly string[] {
  try {
    action();
    return [];
  } catch (error) {
    return findFailure(error)?.issues.map(({ code }) => code) ?? [];
  }
}

describe('what a dialog is offered', () => {
  it('is the maps with their versions, the layers and the tables', () => {
    expect(describeMappings(mappings, { layers: '', wantsEvents: false })).toEqual({
      events: [],
      layers: ['acme'],
      tables: ['sex'],
      maps: [
        {
          id: 'ADT_A01',
          messages: ['ADT^A01'],
          version: mappings.version('ADT^A01', [])!,
        },
      ],
      version: mappings.version(undefined, []),
    });
  });

  it('has other versions with layers, and none with a layer that is not there', () => {
    const { maps, version } = describeMappings(mappings, { layers: ' acme ', wantsEvents: true });
    expect(maps[0]?.version).toBe(mappings.version('ADT^A01', ['acme']));
    expect(version).not.toBe(
      describeMappings(mappings, { layers: '', wantsEvents: false }).version,
    );
    expect(
      codesOf(() => describeMappings(mappings, { layers: 'acme, nobody', wantsEvents: false })),
    ).toEqual(['layer-unknown']);
  });

  it('is what is in the folder at that moment', () => {
    const folder = makeTempFolder('followed');
    writeMappings(folder);
    const follow = followMappings(folder);
    const before = follow();
    expect(follow()).toBe(before);
    writeFileSync(path.join(folder, 'tables', 'more.csv'), 'code,target\nA,B\n');
    expect(follow().names.tables).toEqual(['more', 'sex']);
    expect(before.names.tables).toEqual(['sex']);
  });
});

describe('a message that is tried', () => {
  it('gives what it becomes and where that comes from, whatever ends its lines', () => {
    const message = `\n${smallMessage.replaceAll('\r', '\r\n')}\n`;
    const answer = tryMapping(mappings, { message, layers: 'acme' });
    expect(answer.unconsumed).toContain('PID-7');
    expect(answer.provenance).toContainEqual({
      target: 'Bundle.entry[0].resource.gender',
      source: 'PID-8[1]',
      rule: 'PID.Patient#PID-8.gender',
    });
  });

  it('is taken for another type where a map is chosen', () => {
    const message = smallMessage.replace('ADT^A01', 'ZZZ^Z01');
    expect(tryMapping(mappings, { message }).issues).toMatchObject([
      { code: 'message-type-unmapped' },
    ]);
    expect(tryMapping(mappings, { message, mapping: 'ADT^A01' }).resource).not.toBeNull();
  });

  it.each([
    [{ message: smallMessage, layers: 'nobody' }, 'layer-unknown'],
    [{ message: smallMessage, mapping: 'adt' }, 'message-type-invalid'],
    [{ message: smallMessage, mapping: 'ORU^R01' }, 'mapping-unknown'],
    [{ message: smallMessage, zone: 'Here' }, 'zone-invalid'],
  ])('is refused with its reason: %j', (request, code) => {
    expect(codesOf(() => tryMapping(mappings, request))).toEqual([code]);
  });
});

it('is refused where it is no message', () => {
  expect(codesOf(() => tryMapping(mappings, { message: 'none' }))).not.toEqual([]);
});

describe('the lines of what it becomes', () => {
  const value = { resourceType: 'Patient', name: [{ given: ['Al', 'Bo'] }], active: true };

  it('are JSON, as it is usually written', () => {
    const lines = toJsonLines(value, 'Patient');
    expect(lines.map(({ json }) => json).join('\n')).toBe(JSON.stringify(value, undefined, 2));
  });

  it('say of each which element it shows', () => {
    const byText = new Map(
      toJsonLines(value, 'Patient').map(({ json, path: at }) => [json.trim(), at]),
    );
    expect(byText.get('"Bo"')).toBe('Patient.name[0].given[1]');
    expect(byText.get('"name": [')).toBe('Patient.name');
    expect(byText.get('"active": true')).toBe('Patient.active');
  });
});

describe('the place of a field in pasted text', () => {
  const text = 'MSH|^~\\&|LAB|NORTH\nPID|1||C3~D4\nOBX|1|NM|A\nOBX|2|NM|B^b';

  it.each([
    ['MSH-3', 'LAB'],
    ['MSH-4[1]', 'NORTH'],
    ['PID-3[2].4.1', 'C3~D4'],
    ['OBX-3', 'A'],
    ['OBX[2]-3[1].2', 'B^b'],
    ['PID', 'PID|1||C3~D4'],
    ['PID-30', undefined],
    ['ZZZ-1', undefined],
    ['Bundle', undefined],
  ])('of %s is that of %j', (at, field) => {
    const range = findField(text, at);
    expect(range && text.slice(range.start, range.end)).toBe(field);
  });
});

describe('FHIR that is tried', () => {
  const shipped = openShippedMappings();
  const patient = {
    ...{ resourceType: 'Patient', photo: [{ url: 'https://example.org' }], birthDate: '1980' },
    identifier: [{ system: 'urn:oid:1.2.3', value: 'C3', type: { coding: [{ code: 'MR' }] } }],
    name: [{ family: 'Low' }],
  };
  const request = { isFhir: true, message: JSON.stringify(patient, undefined, 2) };

  it('is offered the maps to FHIR with their versions', () => {
    const { fromFhir } = describeMappings(shipped, { layers: '', wantsEvents: true });
    expect(fromFhir?.maps).toContainEqual({
      id: 'acme-patient',
      version: expect.stringMatching(/^[0-9a-f]{16}$/) as unknown,
    });
  });

  it('becomes FHIR of another profile, with where it comes from', () => {
    const answer = tryMapping(shipped, { ...request, map: 'acme-patient' });
    expect(answer.resource).toMatchObject({ resourceType: 'Patient', birthDate: '1980' });
    expect(answer.provenance).toContainEqual({
      target: 'Patient.identifier[0].system',
      source: 'Patient.identifier[0].system',
      rule: 'acme-patient#record-number',
    });
  });

  it('becomes an HL7 v2 message, a line a segment with where it comes from', () => {
    const { resource, message, provenance } = tryMapping(shipped, { ...request, event: 'ADT^A31' });
    expect(resource).toBeNull();
    const lines = toSegmentLines(message ?? '');
    const line = lines.find(({ path }) => path === 'PID');
    expect(line?.json).toContain('C3');
    expect(provenance.some(({ target }) => target.startsWith('PID-'))).toBe(true);
  });

  it.each([
    [{ message: 'MSH|' }, 'payload-not-fhir'],
    [{ map: 'nobody' }, 'mapping-unknown'],
    [{ event: 'ZZZ^Z01' }, 'mapping-unknown'],
    [{ version: '9' }, 'choice-invalid'],
  ])('is refused with %j', (more, code) => {
    expect(codesOf(() => tryMapping(shipped, { ...request, ...more }))).toEqual([code]);
  });
});

it('numbers the segments of a message from the second of a name on', () => {
  expect(toSegmentLines('MSH|a\rOBX|1\rOBX|2\r').map(({ path }) => path)).toEqual([
    'MSH',
    'OBX',
    'OBX[2]',
  ]);
});
