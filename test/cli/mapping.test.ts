import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readMappingFilesSync } from '../../connectors/file/mapping-files.ts';
import { buildMappings } from '../../core/mapping/mappings.ts';
import { makeTempFolder } from '../support/temp.ts';
import { startCommand, type Finished } from './process.ts';

const run = (...args: string[]): Promise<Finished> => startCommand(['mapping', ...args]).finished;
const shipped = path.resolve(import.meta.dirname, '..', '..', 'mappings');

describe('hilum mapping', () => {
  const folder = makeTempFolder('mapping');

  test('shows a map rule by rule, and says when there is none', async () => {
    const { code, stdout } = await run('show', 'CX.Identifier');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[0-9a-f]{16} CX\.Identifier \(DatatypeMap, datatype\/CX/);
    expect(stdout).toContain('base  {"id":"CX.1.value"');
    const none = await run('show', 'CX.Nothing');
    expect([none.code, none.stdout]).toEqual([1, '']);
    expect(none.stderr).toContain('CX.Nothing');
  });

  test('shows what becomes of each rule on the way back, and why', async () => {
    const { code, stdout } = await run('show', 'PID.Patient', '--reverse');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^derived +PID-3\.identifier$/m);
    expect(stdout).toMatch(/^none +PID-1\.set-id: ignored/m);
    expect(stdout).toMatch(/^fallback +PID-9\.alias: PID-5\.name comes first/m);
  });

  test('lists the maps as JSON, and exits 2 for a layer that nobody wrote', async () => {
    const { code, stdout } = await run('list', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ id: 'PID.Patient', kind: 'SegmentMap' }),
    );
    expect((await run('list', '--layer', 'nowhere')).code).toBe(2);
  });

  test('lists the versions that nodes may pin', async () => {
    const mappings = buildMappings(() => readMappingFilesSync(shipped));
    const listed = JSON.parse((await run('list', '--json')).stdout) as Record<string, unknown>[];
    const found = listed.filter(({ version }) => version !== undefined);
    const pinnable = [...mappings.versions([]), ...mappings.fromFhir([]).maps];
    expect(Object.fromEntries(found.map(({ id, version }) => [id, version]))).toEqual(
      Object.fromEntries(pinnable.map(({ id, version }) => [id, version])),
    );
    expect(found.map(({ kind }) => kind)).toContain('FhirMap');
  });

  test('reads tables in CSV, and says by file and line what is wrong in one', async () => {
    const own = path.join(folder, 'own');
    cpSync(shipped, own, { recursive: true });
    mkdirSync(path.join(own, 'layers', 'acme'), { recursive: true });
    const table = path.join(own, 'layers', 'acme', 'administrative-gender.csv');
    writeFileSync(table, '\uFEFFcode;target\r\n01;female\r\n');
    const list = () => run('list', '--mappings', own, '--layer', 'acme');
    expect((await list()).code).toBe(0);
    writeFileSync(table, 'code;target\r\n01;female\r\n01;male\r\n');
    const { code, stderr } = await list();
    expect(code).toBe(2);
    expect(stderr).toContain('layers/acme/administrative-gender.csv:3: The code stands in line 2');
  });

  test('copies what comes with Hilum to an empty folder, and to no other', async () => {
    const copy = path.join(folder, 'copy');
    const { code, stdout } = await run('copy', copy);
    expect(code).toBe(0);
    expect(stdout).toContain(`HILUM_MAPPINGS=${copy}`);
    expect((await run('list', '--mappings', copy)).stdout).toBe((await run('list')).stdout);
    const again = await run('copy', copy);
    expect([again.code, again.stdout]).toEqual([2, '']);
  });

  describe('import', () => {
    const guide = path.join(folder, 'guide');
    const mappings = path.join(folder, 'mappings');
    const sheet = path.join(
      guide,
      'datatypes',
      'HL7 Data Type - FHIR R4_ CX[Identifier] - Sheet1.csv',
    );
    const text =
      'HL7 v2\nSort Order,Identifier,Computable ANTLR,Narrative,FHIR Attribute,Assignment\n' +
      '1,CX.1,,,value,\n';
    beforeAll(() => {
      cpSync(shipped, mappings, { recursive: true });
      writeFileSync(path.join(mappings, 'guide-rows.json'), '{}');
      for (const kind of ['messages', 'segments', 'datatypes', 'codesystems']) {
        mkdirSync(path.join(guide, kind), { recursive: true });
      }
      writeFileSync(sheet, text);
    });
    const read = (...more: string[]) => run('import', '--mappings', mappings, ...more, guide);

    test('exits 1 for rules whose row is gone or has changed, and names file and line', async () => {
      const { code, stdout } = await read('--json');
      expect(code).toBe(1);
      const { counts, differences } = JSON.parse(stdout) as {
        counts: object;
        differences: { kind: string; rule?: string }[];
      };
      expect(counts).toMatchObject({ datatypes: { rows: 1, mapped: 1 } });
      expect(differences).toContainEqual(
        expect.objectContaining({ kind: 'rule-row-gone', rule: 'CX.Identifier#CX.5.type' }),
      );
      expect((await read('--accept')).code).toBe(0);
      writeFileSync(sheet, text.replace('value,', 'value,"something"'));
      expect((await read()).stdout).toContain(
        `datatypes/${path.basename(sheet)}:3: rule-row-changed CX.1`,
      );
    });

    test('exits 2 for what cannot be read, and changes nothing', async () => {
      const before = readFileSync(path.join(mappings, 'guide-rows.json'), 'utf8');
      writeFileSync(sheet, 'no sheet');
      const { code, stdout, stderr } = await read('--accept');
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain(`${path.basename(sheet)}:1: Expected two rows of heads`);
      expect(readFileSync(path.join(mappings, 'guide-rows.json'), 'utf8')).toBe(before);
      const nowhere = await run('import', path.join(folder, 'nowhere'));
      expect(nowhere.code).toBe(2);
      expect(nowhere.stderr).toContain('Expected the guide');
      expect(existsSync(path.join(folder, 'nowhere'))).toBe(false);
    });
  });
});
