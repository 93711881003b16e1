import { connect } from 'node:net';
import path from 'node:path';
import { connectOwner, type OwnerClient } from '../../connectors/sqlite/client.ts';
import { openOwner, type Owner } from '../../connectors/sqlite/owner.ts';
import type { ListenerAcknowledgment, ListenerDefinition } from '../../core/interface.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { Edge } from '../../runtime/edge/edge.ts';
import type { EndpointState } from '../../runtime/process/messages.ts';
import { buildLabResult } from '../support/lab-results.ts';
import { readAnswer } from '../support/mllp.ts';
import { toPayload } from '../../runtime/payload.ts';
import { makeTempFolder } from '../support/temp.ts';

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const queue = 'in.listener';

let owner: Owner;
let stores: OwnerClient;
let edge: Edge;

beforeEach(async () => {
  const folder = makeTempFolder('acknowledgment');
  const socket = path.join(folder, 'owner.sock');
  owner = await openOwner({ file: path.join(folder, 'hilum.db'), socket, logger: silent });
  stores = await connectOwner({ socket, logger: silent });
});

afterEach(async () => {
  await edge.stop();
  await stores.close();
  await owner.close();
});

/** A listener as the edge runs it, with these settings; its port. */
async function listen(
  acknowledgment: Partial<ListenerAcknowledgment> = {},
  content: Pick<ListenerDefinition, 'acknowledge' | 'profile' | 'charset'> = {
    acknowledge: 'validated',
  },
): Promise<number> {
  const endpoints: EndpointState[] = [];
  edge = new Edge({
    broker: stores.broker,
    ledger: stores.ledger,
    logger: silent,
    clock: Date.now,
    listenAgainMs: 100,
    onEndpoint: (endpoint) => endpoints.push(endpoint),
  });
  const listener: ListenerDefinition = {
    kind: 'mllp',
    id: 'listener',
    interface: 'lab',
    label: 'Laboratory',
    host: '127.0.0.1',
    port: 0,
    ...content,
    acknowledgment: {
      mode: 'by-message',
      application: 'receiver',
      accepts: {},
      sequenceNumbers: 'ignored',
      ...acknowledgment,
    },
    queue,
    maxFrameBytes: 1_000_000,
    idleTimeoutMs: 0,
  };
  await edge.apply({
    listeners: [listener],
    senders: [],
    queues: [{ name: queue, interface: 'lab' }],
  });
  return Number(endpoints.at(-1)?.detail.split(':').at(-1));
}

/** Sends the messages on one connection, ends it, and gives everything that came back, frame by frame. */
function exchange(port: number, messages: readonly string[]): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', reject);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', () => {
      const frames = Buffer.concat(chunks).toString('utf8').split('\u001c\r').slice(0, -1);
      resolve(frames.map((frame) => frame.replace('\u000b', '')));
    });
    socket.end(messages.map((message) => `\u000b${message}\u001c\r`).join(''));
  });
}

const good = buildLabResult({ index: 1, patient: 1 });
const bad = good.replace('PID|1||', 'PID|1|||');

/** The message with MSH-13, MSH-15 and MSH-16. */
function asking(message: string, accept: string, application: string, sequence = ''): string {
  return message.replace('|2.5.1\r', `|2.5.1|${sequence}||${accept}|${application}\r`);
}

async function codes(port: number, ...messages: readonly string[]): Promise<string> {
  const answers = await exchange(port, messages);
  return answers.map((answer) => readAnswer(answer).split(' ')[0]).join(' ');
}

async function waiting(): Promise<number> {
  const depths = await stores.broker.depths();
  return depths.find((each) => each.queue === queue)?.ready ?? 0;
}

