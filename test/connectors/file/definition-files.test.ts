import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeDefinitions } from '../../../build/definitions/definitions.ts';
import { openDefinitionFiles } from '../../../connectors/file/definition-files.ts';
import { versions } from '../../../core/hl7v2/definitions/versions.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hilum-definitions-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the definitions that a build writes', () => {
  it('are one file a version, the same for every build', async () => {
    const [first, second] = [path.join(folder, 'first'), path.join(folder, 'second')];
    await writeDefinitions(first);
    await writeDefinitions(second);
    const names = await readdir(first);
    expect(names.sort()).toEqual(versions.map((version) => `${version}.json`).sort());
    for (const name of names) {
      expect(await readFile(path.join(first, name), 'utf8')).toBe(
        await readFile(path.join(second, name), 'utf8'),
      );
    }
  });

  it('say which file is missing, and what to do', () => {
    const definitions = openDefinitionFiles(path.join(folder, 'nowhere'));
    expect(() => definitions.of('2.5.1')).toThrow(/2\.5\.1.*run npm run build/);
  });

  it('are read again where one version was missing at first', async () => {
    const late = path.join(folder, 'late');
    const definitions = openDefinitionFiles(late);
    expect(() => definitions.of('2.4')).toThrow();
    await cp(path.join(folder, 'first'), late, { recursive: true });
    expect(definitions.of('2.4').findSegment('PID')).toBeDefined();
  });

  it('cost little until they are used', () => {
    const { milliseconds, megabytes } = measure('2.8.2');
    console.log(
      `The first version takes ${milliseconds.toFixed(1)} ms and ${megabytes.toFixed(1)} MB.`,
    );
    expect(milliseconds).toBeLessThan(50);
    expect(megabytes).toBeLessThan(30);
  });
});

interface Cost {
  readonly milliseconds: number;
  readonly megabytes: number;
}

/** In a process of its own, for this thread alone: a version and the segments of one structure, read once. */
function measure(version: string): Cost {
  const program = `
    import { openDefinitions } from './connectors/file/definition-files.ts';
    const before = process.memoryUsage.rss();
    const startedAt = process.threadCpuUsage();
    const definitions = openDefinitions().of('${version}');
    const read = (item) => (item.kind === 'segment' ? definitions.findSegment(item.name) : item.items.map(read));
    read(definitions.findStructure('ORU_R01'));
    const { user, system } = process.threadCpuUsage(startedAt);
    const milliseconds = (user + system) / 1000;
    const megabytes = (process.memoryUsage.rss() - before) / 1e6;
    console.log(JSON.stringify({ milliseconds, megabytes }));
  `;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', program],
    { cwd: path.join(import.meta.dirname, '../../..'), encoding: 'utf8' },
  );
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Cost;
}
