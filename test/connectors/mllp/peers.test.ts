import { execFile, spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { createMllpDestination } from '../../../connectors/mllp/client.ts';
import { createMllpSource } from '../../../connectors/mllp/server.ts';
import type { MllpSource } from '../../../connectors/mllp/server.ts';
import { isAcknowledgment } from '../../../core/hl7v2/acknowledgment.ts';
import { readHeader } from '../../../core/hl7v2/header.ts';
import { acknowledge } from '../../../runtime/acknowledge.ts';
import { describeWith } from '../../support/programs.ts';
import { makeTempFolder } from '../../support/temp.ts';
import { buildEnvelope, senderDefinition } from './partner.ts';
import { createLogRecorder } from './peer.ts';

const script = path.resolve(import.meta.dirname, '../../support/mllp-peer-process.ts');
const processes: ChildProcessByStdio<Writable, Readable, null>[] = [];

/** A peer from npm in a process of its own. */
function startPeer(...args: readonly string[]) {
  return follow(spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'ignore'] }));
}

/** The lines that a peer prints; it ends with its test. */
function follow(child: ChildProcessByStdio<Writable, Readable, null>) {
  processes.push(child);
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  return {
    lines,
    exited: once(child, 'exit'),
    /** The first line that begins so. */
    line: async (start: string): Promise<string> => {
      for (;;) {
        const found = lines.find((line) => line.startsWith(start));
        if (found !== undefined) return found;
        await once(reader, 'line');
      }
    },
  };
}

afterEach(async () => {
  const ended = processes.splice(0).map(async (child) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.stdin.end();
    await once(child, 'exit');
  });
  await Promise.all(ended);
});

// hl7v2-net takes many seconds to load.
jest.setTimeout(120_000);

const count = 20;
const names = Array.from({ length: count }, (_, index) => `P${index + 1}`);

let source: MllpSource;
let received: string[];

/** Our server, which acknowledges every message. */
function useServer(): void {
  beforeEach(async () => {
    received = [];
    source = createMllpSource({
      host: '127.0.0.1',
      port: 0,
      maxFrameBytes: 1_000_000,
      idleTimeoutMs: 0,
      logger: createLogRecorder(),
      accept: ({ bytes }) => {
        const read = readHeader(bytes);
        if (!read.ok) return Promise.resolve(acknowledge(undefined, 'AR', read.issues, 0));
        // hl7v2-net acknowledges our acknowledgments, which nobody must answer: it would never end.
        if (isAcknowledgment(read.header)) return Promise.resolve(undefined);
        received.push(read.header.controlId);
        return Promise.resolve(acknowledge(read.header, 'AA', [], 0));
      },
    });
    await source.start();
  });

  afterEach(() => source.stop({ drainMs: 0 }));
}

/** Sends every message to the port with our client, one after the other. */
async function deliverAll(port: number): Promise<string[]> {
  const destination = createMllpDestination(
    { ...senderDefinition, port, timeoutMs: 10_000 },
    { logger: createLogRecorder() },
  );
  const kinds: string[] = [];
  for (const name of names) {
    const envelope = buildEnvelope(`${buildHeader(name)}\rPID|1\r`);
    kinds.push((await destination.deliver(envelope, new AbortController().signal)).kind);
  }
  await destination.close();
  return kinds;
}

function buildHeader(controlId: string): string {
  return `MSH|^~\\&|LAB|A|EHR|B|20260101120000||ORU^R01^ORU_R01|${controlId}|P|2.5.1`;
}

describe('our server', () => {
  useServer();

  it.each(['simple-hl7', 'node-hl7-client', '@medplum/hl7', 'hl7v2-net'])(
    'takes every message of %s once, in order, and each is answered',
    async (peer) => {
      const { lines, exited } = startPeer(
        peer,
        'send',
        String(source.address!.port),
        String(count),
      );
      await exited;
      expect(received).toEqual(names);
      expect(lines).toEqual(names.map((name) => `AA ${name}`));
      expect(source.counts().faults).toBe(0);
    },
  );
});

describe('our client', () => {
  it.each(['simple-hl7', '@medplum/hl7', 'hl7v2-net'])(
    'delivers every message to %s once, in order',
    async (peer) => {
      const { lines, line } = startPeer(peer, 'serve');
      const port = Number((await line('listening')).split(' ')[1]);
      expect(await deliverAll(port)).toEqual(names.map(() => 'delivered'));
      await line(`got P${count}`);
      expect(lines.filter((each) => each.startsWith('got'))).toEqual(
        names.map((name) => `got ${name}`),
      );
    },
  );
});

describeWith('mllp_send', 'python-hl7', (mllpSend) => {
  useServer();

  it('sends to our server, without the final CR, and each message is answered', async () => {
    const file = path.join(makeTempFolder('mllp-send'), 'messages.hl7');
    writeFileSync(file, names.map((name) => `${buildHeader(name)}\rPID|1\r\r\n`).join(''));
    const { stdout } = await promisify(execFile)(
      mllpSend,
      ['--loose', '-f', file, '-p', String(source.address!.port), '127.0.0.1'],
      { timeout: 20_000 },
    );
    expect(received).toEqual(names);
    for (const name of names) expect(stdout).toContain(`MSA|AA|${name}`);
  });

  it('takes every message of our client once, in order', async () => {
    // The interpreter of the distribution, which has the package.
    const child = spawn('/usr/bin/python3', ['-c', pythonServer], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const { lines, line } = follow(child);
    const port = Number((await line('listening')).split(' ')[1]);
    expect(await deliverAll(port)).toEqual(names.map(() => 'delivered'));
    await line(`got P${count}`);
    expect(lines.filter((each) => each.startsWith('got'))).toEqual(
      names.map((name) => `got ${name}`),
    );
  });
});

const pythonServer = `
import asyncio, sys
from hl7.mllp import start_hl7_server

async def serve(reader, writer):
    try:
        while not writer.is_closing():
            message = await reader.readmessage()
            print("got", message.segment("MSH")(10), flush=True)
            writer.writemessage(message.create_ack())
            await writer.drain()
    except asyncio.IncompleteReadError:
        writer.close()

async def main():
    server = await start_hl7_server(serve, host="127.0.0.1", port=0)
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

asyncio.run(main())
`;
