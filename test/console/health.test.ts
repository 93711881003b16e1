import { buildEnvelope, startConsole, type RunningConsole } from './console-server.ts';

let running: RunningConsole;
beforeEach(async () => {
  running = await startConsole();
});
afterEach(() => running.close());

it('is healthy as long as it answers, whatever the others do', async () => {
  await running.owner.close();
  const answer = await running.request('/healthz');
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ status: 'ok' });
});

describe('/readyz', () => {
  it('is ready when ledger, broker and engine are', async () => {
    const answer = await running.request('/readyz');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ status: 'ready' });
  });

  it('says what the engine waits for', async () => {
    running.control.isReady = false;
    const answer = await running.request('/readyz');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({
      status: 'not-ready',
      reasons: [
        { part: 'engine', code: 'process-not-running', message: 'The process edge is starting.' },
      ],
    });
  });

  it('says which queue is gone, since when and what to do, until it is there again', async () => {
    running.control.missing = ['out.ehr'];
    const since = new Date(running.now()).toISOString();
    const first = await running.request('/readyz');
    expect(first.status).toBe(503);
    const { reasons } = (await first.json()) as {
      reasons: { code: string; message: string; since: string }[];
    };
    expect(reasons).toMatchObject([{ part: 'broker', code: 'queue-missing' }]);
    expect(reasons[0]?.message).toMatch(/The queue out\.ehr is not there.*Deploy the flows/);
    expect(reasons[0]!.since >= since).toBe(true);
    running.advance(60_000);
    const second = (await (await running.request('/readyz')).json()) as { reasons: unknown };
    expect(second.reasons).toEqual(reasons);
    await running.client.broker.declare({ name: 'out.ehr', interface: 'lab' });
    expect((await running.request('/readyz')).status).toBe(200);
  });

  it('says that ledger and broker do not answer', async () => {
    await running.owner.close();
    const answer = await running.request('/readyz');
    expect(answer.status).toBe(503);
    const { reasons } = (await answer.json()) as { reasons: { part: string }[] };
    expect(reasons.map(({ part }) => part)).toEqual(['ledger', 'broker']);
  });
});

describe('/metrics', () => {
  /** Each sample line of Prometheus' text as name, labels and value; throws on a line that is none. */
  function parse(text: string): Map<string, number> {
    const samples = new Map<string, number>();
    for (const line of text.split('\n')) {
      if (line === '' || line.startsWith('# HELP ') || line.startsWith('# TYPE ')) continue;
      const match = /^([a-z_:][\w:]*(?:\{(?:\w+="[^"]*",?)*\})?) (-?[\d.e+-]+|NaN|\+Inf)$/i.exec(
        line,
      );
      if (match === null) throw new Error(`Expected a sample, found: ${line}`);
      expect(samples.has(match[1]!)).toBe(false);
      samples.set(match[1]!, Number(match[2]));
    }
    return samples;
  }

  it('counts queues and events by name, never by message', async () => {
    const receivedAt = new Date(running.now() - 30_000).toISOString();
    for (const id of ['m1', 'm2', 'm3']) {
      await running.receive(buildEnvelope({ id, receivedAt }), 'in.lab');
    }
    const answer = await running.request('/metrics');
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain;.*version=0\.0\.4/);
    const text = await answer.text();
    const samples = parse(text);
    expect(samples.get('hilum_queue_ready{queue="in.lab",interface="lab"}')).toBe(3);
    expect(samples.get('hilum_queue_unsettled{queue="in.lab",interface="lab"}')).toBe(0);
    expect(samples.get('hilum_queue_dead{queue="in.lab",interface="lab"}')).toBe(0);
    expect(samples.get('hilum_queue_oldest_age_seconds{queue="in.lab",interface="lab"}')).toBe(30);
    expect(samples.get('hilum_messages_total{interface="lab",event="queued"}')).toBe(3);
    expect([...samples.keys()].some((name) => name.startsWith('process_resident_memory'))).toBe(
      true,
    );
    expect(text).not.toMatch(/m1|C-m/);
  });

  it('grows by what happened and not by how often it is read', async () => {
    await running.receive(buildEnvelope(), 'in.lab');
    const name = 'hilum_messages_total{interface="lab",event="received"}';
    const texts = await Promise.all(
      [1, 2, 3].map(async () => (await running.request('/metrics')).text()),
    );
    expect(texts.map((text) => parse(text).get(name))).toEqual([1, 1, 1]);
    await running.receive(buildEnvelope(), 'in.lab');
    expect(parse(await (await running.request('/metrics')).text()).get(name)).toBe(2);
  });
});
