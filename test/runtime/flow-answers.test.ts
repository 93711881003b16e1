import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { connectOwner } from '../../connectors/sqlite/client.ts';
import type { ListenerAcknowledgment, ListenerDefinition } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import type { Edge } from '../../runtime/edge/edge.ts';
import { toReplyId } from '../../runtime/reply.ts';
import {
  buildListener,
  openTestEdge,
  openTestStores,
  silent,
  type TestStores,
} from '../support/edge.ts';
import { openTestFlow, type TestFlow } from '../support/flow.ts';
import { until } from '../support/hilum.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { readAnswer } from '../support/mllp.ts';

let file: TestStores;
let flow: TestFlow;
let edge: Edge | undefined;
let port = 0;
const peers: Peer[] = [];

beforeEach(async () => {
  file = await openTestStores('flow-answers');
});

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.socket.destroy();
  await edge?.stop();
  await flow.stop();
  await file.close();
});

/** A listener that acknowledges after the flow, and the flow. */
async function listen(settings: Partial<ListenerDefinition> = {}): Promise<void> {
  await openEdge(settings);
  flow = await openTestFlow(file.stores, 'in.listener');
}

async function openEdge(settings: Partial<ListenerDefinition> = {}): Promise<void> {
  const { broker, ledger } = file.stores;
  const listener = buildListener({ acknowledge: 'processed', ...settings });
  // What an edge that ends has not answered is asked for again: the tests need not wait for that.
  const opened = await openTestEdge({ broker, ledger, drainMs: 100 }, listener);
  edge = opened.edge;
  port = opened.ports[0] ?? 0;
}

/** A partner's connection: what comes back, frame by frame, as bytes. */
class Peer {
  readonly socket: Socket;
  readonly frames: Buffer[] = [];
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #waiting: (() => void)[] = [];

  constructor() {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      for (;;) {
        const end = this.#received.indexOf(Buffer.from([0x1c, 0x0d]));
        if (end === -1) break;
        this.frames.push(this.#received.subarray(1, end));
        this.#received = this.#received.subarray(end + 2);
      }
      for (const resolve of this.#waiting.splice(0)) resolve();
    });
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
    peers.push(this);
  }

  send(...messages: readonly string[]): void {
    this.socket.write(messages.map((each) => `\u000b${each}\u001c\r`).join(''), 'latin1');
  }

  /** The frames once there are so many. */
  async answers(count: number): Promise<readonly string[]> {
    while (this.frames.length < count) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.frames.map((each) => each.toString('latin1'));
  }

  async codes(count: number): Promise<readonly string[]> {
    return (await this.answers(count)).map(readAnswer);
  }
}

const build = (index: number) => buildLabResult({ index, patient: index });
const ask = (message: string, accept: string, application: string) =>
  message.replace('|2.5.1\r', `|2.5.1|||${accept}|${application}\r`);
const unknownOrder: Issue = {
  code: 'code-not-in-table',
  severity: 'error',
  location: 'OBR-4',
  message: 'Expected a known test, found another.',
};

