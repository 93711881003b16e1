import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createMllpSource } from '../../connectors/mllp/server.ts';
import type { MllpSource } from '../../connectors/mllp/server.ts';
import { findFreePorts } from '../support/ports.ts';
import { makeTempFolder } from '../support/temp.ts';
import { startCommand } from './process.ts';
import type { Finished } from './process.ts';

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

function build(controlId: string, end = '\r'): string {
  return [
    `MSH|^~\\&|LAB|A|EHR|B|20260101||ORU^R01^ORU_R01|${controlId}|P|2.5.1`,
    'PID|1||1',
    'NTE|1||é',
    '',
  ].join(end);
}

describe('hilum send', () => {
  const folder = makeTempFolder('send');
  let source: MllpSource;
  let received: { readonly text: string; readonly remote: string }[] = [];
  let code = 'AA';

  beforeEach(async () => {
    received = [];
    code = 'AA';
    source = createMllpSource({
      host: '127.0.0.1',
      port: 0,
      maxFrameBytes: 1_000_000,
      idleTimeoutMs: 0,
      logger: silent,
      accept: ({ bytes, remote }) => {
        const text = Buffer.from(bytes).toString();
        received.push({ text, remote });
        const controlId = text.split('|')[9] ?? '';
        if (code === 'CA, later AA') {
          const before = received.at(-2)?.text.split('|')[9];
          const acknowledge = (answer: string) =>
            Buffer.from(`MSH|^~\\&|EHR|B|LAB|A|20260101||ACK|X|P|2.5.1\rMSA|${answer}\r`);
          const accepted = acknowledge(`CA|${controlId}`);
          return Promise.resolve(
            before === undefined ? accepted : [acknowledge(`AA|${before}`), accepted],
          );
        }
        if (code === 'none') return Promise.resolve(undefined);
        const answer = code === 'other' ? 'MSA|AA|ANOTHER' : `MSA|${code}|${controlId}`;
        return Promise.resolve(
          Buffer.from(`MSH|^~\\&|EHR|B|LAB|A|20260101||ACK|X|P|2.5.1\r${answer}\r`),
        );
      },
    });
    await source.start();
  });

  afterEach(() => source.stop({ drainMs: 0 }));

  function write(name: string, content: string): string {
    const file = path.join(folder, name);
    writeFileSync(file, content);
    return file;
  }

  function send(...args: string[]): Promise<Finished> {
    const port = String(source.address!.port);
    return startCommand(['send', ...args], { HILUM_MLLP_PORT: port }).finished;
  }

  it('sends a file as it is and prints how it was answered', async () => {
    const { stdout, stderr, code: exit } = await send(write('one.hl7', build('C1')));
    expect(stdout).toMatch(
      /^AA C1 \d+\.\d ms\n1 message, 1 positive, [\d.]+ s, \d+\/s, p50 [\d.]+ ms, p99 [\d.]+ ms\n$/,
    );
    expect([exit, stderr]).toEqual([0, '']);
    expect(received.map(({ text }) => text)).toEqual([build('C1')]);
  });

  it('sends every message of every file, in order', async () => {
    const two = write('two.hl7', build('C2', '\n') + build('C3', '\n'));
    const framed = write('framed.hl7', `\x0b${build('C4')}\x1c\r`);
    const { stdout, code: exit } = await send(write('one.hl7', build('C1')), two, framed);
    expect(stdout.match(/^AA C\d/gm)).toEqual(['AA C1', 'AA C2', 'AA C3', 'AA C4']);
    expect(exit).toBe(0);
    expect(received[3]!.text).toBe(build('C4'));
  });

  it('repeats with control ids of their own, shared out evenly', async () => {
    const file = write('two.hl7', build('C1') + build('C2'));
    const { stdout, code: exit } = await send('--count', '20', '--connections', '4', file);
    expect(exit).toBe(0);
    expect(stdout).toContain('40 messages, 40 positive');
    const ids = received.map(({ text }) => text.split('|')[9]);
    expect(new Set(ids).size).toBe(40);
    expect(ids).toEqual(expect.arrayContaining(['C1', 'C2']));
    // Nothing but the control id is another.
    const others = received.map(({ text }) => text.replace(/\|[^|]*\|P\|/, '||P|'));
    expect(new Set(others)).toEqual(new Set([build('')]));
    const shares = Map.groupBy(received, ({ remote }) => remote);
    expect([...shares.values()].map((share) => share.length)).toEqual([10, 10, 10, 10]);
  });

  it('keeps to the rate', async () => {
    const file = write('one.hl7', build('C1'));
    const { stdout } = await send('--count', '6', '--rate', '20', '--connections', '2', file);
    const seconds = Number(/([\d.]+) s,/.exec(stdout)?.[1]);
    expect(seconds).toBeGreaterThanOrEqual(0.2);
  });

  it.each([
    ['AE', 1, /^AE C1 /],
    ['other', 1, /^AA C1 /],
  ])('exits 1 when the answer is %s', async (answer, exit, line) => {
    code = answer;
    const finished = await send(write('one.hl7', build('C1')));
    expect(finished.code).toBe(exit);
    expect(finished.stdout).toMatch(line);
    expect(finished.stdout).toContain('1 message, 0 positive');
  });

  it('does not take the application acknowledgment of a message for the answer to the next', async () => {
    code = 'CA, later AA';
    const finished = await send(
      write('three.hl7', ['C1', 'C2', 'C3'].map((id) => build(id)).join('')),
    );
    expect(finished).toMatchObject({ code: 0, stderr: '' });
    expect(finished.stdout).toMatch(/^CA C1 .*\nCA C2 .*\nCA C3 .*\n3 messages, 3 positive/);
  });

  it('sends what follows a message that got no answer, on a new connection', async () => {
    code = 'none';
    const finished = await send('--timeout-ms', '100', write('two.hl7', build('C1') + build('C2')));
    expect(finished.stdout).toMatch(/^-- C1 .*\n-- C2 /);
    expect(received.map(({ text }) => text.split('|')[9])).toEqual(['C1', 'C2']);
  });

  it('exits 2 when no answer comes, and says so', async () => {
    code = 'none';
    const finished = await send('--timeout-ms', '100', write('one.hl7', build('C1')));
    expect(finished.code).toBe(2);
    expect(finished.stdout).toMatch(/^-- C1 /);
    expect(finished.stderr).toContain('within 100 ms');
  });

  it('exits 2 when nobody listens, and says what was expected and what to do', async () => {
    const [port] = await findFreePorts(1);
    const finished = await send('--port', String(port), write('one.hl7', build('C1')));
    expect(finished).toMatchObject({ code: 2, stdout: '' });
    expect(finished.stderr).toMatch(/Expected an MLLP receiver at 127\.0\.0\.1:\d+.*npm start/);
  });

  it('sends the other files when one cannot be read, and exits 2', async () => {
    const finished = await send(path.join(folder, 'missing.hl7'), write('one.hl7', build('C1')));
    expect(finished.code).toBe(2);
    expect(finished.stdout).toMatch(/^AA C1 /);
    expect(finished.stderr).toContain('missing.hl7');
  });

  it('exits 1 when a file holds no message', async () => {
    const finished = await send(write('none.hl7', 'nothing here'));
    expect(finished.code).toBe(1);
    expect(received).toEqual([]);
  });

  it.each([
    ['--port', '0'],
    ['--count', '0'],
    ['--rate', 'fast'],
    ['--connections', '1.5'],
  ])('exits 2 at %s %s', async (...wrong) => {
    expect((await send(...wrong, write('one.hl7', build('C1')))).code).toBe(2);
  });
});
