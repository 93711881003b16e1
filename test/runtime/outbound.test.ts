import type { Envelope } from '../../core/envelope.ts';
import { HilumError } from '../../core/errors.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { toFailure } from '../../runtime/flow/failure.ts';
import { buildOutbound, type InFlow } from '../../runtime/flow/outbound.ts';
import { newId } from '../../runtime/ids.ts';
import { toPayload } from '../../runtime/payload.ts';
import { backoffMs, decideFlow } from '../../runtime/retry-policy.ts';

const nowMs = Date.UTC(2026, 10, 23, 8);
const latin = Buffer.from(
  'MSH|^~\\&|A|B|C|D|20261123||ADT^A01^ADT_A01|1|P|2.5.1||||||8859/1\rPID|||1||M\xfcller\r',
  'latin1',
);

function inFlowOf(body: Uint8Array, contentType = 'application/hl7-v2', charset?: string): InFlow {
  const id = newId(nowMs);
  const envelope: Envelope = {
    id,
    interface: 'lab',
    contentType,
    messageType: 'ADT^A01^ADT_A01',
    controlId: '1',
    key: '1',
    ...(charset === undefined ? {} : { charset }),
    correlationId: id,
    receivedAt: '2026-11-23T08:00:00.000Z',
    attempt: 1,
    body,
  };
  return { envelope, payload: toPayload(envelope), redelivered: false };
}

const build = (message: FlowMessage, inFlow: InFlow, ordinal = 1) =>
  buildOutbound(message, { nodeId: 'out', inFlow, ordinal, nowMs });

describe('an outbound message', () => {
  const inFlow = inFlowOf(latin);
  const payload = inFlow.payload.value;

  it('that nobody edited is the very bytes that came in', () => {
    expect(payload).toContain('Müller');
    expect(build({ payload }, inFlow).body).toBe(inFlow.envelope.body);
  });

  it('that was edited is written in the character set it came in', () => {
    const edited = String(payload).replace('Müller', 'Jäger');
    const { body } = build({ payload: edited }, inFlow);
    expect(Buffer.from(body).toString('latin1')).toBe(
      latin.toString('latin1').replace('M\xfcller', 'J\xe4ger'),
    );
  });

  it('that was edited is written in what the listener says it is in', () => {
    // MSH-18 says 8859/1; the sender means Windows-1252, where 0x80 is the euro sign.
    const bytes = Buffer.concat([latin, Buffer.from('ZZZ|\x80\r', 'latin1')]);
    const cameAs1252 = inFlowOf(bytes, 'application/hl7-v2', 'WINDOWS-1252');
    const text = String(cameAs1252.payload.value);
    expect(text).toContain('ZZZ|\u20ac\r');
    const { body } = build({ payload: text.replace('M\u00fcller', '\u20ac') }, cameAs1252);
    expect(Buffer.from(body).toString('latin1')).toBe(
      bytes.toString('latin1').replace('M\xfcller', '\x80'),
    );
  });

  it('whose character set was changed is written in the new one', () => {
    const edited = String(payload).replace('8859/1', 'UNICODE UTF-8');
    expect(Buffer.from(build({ payload: edited }, inFlow).body).toString('utf8')).toBe(edited);
  });

  it('is refused where its character set has not the character', () => {
    expect(() => build({ payload: `${String(payload)}ZZZ|€\r` }, inFlow)).toThrow(HilumError);
  });

  it('has the same id when the flow is run again, another one from another node or place', () => {
    const id = (nodeId: string, ordinal: number) =>
      buildOutbound({ payload }, { nodeId, inFlow, ordinal, nowMs: nowMs + ordinal }).id;
    expect(id('out', 1)).toBe(id('out', 1));
    expect(new Set([id('out', 1), id('out', 2), id('other', 1)]).size).toBe(3);
    expect(id('out', 1)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(id('out', 1).slice(0, 13)).toBe(inFlow.envelope.id.slice(0, 13));
  });

  it('knows where it is from, and what it is', () => {
    const bundle = build(
      { payload: '{"resourceType":"Bundle"}', contentType: 'application/fhir+json' },
      inFlow,
    );
    expect(bundle).toMatchObject({
      messageType: 'Bundle',
      contentType: 'application/fhir+json',
      controlId: '1',
      key: '1',
      causationId: inFlow.envelope.id,
      correlationId: inFlow.envelope.correlationId,
      attempt: 1,
    });
    expect(Buffer.from(bundle.body).toString()).toBe('{"resourceType":"Bundle"}');
  });

  it.each([
    ['MSH|^~\\&|A', 'application/hl7-v2'],
    ['{"resourceType":"Patient"}', 'application/fhir+json'],
    [{ resourceType: 'Patient' }, 'application/fhir+json'],
    ['[1, 2]', 'application/json'],
    [{ a: 1 }, 'application/json'],
    ['words', 'text/plain'],
    [Buffer.from('x'), 'application/octet-stream'],
  ])('that a function replaced by %p is %s', (payload, contentType) => {
    expect(build({ payload }, inFlow).contentType).toBe(contentType);
  });

  it('of bytes that are no text stays bytes', () => {
    const binary = inFlowOf(Buffer.from([0, 255, 254]), 'application/octet-stream');
    expect(binary.payload.value).toEqual(Buffer.from([0, 255, 254]));
    expect(build({ payload: binary.payload.value }, binary).body).toBe(binary.envelope.body);
  });

  it.each([[42], [undefined], [null], [true]])('that is %p is refused', (payload) => {
    expect(() => build({ payload }, inFlow)).toThrow(/payload-unsendable/);
  });
});

describe('what to do with a failure', () => {
  const issues = [{ code: 'x', severity: 'error', message: 'y' }] as const;

  it('is decided by its class', () => {
    expect(decideFlow('permanent', 1, issues).retry).toBe(false);
    expect(decideFlow('transient', 1_000, issues).retry).toBe(true);
    expect(decideFlow('ambiguous', 4, issues).retry).toBe(true);
    expect(decideFlow('ambiguous', 5, issues)).toMatchObject({
      retry: false,
      issues: [{ code: 'x' }, { code: 'retries-exhausted' }],
    });
  });

  it('waits longer each time, up to a minute', () => {
    expect([1, 2, 3, 6, 7, 5_000].map(backoffMs)).toEqual([
      1_000, 2_000, 4_000, 32_000, 60_000, 60_000,
    ]);
  });

  it('shows the kind of an exception, and nothing of its words: they may quote the message', () => {
    const say = (error: unknown) =>
      toFailure({ kind: 'failed', error, nodeId: 'n1' }).issues[0]?.message;
    expect(say("TypeError: Cannot use 'in' operator to search for 'x' in Miller")).toMatch(
      /^Node n1 failed with TypeError;(?!.*Miller)/,
    );
    expect(say(new SyntaxError('Unexpected token, "Miller" is not JSON'))).toMatch(
      /^Node n1 failed with SyntaxError;(?!.*Miller)/,
    );
    expect(say('Miller')).toMatch(/^Node n1 failed with an error;(?!.*Miller)/);
  });

  it('keeps the class and the findings of a node that gave them', () => {
    const error = new HilumError('permanent', issues);
    expect(toFailure({ kind: 'failed', error, nodeId: 'n' })).toMatchObject({
      errorClass: 'permanent',
      issues,
    });
    expect(toFailure({ kind: 'timed-out', openNodes: ['n1'] })).toMatchObject({
      errorClass: 'ambiguous',
      issues: [{ code: 'flow-timeout', message: expect.stringContaining('n1') as string }],
    });
  });
});
