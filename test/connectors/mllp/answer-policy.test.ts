import { createMllpDestination } from '../../../connectors/mllp/client.ts';
import type { MllpConnection } from '../../../connectors/mllp/connection.ts';
import { exchange } from '../../../connectors/mllp/exchange.ts';
import { defaultAnswerPolicy } from '../../../core/hl7v2/acknowledgment-outcome.ts';
import type { AnswerPolicy } from '../../../core/hl7v2/acknowledgment-settings.ts';
import { readHeader } from '../../../core/hl7v2/header.ts';
import type { Outcome } from '../../../core/outcome.ts';
import type { Answerer } from './partner.ts';
import { buildAnswer, buildEnvelope, says, senderDefinition, startPartner } from './partner.ts';
import { createLogRecorder } from './peer.ts';

/** One delivery to a partner that answers so, and what became of it. */
async function deliver(answers: Answerer, policy: Partial<AnswerPolicy>): Promise<Outcome> {
  const partner = await startPartner(answers);
  const acknowledgment = { ...defaultAnswerPolicy, ...policy };
  const definition = { ...senderDefinition, port: partner.port, acknowledgment };
  const destination = createMllpDestination(definition, { logger: createLogRecorder() });
  const outcome = await destination.deliver(buildEnvelope(), new AbortController().signal);
  await destination.close();
  await partner.stop();
  return outcome;
}

const inTwoSteps =
  (...codes: readonly string[]): Answerer =>
  (controlId, socket) => {
    for (const code of codes) socket.write(buildAnswer(code, controlId));
  };

describe('a sender takes a refusal as it is told', () => {
  it.each([
    ['AE', {}, 'permanent'],
    ['AE', { onError: 'retry' }, 'transient'],
    ['CE', { onError: 'retry' }, 'transient'],
    ['AR', {}, 'transient'],
    ['AR', { onReject: 'dead-letter' }, 'permanent'],
    ['CR', { onReject: 'dead-letter' }, 'permanent'],
  ] as const)('%s with %j: %s', async (code, policy, expected) => {
    expect((await deliver(says(code), policy)).kind).toBe(expected);
  });
});

describe('a sender that awaits the application', () => {
  const awaits = { awaits: 'application' } as const;

  it.each([
    ['CA then AA', ['CA', 'AA'], 'delivered'],
    ['CA then AE', ['CA', 'AE'], 'permanent'],
    ['CA then AR', ['CA', 'AR'], 'transient'],
    ['AA alone', ['AA'], 'delivered'],
    ['CR alone', ['CR'], 'transient'],
  ] as const)('%s', async (_name, codes, expected) => {
    const outcome = await deliver(inTwoSteps(...codes), awaits);
    expect(outcome.kind).toBe(expected);
    expect(Buffer.from(outcome.answer!.body).toString()).toContain(`MSA|${codes.at(-1)}|`);
  });

  it('does not send again what was accepted, though nothing more is heard', async () => {
    const expected = { kind: 'permanent', issues: [{ code: 'application-answer-missing' }] };
    expect(await deliver(says('CA'), awaits)).toMatchObject(expected);
    const breaksOff: Answerer = (controlId, socket) => socket.end(buildAnswer('CA', controlId));
    expect(await deliver(breaksOff, awaits)).toMatchObject(expected);
  });

  it('that is stopped leaves it at the acceptance', async () => {
    const stopping = new AbortController();
    const { body } = buildEnvelope();
    const read = readHeader(body);
    if (!read.ok) throw new Error('no header');
    const connection: MllpConnection = {
      isOpen: true,
      onMessage: undefined,
      onClose: undefined,
      write() {
        connection.onMessage?.(Buffer.from(buildAnswer('CA', read.header.controlId).slice(1, -2)));
        stopping.abort();
      },
      commit: () => undefined,
      end: () => undefined,
      destroy: () => undefined,
    };
    const { outcome } = await exchange(connection, {
      body,
      header: read.header,
      policy: { ...defaultAnswerPolicy, ...awaits },
      timeoutMs: 400,
      where: 'a partner',
      signal: stopping.signal,
    });
    expect(outcome.kind).toBe('delivered');
  });
});
