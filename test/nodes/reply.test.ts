import { defaults, toResponse } from '../../nodes/hl7-reply/definition.ts';
import registerReply from '../../nodes/hl7-reply/runtime.ts';
import { contributors } from '../../nodes/definitions.ts';
import { startNode, stopNode } from './node-red.ts';
import { RecordingRuntime } from './recording-runtime.ts';

const config = { ...defaults, type: 'hl7 reply' };
const payload = 'MSH|^~\\&|A|B|C|D|2026||ORL^O22|1|P|2.5.1\rMSA|AA|7\r';

afterEach(stopNode);

describe('hl7 reply', () => {
  it('answers with the payload, shows what was answered, and passes the message on', async () => {
    const hilum = new RecordingRuntime();
    hilum.outcome = { kind: 'answered', answer: 'ORL^O22 AA' };
    const flow = await startNode(registerReply, config, { outputs: 1, hilum });
    expect(await flow.handle({ payload })).toBeUndefined();
    expect(hilum.replies).toEqual([{ kind: 'payload' }]);
    expect(flow.status()).toMatchObject({ fill: 'green', text: 'ORL^O22 AA' });
    expect(flow.received(1)).toMatchObject([{ payload }]);
  });

  it.each(['unawaited', 'repeated'] as const)(
    'says so where it is %s, and fails nothing',
    async (kind) => {
      const hilum = new RecordingRuntime();
      hilum.outcome = { kind };
      const flow = await startNode(registerReply, config, { outputs: 1, hilum });
      expect(await flow.handle({ payload })).toBeUndefined();
      expect(flow.status()).toMatchObject({ fill: 'yellow', text: `hl7-reply.${kind}.status` });
      expect(flow.received(1)).toHaveLength(1);
    },
  );

  it('fails for good on a code that is none', async () => {
    const hilum = new RecordingRuntime();
    const made = { ...config, answer: 'acknowledgment' };
    const flow = await startNode(registerReply, made, { outputs: 1, hilum });
    expect(await flow.handle({ payload, reply: { code: 'OK' } })).toMatchObject({
      errorClass: 'permanent',
      issues: [{ code: 'reply-code-invalid' }],
    });
    expect(hilum.replies).toEqual([]);
    expect(flow.status()).toMatchObject({ fill: 'red', text: 'reply-code-invalid' });
  });

  it('fails where the runtime does, and in a stock Node-RED', async () => {
    const hilum = new RecordingRuntime();
    hilum.failure = new Error('away');
    const failing = await startNode(registerReply, config, { outputs: 1, hilum });
    expect(await failing.handle({ payload })).toMatchObject({ message: 'away' });
    await stopNode();
    const stock = await startNode(registerReply, config, { outputs: 1 });
    expect(await stock.handle({ payload })).toMatchObject({
      issues: [{ code: 'runtime-missing' }],
    });
  });

  it.each([
    [{}, undefined, { code: 'AA', type: 'general' }],
    [{ code: 'AR', text: ' No ' }, null, { code: 'AR', text: 'No', type: 'general' }],
    [
      { code: 'AA', text: 'x' },
      { code: 'AE', text: 'y' },
      { code: 'AE', text: 'y', type: 'general' },
    ],
    [{ responseType: 'standard' }, { text: 7 }, { code: 'AA', type: 'standard' }],
  ] as const)('makes of the form %j and msg.reply %j: %j', (form, reply, response) => {
    const made = { ...defaults, answer: 'acknowledgment', ...form } as const;
    expect(toResponse(made, reply)).toEqual({ kind: 'acknowledgment', ...response });
  });

  it('is refused at a deploy where a choice is none', () => {
    const context = { interface: 'tab', defaults: { bind: '127.0.0.1' }, env: {} };
    const node = { id: 'n', type: 'hl7 reply', code: 'CA' };
    expect(contributors['hl7 reply']?.(node, context).issues).toMatchObject([
      { code: 'choice-invalid', location: 'n' },
    ]);
  });
});
