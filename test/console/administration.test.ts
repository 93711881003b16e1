import type { ReplayView } from '../../console/api/replays.ts';
import type { ParkedView, TraceView, WaitingView } from '../../console/api/views.ts';
import type { Envelope } from '../../core/envelope.ts';
import type { Delivery } from '../../core/ports/broker.ts';
import { findSettling } from '../../runtime/states.ts';
import { until } from '../support/hilum.ts';
import { buildEnvelope, otherQueue, startConsole, type RunningConsole } from './console-server.ts';

const queue = 'in.lab';
let running: RunningConsole;
let cookie: string;
beforeEach(async () => {
  running = await startConsole();
  cookie = await running.setUp();
});
afterEach(() => running.close());

const get = async (path: string): Promise<unknown> =>
  (await running.request(path, { cookie })).json();

async function post(path: string, body: object = {}): Promise<{ status: number; body: unknown }> {
  const answer = await running.post(path, body, { cookie });
  return { status: answer.status, body: await answer.json() };
}

/** One after the other into the queue; nobody waits for one to be stored before the next is sent. */
async function receive(count: number, changes: Partial<Envelope> = {}): Promise<string[]> {
  const from = running.now() - 60_000;
  const envelopes = Array.from({ length: count }, (_, index) =>
    buildEnvelope({ receivedAt: new Date(from + index).toISOString(), ...changes }),
  );
  await Promise.all(envelopes.map((envelope) => running.receive(envelope, queue)));
  return envelopes.map(({ id }) => id);
}

const stateOf = async (id: string): Promise<string | undefined> =>
  (await running.client.ledger.states([id])).get(id);

/** Takes so many deliveries of a queue and settles each as a consumer does that asks the ledger first. */
async function take(name: string, count: number): Promise<readonly Envelope[]> {
  const worked: Envelope[] = [];
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let settled = 0;
  const settle = async (delivery: Delivery): Promise<void> => {
    const { ledger } = running.client;
    const state = (await ledger.states([delivery.envelope.id])).get(delivery.envelope.id);
    const finish = await findSettling(state, delivery, ledger);
    if (finish === undefined) worked.push(delivery.envelope);
    await (finish ?? (() => delivery.accept()))();
    settled += 1;
    if (settled === count) resolve(undefined);
  };
  const consumer = await running.client.broker.consume(name, { window: 1 }, (delivery) => {
    void settle(delivery);
  });
  await promise;
  await consumer.stop();
  return worked;
}

