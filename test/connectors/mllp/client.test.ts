import { createMllpDestination, openMllpClient } from '../../../connectors/mllp/client.ts';
import type { Outcome } from '../../../core/outcome.ts';
import { describeDestination } from '../../contract/destination.ts';
import type { PartnerBehaviour } from '../../contract/destination.ts';
import {
  buildAnswer,
  buildEnvelope,
  buildMessage,
  says,
  senderDefinition,
  startPartner,
} from './partner.ts';
import type { Answerer } from './partner.ts';
import { createLogRecorder } from './peer.ts';

const behaviours: Readonly<Record<PartnerBehaviour, Answerer>> = {
  accepts: says('AA'),
  refuses: says('AE'),
  'is busy': says('AR'),
  'is silent': () => undefined,
  'breaks off': (_controlId, socket) => void socket.resetAndDestroy(),
  babbles: (_controlId, socket) => void socket.write('\x0bwhat?\x1c\r'),
};

const definition = { ...senderDefinition, concurrency: 3 };

describeDestination('MLLP', {
  contentType: 'application/hl7-v2',
  async open() {
    const partner = await startPartner(behaviours.accepts);
    const logger = createLogRecorder();
    return {
      destination: createMllpDestination({ ...definition, port: partner.port }, { logger }),
      concurrency: definition.concurrency,
      behave: (behaviour) => partner.answerWith(behaviours[behaviour]),
      received: partner.received,
      connections: () => partner.sockets.size,
      stopPartner: partner.stop,
      body: buildMessage,
      close: partner.stop,
    };
  },
});

describe('MLLP destination', () => {
  let partner: Awaited<ReturnType<typeof startPartner>>;
  let destination: ReturnType<typeof createMllpDestination>;

  beforeEach(async () => {
    partner = await startPartner(behaviours.accepts);
    const options = { ...definition, port: partner.port, concurrency: 1 };
    destination = createMllpDestination(options, { logger: createLogRecorder() });
  });

  afterEach(async () => {
    await destination.close();
    await partner.stop();
  });

  function deliver(): Promise<Outcome> {
    return destination.deliver(buildEnvelope(), new AbortController().signal);
  }

  it.each([
    ['AA', 'delivered'],
    ['CA', 'delivered'],
    ['AE', 'permanent'],
    ['CE', 'permanent'],
    ['AR', 'transient'],
    ['CR', 'transient'],
    ['ZZ', 'ambiguous'],
  ])('takes %s as %s and keeps the answer', async (code, kind) => {
    partner.answerWith(says(code));
    const outcome = await deliver();
    expect(outcome.kind).toBe(kind);
    expect(Buffer.from(outcome.answer!.body).toString()).toContain(`MSA|${code}|`);
  });

  it('passes over an answer for another message and takes its own', async () => {
    partner.answerWith((controlId, socket) => {
      socket.write(buildAnswer('AE', 'C-OF-ANOTHER'));
      socket.write(buildAnswer('AA', controlId));
    });
    expect((await deliver()).kind).toBe('delivered');
  });

  it('never credits an answer for another message: ambiguous, and it says so', async () => {
    partner.answerWith(
      (_controlId, socket) => void socket.write(buildAnswer('AA', 'C-OF-ANOTHER')),
    );
    const outcome = await deliver();
    expect(outcome.kind).toBe('ambiguous');
    expect(JSON.stringify(outcome)).toContain('other control ids');
  });

  it('does not take a late answer for that of the next message', async () => {
    const late: (() => void)[] = [];
    partner.answerWith((controlId, socket) =>
      late.push(() => socket.write(buildAnswer('AA', controlId))),
    );
    expect((await deliver()).kind).toBe('ambiguous');
    partner.answerWith((controlId, socket) => {
      late.forEach((send) => send());
      socket.write(buildAnswer('AE', controlId));
    });
    expect((await deliver()).kind).toBe('permanent');
  });

  it('does not take the application acknowledgment behind CA for that of the next message', async () => {
    partner.answerWith((controlId, socket) => {
      socket.write(buildAnswer('CA', controlId) + buildAnswer('AA', controlId));
    });
    expect((await deliver()).kind).toBe('delivered');
    partner.answerWith(says('CE'));
    expect((await deliver()).kind).toBe('permanent');
  });

  it('connects anew after the partner has closed an idle connection', async () => {
    await deliver();
    const [socket] = partner.sockets;
    const closed = new Promise((resolve) => socket!.once('close', resolve));
    socket!.end();
    await closed;
    expect((await deliver()).kind).toBe('delivered');
  });

  it('says where nobody listens and what to do', async () => {
    await partner.stop();
    const outcome = await deliver();
    const text = JSON.stringify(outcome);
    expect(text).toContain(`127.0.0.1:${partner.port}`);
    expect(text).toContain('refused');
  });
});

describe('MLLP client', () => {
  let partner: Awaited<ReturnType<typeof startPartner>>;

  beforeEach(async () => {
    partner = await startPartner(behaviours.accepts);
  });

  afterEach(() => partner.stop());

  it('gives every answer to its message when several are on their way', async () => {
    const client = await openMllpClient({ host: '127.0.0.1', port: partner.port });
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const message = buildMessage();
        const answer = Buffer.from(await client.send(Buffer.from(message))).toString();
        return answer.includes(`MSA|AA|${message.split('|')[9] ?? ''}\r`);
      }),
    );
    expect(answers).toEqual(answers.map(() => true));
    client.close();
  });

  it('rejects as transient when nobody listens', async () => {
    await partner.stop();
    const opening = openMllpClient({ host: '127.0.0.1', port: partner.port });
    await expect(opening).rejects.toMatchObject({ errorClass: 'transient' });
  });

  it('rejects as ambiguous what was sent before the connection broke, as transient what came after', async () => {
    partner.answerWith(behaviours['breaks off']);
    const client = await openMllpClient({ host: '127.0.0.1', port: partner.port });
    const sending = client.send(Buffer.from(buildMessage()));
    await expect(sending).rejects.toMatchObject({ errorClass: 'ambiguous' });
    const second = client.send(Buffer.from(buildMessage()));
    await expect(second).rejects.toMatchObject({ errorClass: 'transient' });
  });

  it('rejects as ambiguous when the answer does not come in time', async () => {
    partner.answerWith(behaviours['is silent']);
    const options = { host: '127.0.0.1', port: partner.port, timeoutMs: 50 };
    const client = await openMllpClient(options);
    const sending = client.send(Buffer.from(buildMessage()));
    await expect(sending).rejects.toMatchObject({ errorClass: 'ambiguous' });
    // So that whoever sends the next message connects anew, at once.
    expect(client.isOpen).toBe(false);
  });
});
