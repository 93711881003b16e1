import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const one =
  'MSH|^~\\&|A|B|C|D|20260312||ORU^R01^ORU_R01|M1|P|2.5.1\rPID|1||1||Testperson^Amelie\rOBR|1|||x\r';
const two = one.replace('M1', 'M2').replace('Amelie', 'M\u00fcller');

interface Run {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hilum-cli-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The real program, as a user starts it. */
function hilum(args: readonly string[], input = ''): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'cli/main.ts'), ...args], { cwd: root });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() });
    });
    child.stdin.end(input);
  });
}

function write(name: string, content: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

describe('an output that nobody reads to its end', () => {
  it.each([['parse'], ['get'], ['set']])('ends %s without a word', async (command) => {
    const file = write('many.hl7', one.repeat(3_000));
    const paths = { parse: [], get: ['MSH-10', 'MSH'], set: ['MSH-10=2'] }[command] ?? [];
    const child = spawn(process.execPath, [join(root, 'cli/main.ts'), command, file, ...paths]);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.once('data', () => child.stdout.destroy());
    const [code] = (await once(child, 'close')) as [number];
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('hilum parse', () => {
  it.each([
    ['one message', one],
    ['a batch with envelope', `FHS|^~\\&\rBHS|^~\\&\r${one}${two}BTS|2\rFTS|1\r`],
    ['line feeds and no end', `${one}${two}`.replaceAll('\r', '\n').slice(0, -1)],
    ['a byte order mark', `\ufeff${one}`],
    ['bytes of another set', Buffer.from(two.replace('2.5.1', '2.5.1||||||8859/1'), 'latin1')],
    [
      'bytes that are not what MSH-18 says',
      Buffer.from(two.replace('2.5.1', '2.5.1||||||UNICODE UTF-8'), 'latin1'),
    ],
    ['UTF-16', Buffer.from(`\ufeff${one}`, 'utf16le')],
  ])('--to er7 gives the same bytes: %s', async (name, content) => {
    const file = write(`${name}.hl7`, content);
    const { code, stdout } = await hilum(['parse', '--to', 'er7', file]);
    expect([code, stdout.equals(readFileSync(file))]).toEqual([0, true]);
  });

  it('writes large output whole', async () => {
    const file = write('large.hl7', one.repeat(20_000));
    const { code, stdout } = await hilum(['parse', '--to', 'er7', file]);
    expect([code, stdout.equals(readFileSync(file))]).toEqual([0, true]);
  });

  it('--to json prints a line a message', async () => {
    const { code, stdout } = await hilum(['parse', '--to', 'json', '-'], one + two);
    expect(code).toBe(0);
    const messages = stdout
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(messages).toHaveLength(2);
    expect(messages[1]).toContainEqual({
      segment: 'PID',
      fields: [[[['1']]], [[['']]], [[['1']]], [[['']]], [[['Testperson'], ['M\u00fcller']]]],
    });
  });

  it('prints a tree with positions unless told otherwise', async () => {
    const { code, stdout, stderr } = await hilum(['parse', '-'], one);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.toString()).toContain('PID\n  PID-1  1\n  PID-3  1\n  PID-5.1  Testperson\n');
  });

  it('--out writes one file an input under its base name', async () => {
    const out = join(folder, 'out/deep');
    const files = [write('a.hl7', one + two), write('b.hl7', two)];
    const { code, stdout } = await hilum(['parse', '--to', 'er7', '--out', out, ...files]);
    expect([code, stdout.length]).toEqual([0, 0]);
    for (const name of ['a.hl7', 'b.hl7']) {
      expect(readFileSync(join(out, name)).equals(readFileSync(join(folder, name)))).toBe(true);
    }
  });

  it('--out never writes over an input, and goes on with the others', async () => {
    const sub = join(folder, 'sub');
    mkdirSync(sub);
    const own = write('own.hl7', one);
    const other = write('other.hl7', one);
    const hard = write('hard.hl7', one);
    linkSync(hard, join(folder, 'hard-too.hl7'));
    const inputs = [
      own,
      write('sub/other.hl7', two),
      other,
      write('sub/hard-too.hl7', two),
      hard,
      write('sub/free.hl7', two),
    ];
    const alias = join(folder, 'alias');
    symlinkSync(folder, alias);
    const { code, stderr } = await hilum(['parse', '--to', 'er7', '--out', alias, ...inputs]);
    expect([own, other, hard].map((file) => readFileSync(file, 'utf8'))).toEqual([one, one, one]);
    expect(readFileSync(join(folder, 'free.hl7'), 'utf8')).toBe(two);
    expect(code).toBe(2);
    expect(stderr.split('is itself an input')).toHaveLength(6);
  });

  it('--out writes over what an earlier run wrote', async () => {
    const out = join(folder, 'again');
    const file = write('again.hl7', one);
    for (const text of [one, two]) {
      writeFileSync(file, text);
      expect((await hilum(['parse', '--to', 'er7', '--out', out, file])).code).toBe(0);
      expect(readFileSync(join(out, 'again.hl7'), 'utf8')).toBe(text);
    }
  });

  it('goes on after a file that is at fault, and one that is not there', async () => {
    const bad = write('bad.hl7', 'hello');
    const good = write('good.hl7', one);
    const gone = join(folder, 'gone.hl7');
    const first = await hilum(['parse', '--to', 'er7', bad, good]);
    expect([first.code, first.stdout.toString()]).toEqual([1, one]);
    expect(first.stderr).toContain('bad.hl7: fatal: MSH: Expected a message that starts with MSH');
    const second = await hilum(['parse', '--to', 'er7', gone, bad, good]);
    expect([second.code, second.stdout.toString()]).toEqual([2, one]);
    expect(second.stderr).toContain('gone.hl7');
  });
});

describe('hilum get', () => {
  it('prints a line a path, message after message', async () => {
    const text = `${one}NTE|1||a\\.br\\b\\T\\c|""\r${two}`;
    const paths = ['MSH-10', 'PID-5.2', 'NTE-3', 'NTE-4', 'PV1-2'];
    const { code, stdout, stderr } = await hilum(['get', '-', ...paths], text);
    expect(stdout.toString()).toBe('M1\nAmelie\na\\nb&c\n""\n\nM2\nM\u00fcller\n\n\n\n');
    expect([code, stderr]).toEqual([0, '']);
  });

  it.each([
    [['--as', 'raw'], '\\.in+2\\a\\.br\\b\\T\\c\n'],
    [['--as', 'lines'], '  a\n  b&c\n'],
    [['--where'], 'NTE[1]-3[1]\t99-117\ta\\nb&c\n'],
    [['--all'], 'a\\nb&c\nd\n'],
    [
      ['--all', '--where', '--as', 'raw'],
      'NTE[1]-3[1]\t99-117\t\\.in+2\\a\\.br\\b\\T\\c\nNTE[2]-3[1]\t125-126\td\n',
    ],
  ])('prints values as asked: %j', async (options, expected) => {
    const text = `${one}NTE|1||\\.in+2\\a\\.br\\b\\T\\c\rNTE|2||d\r`;
    const { code, stdout } = await hilum(['get', '-', 'NTE-3', ...options], text);
    expect([code, stdout.toString()]).toEqual([0, expected]);
  });

  it('refuses a path that is none, and says where', async () => {
    const { code, stdout, stderr } = await hilum(['get', '-', 'PID-3', 'PID-x'], one);
    expect([code, stdout.toString()]).toEqual([2, '']);
    expect(stderr).toContain('at character 5 of the path "PID-x"');
  });

  it('exits 1 for what is no message', async () => {
    const { code, stdout } = await hilum(['get', '-', 'PID-3'], 'hello');
    expect([code, stdout.toString()]).toEqual([1, '']);
  });
});

describe('hilum set', () => {
  it('prints the edited bytes and nothing else', async () => {
    const file = write('set.hl7', `${one}${two}`);
    const { code, stdout, stderr } = await hilum(['set', file, 'PID-5.1=O|Neil', 'OBR-4=y=z']);
    const edited = `${one}${two}`
      .replaceAll('Testperson', 'O\\F\\Neil')
      .replaceAll('|x\r', '|y=z\r');
    expect([code, stdout.toString(), stderr]).toEqual([0, edited, '']);
  });

  it('keeps the envelope of a batch, and adds and takes away', async () => {
    const file = write('set-batch.hl7', `BHS|^~\\&\r${one}BTS|1\r`);
    const { stdout } = await hilum([
      'set',
      file,
      'PID-3[1=1].5=MR',
      '--append',
      'PID-3=2',
      '--append',
      'NTE=NTE|1||a',
      '--remove',
      'OBR',
    ]);
    expect(stdout.toString()).toBe(
      `BHS|^~\\&\r${one.replace('||1||', '||1^^^^MR~2||').replace('OBR|1|||x', 'NTE|1||a')}BTS|1\r`,
    );
  });

  it.each([
    ['a path without a value', ['PID-5'], 2, 'expected PATH=VALUE'],
    ['a path that is none', ['PID=x', 'PID-=y'], 2, 'Expected a field position'],
    ['nothing to do', [], 2, 'nothing to do'],
    ['a segment that is not there', ['OBX-5=x'], 1, 'segment-missing'],
    ['a character that the set does not have', ['MSH-18=ASCII'], 1, 'character-not-in-charset'],
  ])('refuses %s, and prints nothing', async (_what, args, expected, reason) => {
    const file = write('set-refused.hl7', `${one}${two}`);
    const { code, stdout, stderr } = await hilum(['set', file, ...args]);
    expect([code, stdout.toString()]).toEqual([expected, '']);
    expect(stderr).toContain(reason);
  });
});

describe('hilum validate', () => {
  test('checks FHIR by its invariants, and by the profile that is named', async () => {
    const patient = '{"resourceType":"Patient","active":true}';
    const file = write('two.ndjson', `${patient}\n{"resourceType":"Organization","active":true}\n`);
    const { code, stdout } = await hilum(['validate', '--json', file]);
    expect(code).toBe(1);
    expect(
      stdout
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([
      { file, message: 1, valid: true, issues: [] },
      { message: 2, valid: false, issues: [{ code: 'fhir-invariant', location: 'Organization' }] },
    ]);
    const byProfile = await hilum(['validate', '--profile', 'us-core-patient', '-'], patient);
    expect(byProfile.code).toBe(1);
    expect(byProfile.stdout.toString()).toContain('Patient.identifier: Missing required property');
  });

  it('--version checks as that version, whatever MSH-12 says', async () => {
    const file = write('version.hl7', one);
    const { code, stdout } = await hilum(['validate', '--json', '--version', '2.7.1', file]);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      issues: [
        { code: 'version-differs', location: 'MSH-12' },
        { code: 'required-field-missing', location: 'PID-3.5' },
      ],
    });
    expect(code).toBe(1);
  });

  it('--profile checks by the rules of a site too', async () => {
    const file = write('profile.hl7', one);
    const rules = write(
      'site.yaml',
      'profile: site\nversion: 2.5.1\nmessages: [ORU^R01]\nfields:\n  PID-7: R\n',
    );
    const { code, stdout } = await hilum(['validate', '--json', '--profile', rules, file]);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      issues: [{ code: 'required-field-missing', location: 'PID-7' }],
    });
    expect(code).toBe(1);
  });

  it.each([
    [['--version', '2.99'], 'Allowed choices are 2.1'],
    [['--version', '2.5', '--profile', 'adt'], 'cannot be used with'],
    [['--profile', 'nowhere'], 'There is no profile nowhere'],
  ])('refuses %j', async (options, reason) => {
    const { code, stderr } = await hilum(['validate', ...options, write('any.hl7', one)]);
    expect(code).toBe(2);
    expect(stderr).toContain(reason);
  });

  it('--json prints a line a message with the agreed keys', async () => {
    const file = write(
      'batch.hl7',
      `BHS|^~\\&\r${one}${two.replace('PID|1||1', 'PID|1||')}BTS|2\r`,
    );
    const { code, stdout, stderr } = await hilum(['validate', '--json', file]);
    const lines = stdout
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(lines).toEqual([
      { file, message: 1, valid: true, issues: [] },
      {
        file,
        message: 2,
        valid: false,
        issues: [
          expect.objectContaining({ code: 'charset-undeclared', severity: 'information' }),
          {
            code: 'required-field-missing',
            severity: 'error',
            location: 'PID-3',
            message: 'Expected a value in this required field, found none',
          },
        ],
      },
    ]);
    expect([code, stderr]).toEqual([1, '']);
  });

  it('says where a batch is not what its trailer says', async () => {
    const { code, stderr } = await hilum(['validate', '-'], `BHS|^~\\&\r${one}BTS|2\r`);
    expect(code).toBe(1);
    expect(stderr).toContain('(batch-count-mismatch)');
    const unended = await hilum(['validate', '-'], `BHS|^~\\&\r${one}`);
    expect(unended.code).toBe(0);
    expect(unended.stderr).toContain('(batch-trailer-missing)');
  });

  it('says once where a line is that is no segment', async () => {
    const { stdout } = await hilum(
      ['validate', '--json', '-'],
      one.replace('OBR', 'and more\rOBR'),
    );
    expect(JSON.parse(stdout.toString())).toMatchObject({
      valid: false,
      issues: [
        {
          code: 'segment-name-invalid',
          location: 'PID',
          message: expect.stringContaining('on line 3,') as unknown,
        },
      ],
    });
  });

  it('reports what is no message as fatal', async () => {
    const { code, stdout } = await hilum(['validate', '--json', '-'], 'hello');
    expect(code).toBe(1);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      file: '-',
      message: 1,
      valid: false,
      issues: [{ code: 'header-missing', severity: 'fatal', location: 'MSH' }],
    });
  });

  it('exits 0 for the valid samples and 1 for the invalid one', async () => {
    const good = await hilum(['validate', 'samples/oru-r01.hl7', 'samples/adt-a01.hl7']);
    expect([good.code, good.stdout.toString()]).toEqual([
      0,
      'samples/oru-r01.hl7: valid\nsamples/adt-a01.hl7: valid\n',
    ]);
    const bad = await hilum(['validate', 'samples/oru-r01-invalid.hl7']);
    expect(bad.code).toBe(1);
    expect(bad.stdout.toString()).toContain('error: OBR-4: ');
  });

  it('exits 2 for a file that cannot be read, and looks at the others', async () => {
    const { code, stdout, stderr } = await hilum([
      'validate',
      'no-such-file',
      'samples/oru-r01.hl7',
    ]);
    expect([code, stdout.toString()]).toEqual([2, 'samples/oru-r01.hl7: valid\n']);
    expect(stderr).toContain('no-such-file');
  });

  it('exits 2 without a file', async () => {
    expect((await hilum(['validate'])).code).toBe(2);
  });
});

describe('hilum', () => {
  it('--version prints the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly version: string;
    };
    const { code, stdout, stderr } = await hilum(['--version']);
    expect([code, stdout.toString(), stderr]).toEqual([0, `${version}\n`, '']);
  });

  it('without arguments prints its help on standard error and exits 2', async () => {
    const { code, stdout, stderr } = await hilum([]);
    expect([code, stdout.length]).toEqual([2, 0]);
    expect(stderr).toContain('Usage: hilum');
  });
});
