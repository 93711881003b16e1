import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { connectRaw } from '../connectors/mllp/peer.ts';
import { makeAuthority, type Issued } from '../support/certificates.ts';
import { makeTempFolder } from '../support/temp.ts';
import { startCommand } from './process.ts';
import type { HilumCommand } from './process.ts';

const message = 'MSH|^~\\&|LAB|A|EHR|B|20260101||ORU^R01^ORU_R01|C1|P|2.5.1\rPID|1\r';

describe('hilum listen', () => {
  let command: HilumCommand | undefined;

  afterEach(async () => {
    command?.kill('SIGKILL');
    await command?.finished;
  });

  async function listen(...args: string[]) {
    command = startCommand(['listen', '--port', '0', ...args]);
    const [, port] = await command.printed(/listening for MLLP on 127\.0\.0\.1:(\d+)/);
    return { command, peer: await connectRaw({ host: '127.0.0.1', port: Number(port) }) };
  }

  it.each(['AA', 'AE', 'AR'])(
    'answers %s, prints the control id, and ends at SIGTERM',
    async (code) => {
      const { command, peer } = await listen('--reply', code);
      peer.send(message);
      const answer = await peer.answer();
      expect(answer).toContain(`MSA|${code}|C1\r`);
      expect(answer).toMatch(/^MSH\|\^~\\&\|EHR\|B\|LAB\|A\|/);
      command.kill('SIGTERM');
      expect(await command.finished).toMatchObject({ code: 0, stdout: 'C1\n' });
    },
  );

  it('answers nothing when told so, and ends at Ctrl-C', async () => {
    const { command, peer } = await listen('--reply', 'none');
    peer.send(message);
    await command.printed(/^C1$/m);
    command.kill('SIGINT');
    await expect(peer.answer()).rejects.toThrow('closed');
    expect((await command.finished).code).toBe(0);
  });

  it('answers later by --delay-ms', async () => {
    const { peer } = await listen('--delay-ms', '150');
    const startedAt = performance.now();
    peer.send(message);
    await peer.answer();
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(149);
  });

  it('speaks TLS with hilum send, each shows a certificate, and says what is wrong with one', async () => {
    const folder = makeTempFolder('listen');
    const authority = await makeAuthority(folder, 'Hospital');
    const [server, client, other] = await Promise.all([
      authority.issue({ name: 'receiver', dns: ['localhost'] }),
      authority.issue({ name: 'sender' }),
      makeAuthority(folder, 'Other'),
    ]);
    const optionsOf = ({ files }: Issued) => [
      '--certificate',
      files.certificate,
      '--key',
      files.key,
    ];
    const trust = ['--authorities', authority.file];
    command = startCommand(['listen', '--port', '0', ...optionsOf(server), ...trust]);
    const [, port = ''] = await command.printed(
      /listening for MLLP over TLS on 127\.0\.0\.1:(\d+)/,
    );
    const file = path.join(folder, 'message.hl7');
    writeFileSync(file, message);
    const send = (...args: string[]) =>
      startCommand(['send', file, '--port', port, '--server-name', 'localhost', ...args]).finished;
    expect(await send(...trust, ...optionsOf(client))).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^AA C1 /) as string,
    });
    expect(await send(...trust)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/wants one|certificate/) as string,
    });
    expect(await send('--authorities', other.file)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('an authority that is not trusted') as string,
    });
    expect(await send('--key', client.files.key)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--certificate and --key together') as string,
    });
  });

  it('answers AR to what is no HL7, and nothing to an acknowledgment', async () => {
    const { peer } = await listen();
    peer.send('hello');
    expect(await peer.answer()).toContain('MSA|AR|');
    peer.send(message.replace('ORU^R01^ORU_R01', 'ACK^R01^ACK'));
    peer.send(message.replace('|C1|', '|C2|'));
    expect(await peer.answer()).toContain('MSA|AA|C2');
    peer.close();
  });

  it('exits 2 at an unknown reply', async () => {
    command = startCommand(['listen', '--reply', 'maybe']);
    expect((await command.finished).code).toBe(2);
  });
});