describe('a listener that acknowledges after the flow', () => {
  it('says AA when the flow has completed, and not before', async () => {
    await listen();
    const peer = new Peer();
    peer.send(build(1));
    const first = await flow.next();
    // A second message was taken, stored and delivered: an answer of the first would have come before.
    peer.send(build(2));
    const second = await flow.next();
    expect(peer.frames).toEqual([]);
    await first.complete();
    expect(await peer.codes(1)).toEqual([`AA ${controlIdOf(1)}`]);
    await second.complete();
    await peer.answers(2);
    const events = await until(
      async () => (await file.stores.ledger.trace(controlIdOf(1)))?.events ?? [],
      (all) => all.some(({ kind }) => kind === 'answered'),
      5_000,
    );
    expect(events.find(({ kind }) => kind === 'answered')?.summary).toMatch(/^AA to 127\.0\.0\.1:/);
    expect(events.find(({ kind }) => kind === 'queued')?.summary).toBe(
      'durable, then answered by its flow',
    );
  });

  it('says AE with the findings when the message was given up', async () => {
    await listen();
    const peer = new Peer();
    peer.send(build(1));
    await (await flow.next()).giveUp([unknownOrder]);
    const [answer = ''] = await peer.answers(1);
    expect(readAnswer(answer)).toBe(`AE ${controlIdOf(1)}`);
    expect(answer).toContain('\rERR||OBR^1^4^1|103^Table value not found^HL70357|E|');
  });

  it('passes on what the flow answers, to the byte', async () => {
    await listen();
    const peer = new Peer();
    peer.send(build(1));
    const response = Buffer.from(
      `MSH|^~\\&|A|B|C|D|2026||RSP^K22^RSP_K21|R1|P|2.5.1||||||8859/1\nMSA|AA|${controlIdOf(1)}||\n\nPID|||1||M\u00fcller|\\X41\\||| \n`,
      'latin1',
    );
    const message = await flow.next();
    expect(await message.reply({ kind: 'payload' }, response)).toEqual({
      kind: 'answered',
      answer: 'RSP^K22 AA',
    });
    await peer.answers(1);
    expect(peer.frames).toEqual([response]);
    await message.complete();
    peer.send(build(2));
    await (await flow.next()).complete();
    // Nothing more is said of the first.
    expect((await peer.codes(2))[1]).toBe(`AA ${controlIdOf(2)}`);
    const id = toReplyId(message.delivery.envelope.id);
    const states = await until(
      () => file.stores.ledger.states([id]),
      (all) => all.get(id) !== 'queued',
      5_000,
    );
    expect(states.get(id)).toBe('delivered');
    const text = Buffer.from((await file.stores.ledger.read(id))?.body ?? []);
    expect(text.equals(response)).toBe(true);
  });

  it('makes the acknowledgment that the flow asks for, of the type that the standard has', async () => {
    await listen();
    const peer = new Peer();
    const order = build(1).replace('ORU^R01^ORU_R01', 'OML^O21^OML_O21');
    peer.send(order, order.replace(controlIdOf(1), 'L2'));
    const [first, second] = [await flow.next(), await flow.next()];
    const text = 'No such test';
    await first.reply({ kind: 'acknowledgment', code: 'AR', text, type: 'standard' });
    await second.reply({ kind: 'acknowledgment', code: 'AA', type: 'general' });
    const [refused = '', taken = ''] = await peer.answers(2);
    expect(refused).toContain('|ORL^O22^ORL_O22|');
    expect(refused).toContain(`\rMSA|AR|${controlIdOf(1)}|No such test`);
    expect(refused).toMatch(/\rERR\|\|\|207\^.*No such test/);
    expect(taken).toContain('|ACK^O21^ACK|');
    expect(readAnswer(taken)).toBe('AA L2');
  });

  it('answers in the order of arrival, whoever is ready first', async () => {
    await listen();
    const peer = new Peer();
    peer.send(build(1), build(2), build(3));
    const all = [await flow.next(), await flow.next(), await flow.next()];
    for (const each of all.toReversed()) await each.complete();
    expect(await peer.codes(3)).toEqual([1, 2, 3].map((index) => `AA ${controlIdOf(index)}`));
  });

  it('reads no further than so many unanswered messages', async () => {
    await listen({ limits: { maxInFlight: 2 } });
    const peer = new Peer();
    peer.send(build(1), build(2), build(3));
    const first = await flow.next();
    const second = await flow.next();
    await wait(200);
    expect(flow.count).toBe(2);
    await first.complete();
    const third = await flow.next();
    await Promise.all([second.complete(), third.complete()]);
    expect(await peer.codes(3)).toHaveLength(3);
  });

  it('says after its time that the message is kept, and its result when that is asked for', async () => {
    await listen({ wait: { timeoutMs: 200, onTimeout: 'error' } });
    const peer = new Peer();
    peer.send(build(1));
    const message = await flow.next();
    const [late = ''] = await peer.answers(1);
    expect(readAnswer(late)).toBe(`AE ${controlIdOf(1)}`);
    expect(late).toContain('|207^Application internal error^HL70357|E|flow-not-finished');
    await message.complete();
    peer.send(build(1));
    expect((await peer.codes(2))[1]).toBe(`AA ${controlIdOf(1)}`);
    expect(flow.count).toBe(1);
  });

  it('closes the connection after its time, where it is told so, and answers the repetition', async () => {
    await listen({ wait: { timeoutMs: 300, onTimeout: 'close' } });
    const peer = new Peer();
    peer.send(build(1));
    const message = await flow.next();
    await peer.closed;
    expect(peer.frames).toEqual([]);
    const again = new Peer();
    again.send(build(1));
    await until(
      async () => (await file.stores.ledger.find({ states: ['duplicate'] }, { limit: 1 })).length,
      (count) => count === 1,
      5_000,
    );
    await message.giveUp([unknownOrder]);
    expect(await again.codes(1)).toEqual([`AE ${controlIdOf(1)}`]);
    expect(flow.count).toBe(1);
  });

  it('has the answer from the ledger, where it is not told', async () => {
    await listen();
    const peer = new Peer();
    peer.send(build(1));
    const { delivery } = await flow.next();
    const { id } = delivery.envelope;
    const at = new Date().toISOString();
    await file.stores.ledger.append([
      { type: 'event', event: { messageId: id, kind: 'processed', at, queue: 'in.listener' } },
    ]);
    await delivery.accept();
    expect(await peer.codes(1)).toEqual([`AA ${controlIdOf(1)}`]);
  });
});

describe('after an edge was started again', () => {
  it('a repetition gets what its first got, at once where that is finished', async () => {
    await listen();
    const peer = new Peer();
    peer.send(build(1), build(2), build(3));
    const all = [await flow.next(), await flow.next(), await flow.next()];
    const [first, second, third] = all;
    const response = `MSH|^~\\&|A|B|C|D|2026||ORL^O22|R1|P|2.5.1\rMSA|AA|${controlIdOf(1)}\r`;
    peer.socket.destroy();
    await edge?.stop();
    await first?.reply({ kind: 'payload' }, response);
    await first?.complete();
    await second?.giveUp([unknownOrder]);
    await openEdge();
    const again = new Peer();
    again.send(build(1), build(2), build(3));
    const [one = '', two = ''] = await again.answers(2);
    expect(one).toBe(response);
    expect(readAnswer(two)).toBe(`AE ${controlIdOf(2)}`);
    await third?.complete();
    expect((await again.codes(3))[2]).toBe(`AA ${controlIdOf(3)}`);
    expect(flow.count).toBe(3);
  });
});