describe('what an operator may do to messages', () => {
  it('shows what waits in a queue, without body and key', async () => {
    const ids = await receive(3);
    const waiting = (await get(`/api/queues/${queue}/messages?limit=2`)) as WaitingView[];
    expect(waiting.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(waiting[0]).toMatchObject({ state: 'queued', waitsSince: waiting[0]!.receivedAt });
    expect(JSON.stringify(waiting)).not.toContain('patient-of-this-test');
    const rest = (await get(`/api/queues/${queue}/messages?after=${ids[1]}`)) as WaitingView[];
    expect(rest.map(({ id }) => id)).toEqual(ids.slice(2));
  });

  it('withdraws by id: the consumer drops it, and the ledger has who and why', async () => {
    const [first, second] = await receive(2);
    const answer = await post('/api/messages/withdraw', {
      ids: [first, first, 'nobody'],
      reason: 'sent by\nmistake',
    });
    expect(answer).toEqual({ status: 200, body: { changed: 1, skipped: 1 } });
    expect(await stateOf(first!)).toBe('withdrawn');
    const { steps } = (await get(`/api/messages/${first}`)) as TraceView;
    expect(steps.at(-1)).toMatchObject({ kind: 'withdrawn', summary: 'by ada: sent by mistake' });
    expect((await take(queue, 2)).map(({ id }) => id)).toEqual([second]);
  });

  it('withdraws by filter what is not finished, and refuses to withdraw everything', async () => {
    const ids = await receive(3, { messageType: 'ADT^A01' });
    const [other] = await receive(1);
    const at = new Date(running.now()).toISOString();
    await running.append({ messageId: ids[0]!, kind: 'processed', at, queue });
    const answer = await post('/api/messages/withdraw', { type: 'ADT*', reason: 'wrong system' });
    expect(answer.body).toEqual({ changed: 2, skipped: 0 });
    expect(await Promise.all([...ids, other!].map(stateOf))).toEqual([
      'processed',
      'withdrawn',
      'withdrawn',
      'queued',
    ]);
    const all = await post('/api/messages/withdraw', {});
    expect(all).toMatchObject({ status: 409, body: { error: { code: 'filter-empty' } } });
    expect(await stateOf(other!)).toBe('queued');
  });

  it('purges a queue of what waits in it, however much', async () => {
    await receive(1_100);
    const answer = await post(`/api/queues/${queue}/purge`);
    expect(answer.body).toEqual({ changed: 1_100, skipped: 0 });
    expect(await get(`/api/queues/${queue}/messages`)).toEqual([]);
    const [later] = await receive(1);
    expect((await take(queue, 1_101)).map(({ id }) => id)).toEqual([later]);
  });

  it('moves copies into another queue, in order, linked, and each once', async () => {
    const ids = await receive(3);
    const at = new Date(running.now()).toISOString();
    await running.append({ messageId: ids[2]!, kind: 'taken', at, queue });
    const answer = await post(`/api/queues/${queue}/move`, { to: otherQueue });
    expect(answer.body).toEqual({ changed: 2, skipped: 1 });
    const moved = await take(otherQueue, 2);
    expect(moved.map(({ causationId }) => causationId)).toEqual(ids.slice(0, 2));
    expect(moved[0]!.attempt).toBe(1);
    expect((await take(queue, 3)).map(({ id }) => id)).toEqual([ids[2]]);
    const { messages } = (await get(`/api/messages/${ids[0]}`)) as TraceView;
    expect(messages.map(({ id, state }) => [id, state])).toEqual([
      [ids[0], 'withdrawn'],
      [moved[0]!.id, 'queued'],
    ]);
  });

  it.each([
    ['move', { to: 'in.nowhere' }, 'queue-missing', queue],
    ['move', { to: queue }, 'queue-same', queue],
    ['purge', {}, 'queue-of-events', 'sub.events'],
    ['pause', {}, 'queue-missing', 'in.nowhere'],
    ['release', { id: 'nobody', decision: 'again' }, 'not-stopped', queue],
  ])('%s %j is refused as %s', async (verb, body, code, name) => {
    const answer = await post(`/api/queues/${name}/${verb}`, body);
    expect(answer).toMatchObject({ status: 409, body: { error: { code } } });
  });

  it('pauses a queue over a restart, and resumes it', async () => {
    await post(`/api/queues/${queue}/pause`);
    expect(running.paused()).toEqual([queue]);
    expect(await get('/api/paused')).toMatchObject([{ queue, by: 'ada' }]);
    expect((await post(`/api/queues/${queue}/resume`)).body).toEqual([]);
    expect(running.paused()).toEqual([]);
  });
});

describe('what is set aside', () => {
  const issues = [{ code: 'refused', severity: 'error', message: 'Expected AA.' }] as const;

  async function park(): Promise<readonly string[]> {
    const ids = await receive(2);
    const at = (ms: number): string => new Date(running.now() + ms).toISOString();
    await running.append({ messageId: ids[0]!, kind: 'parked', at: at(0), queue, issues });
    await running.append({ messageId: ids[1]!, kind: 'parked', at: at(0), queue });
    return ids;
  }

  it('is told by the first message, not by its key, and tried again on request', async () => {
    const [first] = await park();
    const parked = (await get('/api/parked')) as ParkedView[];
    expect(parked).toMatchObject([{ queue, parked: 2, firstId: first, isStopped: true }]);
    expect(JSON.stringify(parked)).not.toContain('patient-of-this-test');
    const answer = await post(`/api/queues/${queue}/release`, { id: first, decision: 'again' });
    expect(answer.status).toBe(200);
    expect(running.released).toEqual([{ queue, key: 'patient-of-this-test' }]);
    expect(await get(`/api/parked?queue=${queue}`)).toMatchObject([
      { parked: 2, isStopped: false },
    ]);
    const again = await post(`/api/queues/${queue}/release`, { id: first, decision: 'again' });
    expect(again.status).toBe(409);
  });

  it('goes on without the first when that is skipped, which is a dead letter then', async () => {
    const [first, second] = await park();
    await post(`/api/queues/${queue}/release`, { id: first, decision: 'skip', reason: 'known' });
    expect(await get('/api/parked')).toMatchObject([{ firstId: second, isStopped: false }]);
    expect(running.released).toHaveLength(1);
    const { steps } = (await get(`/api/messages/${first}`)) as TraceView;
    expect(steps.at(-1)).toMatchObject({ kind: 'dead-lettered', summary: 'by ada: known', issues });
    const depths = await running.client.broker.depths();
    expect(depths.find((each) => each.queue === queue)?.dead).toBe(1);
  });

  it('goes on when the first is withdrawn', async () => {
    const [first, second] = await park();
    await post('/api/messages/withdraw', { ids: [first] });
    expect(running.released).toEqual([{ queue, key: 'patient-of-this-test' }]);
    expect(await get('/api/parked')).toMatchObject([{ firstId: second, isStopped: false }]);
  });
});

describe('a replay of many messages', () => {
  const ended = (id: string): Promise<ReplayView> =>
    until(
      async () => (await get(`/api/replays/${id}`)) as ReplayView,
      ({ state }) => state !== 'running',
      20_000,
    );

  async function receiveDead(count: number): Promise<string[]> {
    const ids = await receive(count);
    const at = new Date(running.now()).toISOString();
    await running.append(
      ...ids.map((messageId) => ({ messageId, kind: 'dead-lettered', at, queue }) as const),
    );
    await take(queue, count);
    return ids;
  }

  it('counts in a dry run, then sends each again in its order, linked to its origin', async () => {
    const ids = await receiveDead(20);
    const filter = { interface: 'lab', state: 'dead-lettered' };
    expect((await post('/api/replays', { ...filter, dryRun: true })).body).toEqual({ total: 20 });
    const started = await post('/api/replays', { ...filter, rate: 1000 });
    expect(started.status).toBe(201);
    const { id } = started.body as ReplayView;
    expect(await ended(id)).toMatchObject({
      state: 'done',
      total: 20,
      replayed: 20,
      failed: 0,
      by: 'ada',
    });
    const replayed = await take(queue, 20);
    expect(replayed.map(({ causationId }) => causationId)).toEqual(ids);
    const { steps } = (await get(`/api/messages/${ids[0]}`)) as TraceView;
    expect(steps.find(({ kind }) => kind === 'replayed')?.summary).toBe(
      `as ${replayed[0]!.id}, by ada, replay ${id}`,
    );
  });

  it('keeps to its rate', async () => {
    await receiveDead(6);
    const from = performance.now();
    const { body } = await post('/api/replays', { state: 'dead-lettered', rate: 20 });
    await ended((body as ReplayView).id);
    expect(performance.now() - from).toBeGreaterThan(5 * 50 - 5);
  });

  it('stops when asked, and goes on without sending anything twice', async () => {
    const ids = await receiveDead(60);
    const { body } = await post('/api/replays', { state: 'dead-lettered', rate: 100 });
    const { id } = body as ReplayView;
    await until(
      async () => (await get(`/api/replays/${id}`)) as ReplayView,
      ({ replayed }) => replayed >= 10,
      10_000,
    );
    const stopped = await running.request(`/api/replays/${id}`, { method: 'DELETE', cookie });
    const { replayed, state } = (await stopped.json()) as ReplayView;
    expect(state).toBe('stopped');
    expect(replayed).toBeLessThan(60);
    expect(await get(`/api/queues/${queue}/messages?limit=500`)).toHaveLength(replayed);
    await post(`/api/replays/${id}/resume`);
    expect(await ended(id)).toMatchObject({ state: 'done', replayed: 60, failed: 0 });
    const all = await take(queue, 60);
    expect(all.map(({ causationId }) => causationId)).toEqual(ids);
  });

  it('begins each where it came in, once, or itself where it failed', async () => {
    const [root] = await receive(1);
    await take(queue, 1);
    const origin = (await running.client.ledger.read(root!))!;
    const now = new Date(running.now()).toISOString();
    for (const id of ['child-1', 'child-2']) {
      const envelope = { ...origin, id, causationId: root!, receivedAt: now };
      await running.client.ledger.append([{ type: 'message', envelope }]);
      await running.append(
        { messageId: id, kind: 'queued', at: now, queue: otherQueue },
        { messageId: id, kind: 'dead-lettered', at: now, queue: otherQueue },
      );
    }
    running.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const start = await post('/api/replays', { state: 'dead-lettered', rate: 1000 });
    expect(await ended((start.body as ReplayView).id)).toMatchObject({ total: 1, replayed: 1 });
    expect((await take(queue, 1))[0]!.causationId).toBe(root);
    const failed = await post('/api/replays', {
      state: 'dead-lettered',
      step: 'failed',
      rate: 1000,
    });
    expect(await ended((failed.body as ReplayView).id)).toMatchObject({ total: 2, replayed: 2 });
    const again = await take(otherQueue, 2);
    expect(again.map(({ causationId }) => causationId)).toEqual(['child-1', 'child-2']);
  });

  it('counts what cannot be sent again, by reason, and goes on', async () => {
    const [lost] = await receive(1);
    await receive(1);
    await take(queue, 2);
    const at = new Date(running.now()).toISOString();
    await running.client.ledger.append([
      {
        type: 'message',
        envelope: buildEnvelope({ id: 'elsewhere', receivedAt: '2026-01-01T00:00:00.000Z' }),
      },
    ]);
    await running.append({ messageId: 'elsewhere', kind: 'queued', at, queue: 'in.gone' });
    expect(lost).toBeDefined();
    const { body } = await post('/api/replays', { interface: 'lab', rate: 1000 });
    expect(await ended((body as ReplayView).id)).toMatchObject({
      state: 'done',
      total: 3,
      replayed: 2,
      failed: 1,
      reasons: { 'replay-without-queue': 1 },
    });
  });

  it.each([
    [{}, 409, 'filter-empty'],
    [{ state: 'lost' }, 400, 'query-invalid'],
    [{ state: 'queued', rate: 0 }, 400, 'query-invalid'],
    [{ state: 'queued', step: 'middle' }, 400, 'query-invalid'],
    [{ from: 'yesterday' }, 400, 'query-invalid'],
  ])('refuses %j', async (body, status, code) => {
    expect(await post('/api/replays', body)).toMatchObject({ status, body: { error: { code } } });
  });

  it('is unknown by an id that no run has', async () => {
    expect((await running.request('/api/replays/none', { cookie })).status).toBe(404);
  });
});
