import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeTempFolder } from '../support/temp.ts';
import { startCommand, type Finished } from './process.ts';

const run = (...args: string[]): Promise<Finished> => startCommand(['profile', ...args]).finished;
const folder = makeTempFolder('profile');
const write = (name: string, text: string): string => {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
};

describe('hilum profile', () => {
  test('check says what each profile is for, and exits 1 where one has faults', async () => {
    const bad = write('bad.yaml', 'profile: bad\nextends: adt\nfields:\n  PID-99: R\n  PVQ-1: R\n');
    const { code, stdout, stderr } = await run('check', 'lab-orders', bad);
    expect(code).toBe(1);
    expect(stdout).toBe('lab-orders: good, HL7 2.5.1, OML^O21\n');
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/bad\.yaml:4:3: PID-99: PID has 39 fields/),
      expect.stringMatching(/bad\.yaml:5:3: PVQ-1: PVQ is no place/),
    ]);
  });

  test('check exits 2 where there is no such profile', async () => {
    const { code, stderr } = await run('check', 'nobody');
    expect(code).toBe(2);
    expect(stderr).toContain('lab-results');
  });

  test('show prints one file with all that a profile extends, which is a profile itself', async () => {
    const own = write('own.yaml', 'profile: own\nextends: lab-results\nfields: {OBR-3: O}\n');
    const { code, stdout } = await run('show', own);
    expect(code).toBe(0);
    expect(stdout).toContain('\n  OBR-3: O\n');
    expect(stdout).toContain('\n  PID-3.5: R\n');
    expect(stdout).not.toContain('extends');
    expect((await run('check', write('shown.yaml', stdout))).code).toBe(0);
  });

  test('import writes a profile and says what is lost', async () => {
    const xml = write(
      'acme.xml',
      `<HL7v2xConformanceProfile HL7Version="2.4"><HL7v2xStaticDef MsgType="ADT" EventType="A01">
        <Segment Name="PID" Usage="R" Min="1" Max="1"><Field Name="" Usage="C"/></Segment>
      </HL7v2xStaticDef></HL7v2xConformanceProfile>`,
    );
    const out = path.join(folder, 'acme-out.yaml');
    const { code, stdout, stderr } = await run('import', xml, '--out', out);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain('profile-import-incomplete');
    expect(readFileSync(out, 'utf8')).toContain('version: "2.4"');
    expect((await run('check', out)).code).toBe(0);
  });

  test('import exits 1 for what is no conformance profile', async () => {
    const { code, stdout } = await run('import', write('other.xml', '<a/>'));
    expect([code, stdout]).toEqual([1, '']);
  });

  test('list and schema print what is shipped', async () => {
    expect((await run('list')).stdout.split('\n')).toContain('immunization');
    const shipped = path.join(import.meta.dirname, '../../profiles/schema/profile.schema.json');
    const { stdout } = await run('schema');
    expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(shipped, 'utf8')));
  });
});
