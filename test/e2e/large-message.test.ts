import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { functionNode, mllpIn, mllpOut, send, writeFlows } from '../support/flow-files.ts';
import { startHilum, type RunningHilum } from '../support/hilum.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { findFreePorts } from '../support/ports.ts';
import { startPostgres } from '../support/postgres.ts';
import { describeWith } from '../support/programs.ts';
import { startRabbit, type RabbitServer } from '../support/rabbitmq.ts';

const documentBytes = 5 * 1024 * 1024;

/** A lab result with a document of 5 MB in its last segment, as base64. */
function buildWithDocument(index: number): Buffer {
  const base64 = randomBytes(Math.ceil((documentBytes * 3) / 4)).toString('base64');
  const document = `OBX|9|ED|11502-2^Laboratory report^LN||LAB^Application^PDF^Base64^${base64}||||||F`;
  return Buffer.from(`${buildLabResult({ index, patient: index })}${document}\r`);
}

/** Takes one frame, answers it, and resolves `frame` with what is between its first and last bytes. */
function openReceiver(controlId: string): {
  readonly server: Server;
  readonly frame: Promise<Buffer>;
} {
  const got = Promise.withResolvers<Buffer>();
  const server = createServer((socket) => {
    const chunks: Buffer[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (!chunk.includes(0x1c)) return;
      got.resolve(Buffer.concat(chunks).subarray(1, -2));
      socket.write(`\x0bMSH|^~\\&|||||||ACK|1|P|2.5.1\rMSA|AA|${controlId}\r\x1c\r`);
    });
  }).listen(0, '127.0.0.1');
  return { server, frame: got.promise };
}

async function carry(index: number, env: Readonly<Record<string, string>>): Promise<void> {
  const { server, frame } = openReceiver(controlIdOf(index));
  await once(server, 'listening');
  const { port: partner } = server.address() as AddressInfo;
  const [listener = 0] = await findFreePorts(1);
  let hilum: RunningHilum | undefined;
  try {
    hilum = await startHilum({
      ...env,
      HILUM_DEMO: 'off',
      HILUM_FLOWS: writeFlows({
        lab: [
          mllpIn('lab-in', listener, 'lab-do'),
          functionNode('lab-do', 'msg.large = msg.payload.length; return msg;', 'lab-out'),
          mllpOut('lab-out', partner),
        ],
      }),
    });
    const message = buildWithDocument(index);
    expect(await send(listener, message)).toBe(`AA ${controlIdOf(index)}`);
    const received = await frame;
    expect(received.length).toBe(message.length);
    expect(received.equals(message)).toBe(true);
  } finally {
    await hilum?.stop();
    server.close();
  }
}

it('a message with a document of 5 MB passes a flow byte for byte, with the embedded broker', async () => {
  await carry(1, {});
}, 120_000);

describeWith('rabbitmq-server', 'with RabbitMQ', () => {
  let rabbit: RabbitServer;

  beforeAll(async () => {
    rabbit = await startRabbit();
  }, 150_000);

  afterAll(async () => {
    await rabbit.stop();
  });

  it('a message with a document of 5 MB passes a flow byte for byte', async () => {
    await carry(2, { RABBITMQ_URL: rabbit.url });
  }, 120_000);

  describeWith('postgres', 'and the ledger in PostgreSQL, where its body is', () => {
    it('passes byte for byte too', async () => {
      const postgres = await startPostgres();
      try {
        const url = await postgres.createDatabase();
        await carry(3, { RABBITMQ_URL: rabbit.url, HILUM_LEDGER_URL: url });
      } finally {
        await postgres.stop();
      }
    }, 120_000);
  });
});