describe('after a worker was started again', () => {
  it('the flow runs again and its sender is answered once, with what came first', async () => {
    await listen();
    await flow.stop();
    const worker = await connectOwner({ socket: file.socket, logger: silent });
    const ended = await openTestFlow(worker, 'in.listener');
    const peer = new Peer();
    peer.send(build(1));
    const response = (id: string) =>
      `MSH|^~\\&|A|B|C|D|2026||ORL^O22|${id}|P|2.5.1\rMSA|AA|${controlIdOf(1)}\r`;
    await (await ended.next()).reply({ kind: 'payload' }, response('R1'));
    await peer.answers(1);
    // It does not come back: what the ended flow held is for the next.
    await worker.close();
    flow = await openTestFlow(file.stores, 'in.listener');
    const rerun = await flow.next();
    expect(rerun.delivery.redelivered).toBe(true);
    await rerun.reply({ kind: 'payload' }, response('R2'));
    await rerun.complete();
    peer.send(build(2));
    await (await flow.next()).complete();
    expect(await peer.answers(2)).toEqual([
      response('R1'),
      expect.stringContaining('|AA|LAB000002'),
    ]);
    // A repetition gets the same.
    peer.send(build(1));
    expect((await peer.answers(3))[2]).toBe(response('R1'));
  });
});

describe('in enhanced mode', () => {
  it.each([
    ['AL', 'AL', 'completed', ['CA', 'AA']],
    ['AL', 'AL', 'given up', ['CA', 'AE']],
    ['AL', 'ER', 'completed', ['CA']],
    ['AL', 'SU', 'given up', ['CA']],
    ['NE', 'AL', 'completed', ['AA']],
    ['NE', 'AL', 'given up', ['AE']],
    ['NE', 'ER', 'completed', []],
    ['AL', 'NE', 'completed', ['CA']],
  ])('MSH-15 %s, MSH-16 %s, %s: %j', async (accept, application, end, codes) => {
    await listen();
    const peer = new Peer();
    peer.send(ask(build(1), accept, application));
    const message = await flow.next();
    if (codes[0] === 'CA') expect(await peer.codes(1)).toEqual([`CA ${controlIdOf(1)}`]);
    // Half closed: it still gets what it is owed.
    peer.socket.end();
    await (end === 'completed' ? message.complete() : message.giveUp([unknownOrder]));
    await peer.closed;
    expect(await peer.codes(0)).toEqual(codes.map((code) => `${code} ${controlIdOf(1)}`));
  });

  it('passes on only what the flow answers, where the application is left to it', async () => {
    const acknowledgment: ListenerAcknowledgment = {
      mode: 'by-message',
      application: 'flow',
      accepts: {},
      sequenceNumbers: 'ignored',
    };
    await listen({ acknowledge: 'received', acknowledgment });
    const peer = new Peer();
    peer.send(ask(build(1), 'AL', 'AL'), ask(build(2), 'AL', 'AL'));
    const [first, second] = [await flow.next(), await flow.next()];
    await first.complete();
    await second.reply({ kind: 'acknowledgment', code: 'AE', text: 'No', type: 'general' });
    const answers = await peer.codes(3);
    expect(answers).toEqual([
      `CA ${controlIdOf(1)}`,
      `CA ${controlIdOf(2)}`,
      `AE ${controlIdOf(2)}`,
    ]);
  });
});

describe('a flow that answers', () => {
  it('hears that nobody waits', async () => {
    await listen({ acknowledge: 'received' });
    const peer = new Peer();
    peer.send(build(1));
    const message = await flow.next();
    const response = { kind: 'acknowledgment', code: 'AA', type: 'general' } as const;
    expect(await message.reply(response)).toEqual({ kind: 'unawaited' });
    await message.complete();
  });

  it('answers once a run, and with a response', async () => {
    await listen();
    const peer = new Peer();
    peer.send(build(1));
    const message = await flow.next();
    // The very message that came in, by mistake.
    await expect(message.reply({ kind: 'payload' })).rejects.toMatchObject({
      errorClass: 'permanent',
      issues: [{ code: 'reply-invalid' }],
    });
    await expect(message.reply({ kind: 'payload' }, { a: 1 })).rejects.toMatchObject({
      issues: [{ code: 'reply-invalid' }],
    });
    const response = { kind: 'acknowledgment', code: 'AA', type: 'general' } as const;
    expect(await message.reply(response)).toMatchObject({ kind: 'answered' });
    expect(await message.reply(response)).toEqual({ kind: 'repeated' });
    await message.complete();
    expect(await peer.codes(1)).toEqual([`AA ${controlIdOf(1)}`]);
  });
});
