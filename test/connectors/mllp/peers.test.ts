import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { createMllpDestination } from '../../../connectors/mllp/client.ts';
import { createMllpSource } from '../../../connectors/mllp/server.ts';
import type { MllpSource } from '../../../connectors/mllp/server.ts';
import { isAcknowledgment } from '../../../core/hl7v2/acknowledgment.ts';
import { readHeader } from '../../../core/hl7v2/header.ts';
import { acknowledge } from '../../../runtime/acknowledge.ts';
import { buildEnvelope, senderDefinition } from './partner.ts';
import { createLogRecorder } from './peer.ts';

const script = path.resolve(import.meta.dirname, '../../support/mllp-peer-process.ts');
const processes: ChildProcessByStdio<Writable, Readable, null>[] = [];

/** A peer's process and the lines that it prints. */
function startPeer(...args: readonly string[]) {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'ignore'] });
  processes.push(child);
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  return {
    lines,
    exited: once(child, 'exit'),
    /** The first line that begins so. */
    async line(start: string): Promise<string> {
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

describe('our server', () => {
  let source: MllpSource;
  let received: string[];

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
      const destination = createMllpDestination(
        { ...senderDefinition, port, timeoutMs: 10_000 },
        { logger: createLogRecorder() },
      );
      for (const name of names) {
        const body = `MSH|^~\\&|LAB|A|EHR|B|20260101120000||ORU^R01^ORU_R01|${name}|P|2.5.1\rPID|1\r`;
        const outcome = await destination.deliver(
          buildEnvelope(body),
          new AbortController().signal,
        );
        expect(outcome.kind).toBe('delivered');
      }
      await destination.close();
      await line(`got P${count}`);
      expect(lines.filter((each) => each.startsWith('got'))).toEqual(
        names.map((name) => `got ${name}`),
      );
    },
  );
});
