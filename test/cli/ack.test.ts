import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const main = join(import.meta.dirname, '../../cli/main.ts');
const fixed = ['--now', '20260312142600+0000', '--control-id', 'H1'];

/** The real program with the message on standard input; output as bytes read one by one. */
function ack(input: string | Uint8Array, ...options: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [main, 'ack', ...fixed, ...options, '-'],
    { input },
  );
  return { code: status, stdout: stdout.toString('latin1'), stderr: stderr.toString() };
}

const result =
  'MSH|^~\\&|LAB|NORTH|EHR|CLINIC|20260312||ORU^R01^ORU_R01|M\\T\\1|P|2.5.1\rPID|1||1||Testperson^Amelie\rOBR|1|||x\r';
const msh = 'MSH|^~\\&|EHR|CLINIC|LAB|NORTH|20260312142600+0000||ACK^R01^ACK';
const asking = result.replace('|2.5.1', '|2.5.1|||AL|SU');

describe('hilum ack', () => {
  it('prints the acknowledgment and nothing else', () => {
    expect(ack(result)).toEqual({
      code: 0,
      stdout: `${msh}|H1|P|2.5.1\rMSA|AA|M\\T\\1\r`,
      stderr: '',
    });
  });

  it('says why, in MSA and ERR', () => {
    expect(ack(result, '--code', 'AE', '--text', 'a|b').stdout).toBe(
      `${msh}|H1|P|2.5.1\rMSA|AE|M\\T\\1|a\\F\\b\rERR|||207^Application internal error^HL70357|E|refused^^99HILUM|||a\\F\\b\r`,
    );
  });

  it.each([
    ['AA unless told otherwise', result, [], ['AA']],
    ['the code it is told', result, ['--code', 'CR'], ['CR']],
    ['enhanced mode’s counterpart', result, ['--enhanced', '--code', 'AE'], ['CE']],
    ['AA where the message asks nothing', result, ['--by-message'], ['AA']],
    ['AA whatever the message asks', asking, [], ['AA']],
    ['both that the message asks for', asking, ['--by-message'], ['CA', 'AA']],
    ['the one that is due on refusal', asking, ['--by-message', '--code', 'AE'], ['CE']],
    ['AA to what is valid', result, ['--validate'], ['AA']],
    ['AE to what is not', result.replace('PID|1||1', 'PID|1||'), ['--validate'], ['AE']],
    ['one for each message', result + result, [], ['AA', 'AA']],
  ] as const)('answers %s', (_name, message, options, expected) => {
    const { code, stdout } = ack(message, ...options);
    expect(code).toBe(0);
    expect([...stdout.matchAll(/\rMSA\|(..)/g)].map(([, found]) => found)).toEqual(expected);
    const ids = [...stdout.matchAll(/ACK\^R01\^ACK\|([^|]*)/g)].map(([, id]) => id);
    expect(ids).toEqual(['H1', 'H1-2'].slice(0, expected.length));
  });

  it('makes an id and a time of its own where it is given none', () => {
    const { stdout } = spawnSync(process.execPath, [main, 'ack', '-'], { input: result });
    expect(stdout.toString()).toMatch(
      /\|NORTH\|\d{14}\.\d{3}\+0000\|\|ACK\^R01\^ACK\|[0-9a-f]{20}\|P\|2\.5\.1\r/,
    );
  });

  it('writes in the character set that the message came in', () => {
    const message = result.replace('LAB', 'M\u00fcnchen').replace('2.5.1', '2.5.1||||||8859/1');
    expect(ack(Buffer.from(message, 'latin1')).stdout).toContain('|M\u00fcnchen|NORTH|');
  });

  it.each([
    ['an acknowledgment', 'MSH|^~\\&|||||||ACK|1|P|2.5\rMSA|AA|1\r', []],
    ['a response', 'MSH|^~\\&|||||||RSP^K11|1|P|2.5\rMSA|AA|1\r', []],
    ['who wants none', result.replace('|2.5.1', '|2.5.1|||NE|NE'), ['--by-message']],
  ])('has nothing to say to %s', (_name, message, options) => {
    const { code, stdout, stderr } = ack(message, ...options);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain('has no acknowledgment');
  });

  it('rejects what is no message, and exits 1', () => {
    const { code, stdout, stderr } = ack('hello');
    expect([code, stdout.split('\r')[1]?.slice(0, 7)]).toEqual([1, 'MSA|AR|']);
    expect(stderr).toContain('header-missing');
  });

  it.each([
    [['--now', 'today']],
    [['--code', 'XX']],
    [['--control-id', 'x'.repeat(21)]],
    [['--enhanced', '--by-message']],
    [['--code', 'AE', '--text', '\u0394']],
  ])('exits 2 for what cannot be written: %j', (options) => {
    const message = result.replace('2.5.1', '2.5.1||||||8859/1');
    expect(ack(message, ...options)).toMatchObject({ code: 2, stdout: '' });
  });
});
