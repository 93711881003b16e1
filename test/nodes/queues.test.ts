import type { EnvelopeHeader } from '../../core/envelope.ts';
import { buildError, findFailure } from '../../core/errors.ts';
import * as fhirOut from '../../nodes/fhir-out/definition.ts';
import registerFhirOut from '../../nodes/fhir-out/runtime.ts';
import * as mllpIn from '../../nodes/mllp-in/definition.ts';
import registerMllpIn from '../../nodes/mllp-in/runtime.ts';
import * as mllpOut from '../../nodes/mllp-out/definition.ts';
import registerMllpOut from '../../nodes/mllp-out/runtime.ts';
import * as queueIn from '../../nodes/queue-in/definition.ts';
import registerQueueIn from '../../nodes/queue-in/runtime.ts';
import * as queueOut from '../../nodes/queue-out/definition.ts';
import registerQueueOut from '../../nodes/queue-out/runtime.ts';
import { startNode, stopNode } from './node-red.ts';
import { RecordingRuntime } from './recording-runtime.ts';

const header: EnvelopeHeader = {
  id: 'm1',
  interface: 'tab',
  contentType: 'application/hl7-v2',
  correlationId: 'm1',
  receivedAt: '2026-01-01T00:00:00.000Z',
  attempt: 1,
};

afterEach(stopNode);

const sources = [
  { node: mllpIn, register: registerMllpIn, queue: 'in.node' },
  { node: queueIn, register: registerQueueIn, queue: 'sub.node' },
];

const destinations = [
  { node: mllpOut, register: registerMllpOut },
  { node: fhirOut, register: registerFhirOut },
];

describe.each(sources)('$node.type', ({ node, register, queue }) => {
  const config = { type: node.type, ...node.defaults };

  it('sends what its queue holds into the flow, with its envelope, and shows how many', async () => {
    const hilum = new RecordingRuntime();
    const flow = await startNode(register, config, { outputs: 1, hilum });
    expect(flow.status()).toMatchObject({ fill: 'yellow', text: 'hilum.status.connecting' });
    hilum.consumers.get(queue)?.({ payload: 'a message', envelope: header });
    await new Promise(setImmediate);
    expect(flow.received(1)).toMatchObject([{ payload: 'a message', envelope: header }]);
  });

  it('stops consuming when it is closed', async () => {
    const hilum = new RecordingRuntime();
    await startNode(register, config, { outputs: 1, hilum });
    expect([...hilum.consumers.keys()]).toEqual([queue]);
    await stopNode();
    expect([...hilum.consumers.keys()]).toEqual([]);
  });

  it('says in a stock Node-RED what it needs', async () => {
    const flow = await startNode(register, config, { outputs: 1 });
    expect(flow.status()).toMatchObject({ fill: 'grey', text: 'hilum.status.runtime-missing' });
  });
});

describe.each(destinations)('$node.type', ({ node, register }) => {
  const config = { type: node.type, ...node.defaults };

  it('sends the message on once its outbound queue has it', async () => {
    const hilum = new RecordingRuntime();
    const flow = await startNode(register, config, { outputs: 2, unwired: [2], hilum });
    expect(await flow.handle({ payload: 'x', envelope: header })).toBeUndefined();
    expect(hilum.sent).toEqual([{ nodeId: 'node', queue: 'out.node', payload: 'x' }]);
    expect(flow.received(1)).toMatchObject([{ payload: 'x', envelope: header }]);
    expect(flow.status()).toMatchObject({ fill: 'green', text: 'hilum.status.queued' });
  });

  it('fails the message with the very error of the queue, and sends nothing on', async () => {
    const hilum = new RecordingRuntime();
    hilum.failure = buildError('transient', 'broker-unavailable', 'No broker.');
    const flow = await startNode(register, config, { outputs: 2, hilum });
    expect(await flow.handle({ payload: 'x', envelope: header })).toBe(hilum.failure);
    expect(flow.received(1)).toEqual([]);
    expect(flow.status()).toMatchObject({ fill: 'red', text: 'hilum.status.not-queued' });
  });

  it('sends answers out of its second output, and consumes none where that is not wired', async () => {
    const hilum = new RecordingRuntime();
    const flow = await startNode(register, config, { outputs: 2, hilum });
    hilum.consumers.get('answer.node')?.({ payload: 'an answer', envelope: header });
    await new Promise(setImmediate);
    expect(flow.received(1)).toEqual([]);
    expect(flow.received(2)).toMatchObject([{ payload: 'an answer', envelope: header }]);
    await stopNode();
    await startNode(register, config, { outputs: 2, unwired: [2], hilum });
    expect([...hilum.consumers.keys()]).toEqual([]);
  });

  it('fails in a stock Node-RED every message sent to it', async () => {
    const flow = await startNode(register, config, { outputs: 2 });
    expect(flow.status()).toMatchObject({ fill: 'grey', text: 'hilum.status.runtime-missing' });
    expect(findFailure(await flow.handle({ payload: 'x' }))).toMatchObject({
      errorClass: 'permanent',
      issues: [{ code: 'runtime-missing' }],
    });
    expect(flow.received(1)).toEqual([]);
  });
});

describe('queue out', () => {
  const config = { type: queueOut.type, ...queueOut.defaults, topic: ' lab.result ' };

  it('publishes the message under its topic, then sends it on', async () => {
    const hilum = new RecordingRuntime();
    const flow = await startNode(registerQueueOut, config, { outputs: 1, hilum });
    expect(await flow.handle({ payload: 'x', envelope: header })).toBeUndefined();
    expect(hilum.published).toEqual([{ topic: 'lab.result', nodeId: 'node', payload: 'x' }]);
    expect(flow.received(1)).toMatchObject([{ payload: 'x', envelope: header }]);
  });

  it('fails the message when nobody would get the event', async () => {
    const hilum = new RecordingRuntime();
    hilum.failure = buildError('permanent', 'topic-without-queue', 'Nobody is subscribed.');
    const flow = await startNode(registerQueueOut, config, { outputs: 1, hilum });
    expect(await flow.handle({ payload: 'x' })).toBe(hilum.failure);
    expect(flow.received(1)).toEqual([]);
  });
});