describe('a listener answers over its socket', () => {
  it.each([
    ['', '', 'AA', 'AE'],
    ['AL', 'NE', 'CA', 'CE'],
    ['NE', 'NE', '', ''],
    ['ER', 'NE', '', 'CE'],
    ['SU', 'NE', 'CA', ''],
    ['NE', 'AL', 'AA', 'AE'],
    ['NE', 'ER', '', 'AE'],
    ['NE', 'SU', 'AA', ''],
    ['AL', 'AL', 'CA AA', 'CE'],
    ['SU', 'ER', 'CA', 'AE'],
  ])(
    'MSH-15 "%s", MSH-16 "%s": "%s" when taken, "%s" when refused',
    async (accept, application, taken, refused) => {
      const port = await listen();
      expect(await codes(port, asking(good, accept, application))).toBe(taken);
      expect(await waiting()).toBe(1);
      expect(await codes(port, asking(bad, accept, application))).toBe(refused);
      expect(await waiting()).toBe(1);
    },
  );

  it('in the order of the messages, two for one and none for another', async () => {
    const port = await listen();
    const messages = [
      asking(good, 'AL', 'AL'),
      asking(good, 'NE', 'NE'),
      good,
      asking(bad, 'AL', 'AL'),
    ].map((message, at) => message.replace('LAB000001', `LAB00000${at}`));
    const answers = await exchange(port, messages);
    expect(answers.map(readAnswer)).toEqual([
      'CA LAB000000',
      'AA LAB000000',
      'AA LAB000002',
      'CE LAB000003',
    ]);
    const ids = answers.map((answer) => answer.split('|')[9]);
    expect(new Set(ids).size).toBe(4);
    const conditions = answers.map((answer) => (answer.split('\r')[0] ?? '').split('|').slice(14));
    expect(conditions).toEqual([['NE', 'NE'], ['NE', 'NE'], [], ['NE', 'NE']]);
  });

  it.each([
    ['original', 'AA AE'],
    ['enhanced', 'CA CE'],
    ['never', ''],
  ] as const)('as it is set to, whatever the message says: %s', async (mode, expected) => {
    const port = await listen({ mode });
    expect(await codes(port, asking(good, '', 'NE'), asking(bad, '', 'NE'))).toBe(expected);
    expect(await waiting()).toBe(1);
  });

  it('with the reasons when it takes no such message, and keeps it out of the flow', async () => {
    const port = await listen({
      accepts: {
        sendingApplications: ['OTHER'],
        messageTypes: ['ORU^R30'],
        processingIds: ['T'],
        versions: ['2.3'],
      },
    });
    const [answer = '', enhanced = ''] = await exchange(port, [good, asking(good, 'AL', 'NE')]);
    expect(readAnswer(answer)).toBe('AR LAB000001');
    expect(readAnswer(enhanced)).toBe('CR LAB000001');
    const errors = answer.split('\r').filter((line) => line.startsWith('ERR'));
    expect(errors.map((line) => line.split('|').slice(2, 4).join(' ').split('^HL7')[0])).toEqual([
      'MSH^1^3^1^1 103^Table value not found',
      'MSH^1^11^1^1 202^Unsupported processing id',
      'MSH^1^12^1^1 203^Unsupported version id',
      'MSH^1^9^1^2 201^Unsupported event code',
    ]);
    expect(await waiting()).toBe(0);
  });

  it.each(['received', 'validated'] as const)(
    'AR to two messages in one frame, once %s: the second would pass for a part of the first',
    async (acknowledge) => {
      const port = await listen({}, { acknowledge: acknowledge });
      const both = `${good}${good.replace('LAB000001', 'LAB000002')}`;
      const [answer = ''] = await exchange(port, [both]);
      expect(readAnswer(answer)).toBe('AR LAB000001');
      expect(answer).toContain('|100^Segment sequence error^HL70357|');
      expect(await waiting()).toBe(0);
    },
  );

  it('nothing to an acknowledgment, and to a response what that asks for', async () => {
    const port = await listen({}, { acknowledge: 'received' });
    const ack = 'MSH|^~\\&|LIS|T|H|E|2026||ACK^R01^ACK|X1|P|2.5.1|||AL|AL\rMSA|AA|M1\r';
    const response =
      'MSH|^~\\&|LIS|T|H|E|2026||RSP^K11^RSP_K11|X2|P|2.5.1|||AL|AL\rMSA|AA|M1\rQAK|1|NF\r';
    expect(await codes(port, ack)).toBe('');
    expect(await codes(port, response)).toBe('CA');
    expect(await codes(port, response.replace('|AL|AL', ''))).toBe('');
  });

  it('AA to the deferred response to a query: its sender waits for it', async () => {
    const port = await listen({}, { acknowledge: 'received' });
    const deferred =
      'MSH|^~\\&|LIS|T|H|E|2026||DSR^Q03|X1|P|2.3\rMSA|AA|M1\rQRD|2026|R|D|Q1|||10^RD|X|RES\rDSP|1||x\r';
    expect(await codes(port, deferred)).toBe('AA');
    expect(await codes(port, deferred.replace('Q03', 'Q01'))).toBe('');
  });
});

