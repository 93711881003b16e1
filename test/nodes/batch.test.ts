import { findFailure } from '../../core/errors.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { defaults } from '../../nodes/hl7-batch/definition.ts';
import register from '../../nodes/hl7-batch/runtime.ts';
import { startNode, stopNode } from './node-red.ts';

const message = (id: string): string =>
  `MSH|^~\\&|LAB|NORTH|EHR|MAIN|20260101||ADT^A08^ADT_A01|${id}|P|2.5.1\rPID|1||${id}^^^NORTH^MR||Example^Alex\r`;
const batch = `FHS|^~\\&|F\rBHS|^~\\&|B\r${message('1')}${message('2')}BTS|2\rFTS|1\r`;

function start(config: object) {
  return startNode(register, { type: 'hl7 batch', ...defaults, ...config }, { outputs: 1 });
}

afterEach(stopNode);

describe('hl7 batch, splitting', () => {
  it('sends each message as it stands, and where it stood', async () => {
    const flow = await start({});
    expect(await flow.handle({ payload: batch, topic: 'kept' })).toBeUndefined();
    const sent = flow.received(1);
    expect(sent.map(({ payload }) => payload)).toEqual([message('1'), message('2')]);
    expect(sent[1]).toMatchObject({
      topic: 'kept',
      contentType: 'application/hl7-v2',
      batch: {
        number: 2,
        position: 2,
        batch: 1,
        file: 1,
        batchHeader: 'BHS|^~\\&|B',
        fileHeader: 'FHS|^~\\&|F',
      },
      parts: { index: 1, count: 2 },
    });
  });

  it('gives bytes for bytes, each message in its own character set', async () => {
    const latin = Buffer.from(
      message('1').replace('2.5.1', '2.5.1||||||8859/1').replace('Alex', 'Am\u00e9lie'),
      'latin1',
    );
    const utf8 = Buffer.from(message('2').replace('Alex', 'Am\u00e9lie'));
    const flow = await start({});
    await flow.handle({ payload: Buffer.concat([latin, utf8]) });
    const payloads = flow.received(1).map(({ payload }) => payload as Buffer);
    expect(payloads.map((payload, index) => payload.equals(index === 0 ? latin : utf8))).toEqual([
      true,
      true,
    ]);
  });

  it('sends nothing for a batch without messages, and completes', async () => {
    const flow = await start({});
    expect(await flow.handle({ payload: 'BHS|^~\\&|\rBTS|0\r' })).toBeUndefined();
    expect(flow.received(1)).toEqual([]);
  });

  it.each([
    ['a wrong count', batch.replace('BTS|2', 'BTS|3'), 'batch-count-mismatch'],
    ['a batch that was cut off', batch.slice(0, batch.indexOf('BTS')), 'batch-trailer-missing'],
  ])('fails the whole for %s, unless told to go on', async (_what, payload, code) => {
    const strict = await start({});
    const codes = findFailure(await strict.handle({ payload }))?.issues.map((issue) => issue.code);
    expect(codes).toContain(code);
    expect(strict.received(1)).toEqual([]);
    await stopNode();
    const tolerant = await start({ faults: 'pass' });
    expect(await tolerant.handle({ payload })).toBeUndefined();
    expect(tolerant.received(1)).toHaveLength(2);
    expect(tolerant.received(1)[0]?.issues?.map((issue) => issue.code)).toContain(code);
  });

  it.each([
    ['text in front of the messages', `hello\r${batch}`, 'content-unexpected'],
    ['text that is no HL7', 'hello', 'content-unexpected'],
    ['nothing', '', 'message-empty'],
    ['an object', { a: 1 }, 'payload-not-hl7'],
  ])('fails for %s even when told to go on', async (_what, payload, code) => {
    const flow = await start({ faults: 'pass' });
    expect(findFailure(await flow.handle({ payload }))).toMatchObject({
      errorClass: 'permanent',
      issues: [{ code }],
    });
  });
});

/** One of several that were split from one message. */
function part(index: number, count: number): FlowMessage {
  return { payload: message(String(index + 1)), parts: { id: 'p', index, count } };
}

describe('hl7 batch, joining', () => {
  it('joins what was split, in its order, and completes each with the batch', async () => {
    const flow = await start({ mode: 'join' });
    let completed = 0;
    const all = [1, 0].map((index) => flow.handle(part(index, 2)).then(() => (completed += 1)));
    await Promise.all(all.slice(1));
    expect(completed).toBeGreaterThan(0);
    const [joined] = flow.received(1);
    expect(joined?.payload).toMatch(/^BHS\|\^~\\&\|LAB\|NORTH\|EHR\|MAIN\|\d{14}\.\d{3}\+0000\r/);
    expect(joined?.payload).toMatch(/\rBTS\|2\r$/);
    expect(String(joined?.payload).split('\r').slice(1, 5).join('\r')).toBe(
      `${message('1')}${message('2')}`.slice(0, -1),
    );
    expect(joined?.['parts']).toBeUndefined();
  });

  it('joins so many as they come, as a file when told so', async () => {
    const flow = await start({ mode: 'join', collect: 'count', count: '1', envelope: 'file' });
    await flow.handle({ payload: message('1') });
    expect(flow.received(1)[0]?.payload).toMatch(/^FHS\|.*\rBHS\|.*\rMSH\|[^]*\rBTS\|1\rFTS\|1\r$/);
  });

  it('keeps bytes as they are', async () => {
    const bytes = Buffer.from(message('1').replace('Alex', 'Am\u00e9lie'), 'latin1');
    const flow = await start({ mode: 'join', collect: 'count', count: '1' });
    await flow.handle({ payload: bytes });
    const joined = flow.received(1)[0]?.payload as Buffer;
    expect(joined.includes(bytes)).toBe(true);
  });

  it('fails what is not complete in time', async () => {
    const flow = await start({ mode: 'join', timeoutSeconds: '0.1' });
    expect(findFailure(await flow.handle(part(0, 2)))).toMatchObject({
      errorClass: 'permanent',
      issues: [{ code: 'batch-incomplete' }],
    });
  });

  it('sends what is not complete in time, when told so', async () => {
    const flow = await start({ mode: 'join', timeoutSeconds: '0.1', incomplete: 'send' });
    expect(await flow.handle(part(0, 2))).toBeUndefined();
    expect(flow.received(1)[0]?.payload).toContain('BTS|1\r');
  });

  it('fails what was never split, and what is no message', async () => {
    const flow = await start({ mode: 'join' });
    expect(findFailure(await flow.handle({ payload: message('1') }))?.issues[0]?.code).toBe(
      'parts-missing',
    );
    expect(
      findFailure(await flow.handle({ payload: 'hello', parts: { id: 'q', index: 0, count: 1 } }))
        ?.issues[0]?.code,
    ).toBe('header-missing');
  });
});
