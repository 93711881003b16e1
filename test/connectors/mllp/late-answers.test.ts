import type { Socket } from 'node:net';
import { createMllpDestination } from '../../../connectors/mllp/client.ts';
import type { MllpSenderDefinition } from '../../../core/interface.ts';
import { buildAnswer, buildEnvelope, says, senderDefinition, startPartner } from './partner.ts';
import { createLogRecorder } from './peer.ts';

const log = createLogRecorder();
let partner: Awaited<ReturnType<typeof startPartner>>;
let destination: ReturnType<typeof createMllpDestination>;
/** What the partner has not answered yet. */
let open: { readonly controlId: string; readonly socket: Socket }[];

beforeEach(async () => {
  log.lines.length = 0;
  open = [];
  partner = await startPartner((controlId, socket) => void open.push({ controlId, socket }));
  start({});
});

afterEach(async () => {
  await destination.close();
  await partner.stop();
});

function start(rest: Partial<MllpSenderDefinition>): void {
  const definition = { ...senderDefinition, port: partner.port, timeoutMs: 100, ...rest };
  destination = createMllpDestination(definition, { logger: log });
}

const deliver = (envelope = buildEnvelope()) =>
  destination.deliver(envelope, new AbortController().signal);

function answerLate(code: string, index = 0): void {
  const { controlId, socket } = open[index]!;
  socket.write(buildAnswer(code, controlId));
}

describe('an acknowledgment that comes after its time', () => {
  it.each([
    ['AA', 'delivered'],
    ['AE', 'permanent'],
  ])('%s is the outcome of the next attempt, which sends nothing', async (code, kind) => {
    const envelope = buildEnvelope();
    expect((await deliver(envelope)).kind).toBe('ambiguous');
    answerLate(code);
    const line = await log.line('came after its time');
    expect(line).toContain(open[0]!.controlId);
    expect(line).toContain(`"code":"${code}"`);
    const outcome = await deliver(envelope);
    expect(outcome.kind).toBe(kind);
    expect(Buffer.from(outcome.answer!.body).toString()).toContain(`MSA|${code}|`);
    expect(partner.received()).toBe(1);
  });

  it('that lets it be sent again (AR) does so', async () => {
    const envelope = buildEnvelope();
    await deliver(envelope);
    answerLate('AR');
    await log.line('came after its time');
    partner.answerWith(says('AA'));
    expect((await deliver(envelope)).kind).toBe('delivered');
    expect(partner.received()).toBe(2);
  });

  it('counts once: a third attempt is sent', async () => {
    const envelope = buildEnvelope();
    await deliver(envelope);
    answerLate('AA');
    await log.line('came after its time');
    await deliver(envelope);
    partner.answerWith(says('AE'));
    expect((await deliver(envelope)).kind).toBe('permanent');
    expect(partner.received()).toBe(2);
  });

  it('never counts for another message', async () => {
    await deliver();
    answerLate('AA');
    await log.line('came after its time');
    partner.answerWith(says('AE'));
    expect((await deliver()).kind).toBe('permanent');
    expect(partner.received()).toBe(2);
  });

  it('for a control id that was never asked is passed over', async () => {
    const envelope = buildEnvelope();
    await deliver(envelope);
    const { socket } = open[0]!;
    socket.write(buildAnswer('AA', 'C-OF-ANOTHER'));
    answerLate('AA');
    await log.line('came after its time');
    expect(log.lines.join()).not.toContain('C-OF-ANOTHER');
    expect((await deliver(envelope)).kind).toBe('delivered');
  });

  it('is not waited for on a connection that the next message needs: one at a time stays one', async () => {
    await deliver();
    const [first] = partner.sockets;
    partner.answerWith(says('AA'));
    expect((await deliver()).kind).toBe('delivered');
    await partner.gone(first!);
    expect(partner.sockets.size).toBe(1);
  });

  it('is waited for no longer than its grace', async () => {
    await deliver();
    const [first] = partner.sockets;
    await partner.gone(first!);
    expect(partner.connected()).toBe(1);
  });

  it('of several messages at a time goes to each its own', async () => {
    await destination.close();
    start({ concurrency: 3, timeoutMs: 300 });
    const envelopes = [buildEnvelope(), buildEnvelope(), buildEnvelope()];
    const outcomes = await Promise.all(envelopes.map((envelope) => deliver(envelope)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['ambiguous', 'ambiguous', 'ambiguous']);
    const codeOf = (body: Uint8Array) => {
      const controlId = Buffer.from(body).toString().split('|')[9];
      return envelopes.findIndex((each) =>
        Buffer.from(each.body).toString().includes(`|${controlId}|`),
      ) === 1
        ? 'AE'
        : 'AA';
    };
    for (const { controlId, socket } of open) {
      const envelope = envelopes.find((each) =>
        Buffer.from(each.body).toString().includes(`|${controlId}|`),
      )!;
      socket.write(buildAnswer(codeOf(envelope.body), controlId));
    }
    while (log.lines.filter((line) => line.includes('came after its time')).length < 3) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const again = await Promise.all(envelopes.map((envelope) => deliver(envelope)));
    expect(again.map(({ kind }) => kind)).toEqual(['delivered', 'permanent', 'delivered']);
    expect(partner.received()).toBe(3);
  });
});

describe('connections', () => {
  it.each([
    ['kept', 1],
    ['one-per-message', 3],
  ] as const)('that are %s: %d for three messages', async (connections, expected) => {
    await destination.close();
    start({ connections });
    partner.answerWith(says('AA'));
    for (let count = 0; count < 3; count += 1) expect((await deliver()).kind).toBe('delivered');
    expect(partner.connected()).toBe(expected);
  });
});
