import { writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  patientLayer,
  patientMessage,
  patientSegment,
  smallMessage,
  writeMappingFiles,
  writeMappings,
} from '../support/small-mappings.ts';
import { makeTempFolder } from '../support/temp.ts';
import { startCommand } from './process.ts';
import type { Finished } from './process.ts';

const sample = path.resolve(import.meta.dirname, '..', '..', 'samples', 'oru-r01.hl7');

interface Line {
  readonly file: string;
  readonly message: number;
  readonly resource: { readonly resourceType: string; readonly type: string } | null;
  readonly issues: readonly { readonly code: string }[];
  readonly unconsumed: readonly string[];
  readonly provenance: readonly { readonly target: string; readonly source: string }[];
}

const run = (...args: string[]): Promise<Finished> => startCommand(['map', ...args]).finished;
const toLines = (stdout: string): Line[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

describe('hilum map', () => {
  const folder = makeTempFolder('map');
  const mappings = makeTempFolder('map-site');
  const write = (name: string, text: string): string => {
    const file = path.join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const message = (type: string, control: string): string =>
    `MSH|^~\\&|A|B|||20260102||${type}|${control}|P|2.5.1\rPID|1||7^^^X^MR\rOBR|1|P|F|1-8^T^LN\r`;

  test('refuses a zone that is none before it reads a message', async () => {
    const { code, stderr } = await run('--zone', 'Berlin', sample);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("'Berlin' is invalid. Expected a zone such as +01:00"),
    ]);
  });

  test('prints the Bundle and nothing else', async () => {
    const { code, stdout } = await run(sample);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ resourceType: 'Bundle', type: 'transaction' });
  });

  test('with a full validation names the field that made what breaks an invariant', async () => {
    const layer = patientLayer(
      'site',
      "{ id: PID-3.contact, override: add, from: PID-3, to: 'contact[0].gender', const: male }",
    );
    writeMappings(mappings, [layer.path, layer.text]);
    const file = write('contact.hl7', smallMessage);
    const options = ['--mappings', mappings, '--layer', 'site', '--ndjson', file];
    expect((await run(...options)).code).toBe(0);
    const { code, stdout } = await run('--validate', 'full', ...options);
    expect(code).toBe(1);
    expect(toLines(stdout)[0]?.issues).toMatchObject([
      { code: 'fhir-invariant', location: 'PID-3[1]' },
    ]);
    const other = await run('--validate', 'full', '--profile', 'us-core-nobody', ...options);
    expect(toLines(other.stdout)[0]?.issues[0]).toMatchObject({ code: 'fhir-profile-unknown' });
  });

  test('of FHIR makes FHIR of another profile by the map that is named', async () => {
    const photo = { resourceType: 'Patient', photo: [{ url: 'https://example.org/1.png' }] };
    const file = write('patient.json', JSON.stringify(photo));
    const { code, stdout } = await run('--map', 'acme-patient', '--ndjson', file);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ file, message: 1, issues: [], dropped: ['Patient.photo[0]'], unconsumed: [] },
      resource: { resourceType: 'Patient', meta: { profile: [expect.any(String)] } },
    });
    expect((await run('--map', 'nobody', file)).code).toBe(2);
  });

  test('prints a line a message, with exactly the agreed keys', async () => {
    const several = write('several.hl7', message('ORU^R01', '1') + message('ORU^R01', '2'));
    const { code, stdout } = await run('--ndjson', several, sample);
    expect(code).toBe(0);
    const lines = toLines(stdout);
    expect(lines.map(({ file, message: n }) => [file, n])).toEqual([
      [several, 1],
      [several, 2],
      [sample, 1],
    ]);
    for (const line of lines) {
      expect(Object.keys(line)).toEqual([
        'file',
        'message',
        'resource',
        'issues',
        'unconsumed',
        'provenance',
      ]);
      expect(line.provenance).toEqual([]);
    }
  });

  test('says where everything came from when asked', async () => {
    const { stdout } = await run('--ndjson', '--provenance', sample);
    const [line] = toLines(stdout);
    expect(line?.provenance).toContainEqual({
      target: expect.stringMatching(/^Bundle\.entry\[\d+\]\.resource\.birthDate$/) as string,
      source: 'PID-7[1]',
      rule: 'PID.Patient#PID-7.birth-date',
    });
  });

  test('goes on behind what cannot be mapped, and exits 1', async () => {
    const other = write('other.hl7', message('ZZZ^Z01', '1'));
    const junk = write('junk.hl7', 'no message at all');
    const { code, stdout } = await run('--ndjson', other, junk, sample);
    expect(code).toBe(1);
    const lines = toLines(stdout);
    expect(lines.map(({ resource }) => resource?.resourceType ?? null)).toEqual([
      null,
      null,
      'Bundle',
    ]);
    expect(lines[0]?.issues[0]?.code).toBe('message-type-unmapped');
    expect(lines[1]?.issues.length).toBeGreaterThan(0);
  });

  test('names what no rule reads, of each message of a file', async () => {
    const two = write('own.hl7', message('ORU^R01', '1') + `${message('ORU^R01', '2')}ZPI|1|x\r`);
    const { code, stderr } = await run(two);
    expect(code).toBe(0);
    expect(stderr).toContain(`${two}: message 2: no rule reads ZPI-1, ZPI-2`);
    expect(stderr).not.toContain('message 1: no rule');
  });

  test('goes on behind a file that cannot be read, and exits 2', async () => {
    const { code, stdout, stderr } = await run('--ndjson', path.join(folder, 'absent.hl7'), sample);
    expect(code).toBe(2);
    expect(toLines(stdout)).toHaveLength(1);
    expect(stderr).toContain('absent.hl7');
  });

  test('takes times without a zone in the zone that it is told', async () => {
    const late = write(
      'late.hl7',
      `${message('ORU^R01', '1')}OBX|1|DT|1-8^T^LN||202601021530||||||F\r`,
    );
    const { stdout } = await run('--zone', 'Europe/Berlin', late);
    expect(stdout).toContain('2026-01-02T15:30:00+01:00');
    const { stdout: without, stderr } = await run(late);
    expect(without).toContain('"valueDateTime": "2026-01-02"');
    expect(stderr).toContain('time-zone-unknown');
  });

  test('blames the source value of what is no valid FHIR, and exits 1', async () => {
    const maps = makeTempFolder('faulty-maps');
    writeMappingFiles(maps, [
      patientMessage('ORU^R01', { request: 'id' }),
      patientSegment('{ id: gender, from: PID-1, to: gender }'),
    ]);
    const file = write('faulty.hl7', message('ORU^R01', '1'));
    const { code, stdout, stderr } = await run('--mappings', maps, file);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ resourceType: 'Bundle' });
    expect(stderr).toMatch(/PID-1\[1\].*Patient#gender/);
  });

  test('prints every problem of the mapping files, and exits 2', async () => {
    const { code, stdout, stderr } = await run('--mappings', folder, '--layer', 'acme', sample);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('acme');
  });

  const patient = {
    resourceType: 'Patient',
    identifier: [{ system: 'urn:oid:1.2.3', value: '42' }],
    name: [{ family: 'Low', given: ['Anna'] }],
  };

  test('makes an HL7 v2 message of FHIR, its header as it is told', async () => {
    const file = write('patient.json', JSON.stringify(patient));
    const { code, stdout, stderr } = await run(
      ...['--date', '20260102093000+0100', '--sender', 'APP|FAC', '--control-id', 'C1'],
      ...['--event', 'ADT^A28', '--to-version', '2.4', '--provenance', file],
    );
    expect(code).toBe(0);
    expect(stdout.split('\r')[0]).toBe(
      'MSH|^~\\&|APP|FAC|||20260102093000+0100||ADT^A28^ADT_A05|C1|P|2.4',
    );
    expect(stdout).toContain('\rPID|1||42^^^&1.2.3&ISO||Low^Anna');
    expect(stderr).toContain('PID-5[1].2 <- Patient.name[0].given[0] <- XPN.HumanName#given.first');
  });

  test('takes a resource a line, and says of each what it lacks', async () => {
    const { name: _, ...nameless } = patient;
    const file = write(
      'several.ndjson',
      [patient, nameless].map((one) => JSON.stringify(one)).join('\n'),
    );
    const { code, stdout } = await run('--ndjson', file);
    expect(code).toBe(1);
    const lines = toLines(stdout) as unknown as { hl7: string; issues: { location: string }[] }[];
    expect(lines.map(({ hl7 }) => hl7.startsWith('MSH|'))).toEqual([true, true]);
    expect(lines.map(({ issues }) => issues.map(({ location }) => location))).toEqual([
      [],
      ['PID-5'],
    ]);
    expect(Object.keys(lines[0] ?? {})).toEqual([
      'file',
      'message',
      'hl7',
      'issues',
      'unconsumed',
      'provenance',
    ]);
  });

  test('says what it cannot read as FHIR, by line', async () => {
    const { code, stderr } = await run(write('broken.json', '{"resourceType":"Patient"}\n{oh'));
    expect(code).toBe(1);
    expect(stderr).toContain('line 2 is no JSON');
  });

  test('makes a message of another version, and names the maps for it where there is none', async () => {
    const early = write('early.hl7', 'MSH|^~\\&|A|B|||20260102||ADT^A01|1|P|2.3\rPID|1|E1|7\r');
    const { code, stdout } = await run('--map', 'any-to-2.5.1', early);
    expect([code, stdout]).toEqual([
      0,
      'MSH|^~\\&|A|B|||20260102||ADT^A01^ADT_A01|1|P|2.5.1\rPID|1||7~E1\r',
    ]);
    const none = await run('--map', 'nothing', early);
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('any-to-2.5.1');
  });
});