describe('a listener that checks sequence numbers', () => {
  const numbered = (number: number, id: string): string =>
    asking(good, '', '', String(number)).replace('LAB000001', id);

  it('answers with MSA-4 and takes each message once', async () => {
    const port = await listen({ sequenceNumbers: 'checked' });
    const link = 'MSH|^~\\&|LIS|TESTLAB|HILUM|EHR|2026||^|L0|P|2.5.1|0\r';
    const answers = await exchange(port, [
      link,
      numbered(7, 'A7'),
      numbered(8, 'A8'),
      numbered(8, 'A8'),
      numbered(10, 'A10'),
      numbered(9, 'A9'),
    ]);
    const seen = answers.map((answer) => {
      const msa = answer.split('\r')[1]?.split('|') ?? [];
      return `${msa[1]} ${msa[2]} ${msa[4]}`;
    });
    expect(seen).toEqual(['AA L0 -1', 'AA A7 7', 'AA A8 8', 'AA A8 9', 'AE A10 9', 'AA A9 9']);
    expect(await waiting()).toBe(3);
  });

  it('refuses content in a message that starts the link, which it would not store', async () => {
    const port = await listen({ sequenceNumbers: 'checked' });
    expect(await codes(port, numbered(0, 'A0'), numbered(-1, 'A1'), numbered(3, 'A3'))).toBe(
      'AE AE AA',
    );
    expect(await waiting()).toBe(1);
  });

  it('does not count what it refused, and keeps each sender’s numbers apart', async () => {
    const port = await listen({ sequenceNumbers: 'checked' });
    const other = numbered(1, 'B1').replace('|TESTLAB|HILUM', '|OTHERLAB|HILUM');
    const spoilt = numbered(5, 'A5').replace('PID|1||', 'PID|1|||');
    expect(await codes(port, numbered(4, 'A4'), other, spoilt, numbered(5, 'A5b'), good)).toBe(
      'AA AA AE AA AA',
    );
    expect(await waiting()).toBe(4);
  });
});

describe('a listener that knows better than its sender', () => {
  it('refuses what the profile does not allow', async () => {
    const port = await listen({}, { acknowledge: 'validated', profile: 'lab-results' });
    const [answer] = await exchange(port, [good.replace('^ORU_R01', '')]);
    expect(answer).toMatch(/\rMSA\|AE\|/);
    expect(answer).toContain('\rERR||MSH^1^9^1^3|101^');
    expect(await waiting()).toBe(0);
  });

  it('reads a message in the character set that it was told', async () => {
    const port = await listen({}, { acknowledge: 'received', charset: 'UNICODE UTF-8' });
    const lying = good
      .replace('|2.5.1\r', '|2.5.1||||||8859/1\r')
      .replace('Testperson', 'M\u00fcller');
    expect(await codes(port, lying)).toBe('AA');
    const controlId = /LAB\d+/.exec(good)?.[0] ?? '';
    const stored = await stores.ledger.read(controlId);
    expect(stored?.charset).toBe('UNICODE UTF-8');
    expect(stored && toPayload(stored).value).toBe(lying);
  });
});
