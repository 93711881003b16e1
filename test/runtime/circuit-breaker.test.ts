import type { Outcome } from '../../core/outcome.ts';
import { CircuitBreaker, type BreakerState } from '../../runtime/edge/circuit-breaker.ts';

const outage: Outcome = {
  kind: 'transient',
  issues: [{ code: 'connection-failed', severity: 'error', message: 'It is gone.' }],
  isOutage: true,
};
const refusal: Outcome = { kind: 'transient', issues: [] };
const delivered: Outcome = { kind: 'delivered', summary: 'AA' };

let told: BreakerState['state'][];
let delays: number[];

beforeEach(() => {
  jest.useFakeTimers();
  told = [];
  delays = [];
});

afterEach(() => {
  jest.useRealTimers();
});

function open(failures = 2): CircuitBreaker {
  return new CircuitBreaker({
    failures,
    probeDelayMs: (probe) => {
      delays.push(probe);
      return probe * 1_000;
    },
    onChange: ({ state }) => told.push(state),
  });
}

const patient = new AbortController().signal;

async function fail(breaker: CircuitBreaker, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) (await breaker.enter(patient))?.report(outage);
}

/** Who has entered so far, in their order. */
function queueUp(breaker: CircuitBreaker, count: number, signal = patient) {
  const entered: { index: number; report: (outcome: Outcome | undefined) => void }[] = [];
  for (let index = 0; index < count; index += 1) {
    void breaker.enter(signal).then((pass) => {
      if (pass !== undefined) entered.push({ index, report: (outcome) => pass.report(outcome) });
    });
  }
  return entered;
}

describe('a circuit breaker', () => {
  it('opens after so many outages in a row, and lets one through after a while', async () => {
    const breaker = open();
    await fail(breaker, 1);
    (await breaker.enter(patient))?.report(refusal);
    await fail(breaker, 1);
    expect(breaker.isOpen).toBe(false);
    await fail(breaker, 1);
    expect(breaker.state).toEqual({ state: 'failing', reason: 'connection-failed: It is gone.' });
    const entered = queueUp(breaker, 3);
    await jest.advanceTimersByTimeAsync(999);
    expect(entered).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(entered.map(({ index }) => index)).toEqual([0]);
  });

  it('waits longer after each probe that fails, and another probes next', async () => {
    const breaker = open();
    await fail(breaker, 2);
    const entered = queueUp(breaker, 3);
    await jest.advanceTimersByTimeAsync(1_000);
    entered[0]?.report(outage);
    await jest.advanceTimersByTimeAsync(1_999);
    expect(entered).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(entered.map(({ index }) => index)).toEqual([0, 1]);
    expect(delays).toEqual([1, 2]);
    expect(told).toEqual(['failing']);
  });

  it.each([
    ['a delivery', delivered],
    ['a refusal: the partner is there', refusal],
  ])('closes with %s, and lets all through', async (_name, outcome) => {
    const breaker = open();
    await fail(breaker, 2);
    const entered = queueUp(breaker, 3);
    await jest.advanceTimersByTimeAsync(1_000);
    entered[0]?.report(outcome);
    await jest.advanceTimersByTimeAsync(0);
    expect(entered).toHaveLength(3);
    expect(told).toEqual(['failing', 'sending']);
  });

  it('lets another probe where nothing came of the one before', async () => {
    const breaker = open();
    await fail(breaker, 2);
    const entered = queueUp(breaker, 2);
    await jest.advanceTimersByTimeAsync(1_000);
    entered[0]?.report(undefined);
    await jest.advanceTimersByTimeAsync(0);
    expect(entered).toHaveLength(2);
  });

  it('closes with what was under way when it opened, and learns nothing new from its failures', async () => {
    const breaker = open();
    const [early, late] = [await breaker.enter(patient), await breaker.enter(patient)];
    await fail(breaker, 2);
    early?.report(outage);
    expect(delays).toEqual([1]);
    late?.report(delivered);
    expect(breaker.isOpen).toBe(false);
  });

  it('opens at once where the partner asks to be left alone, and for that long', async () => {
    const breaker = open(5);
    (await breaker.enter(patient))?.report({ ...outage, retryAfterMs: 30_000 });
    const entered = queueUp(breaker, 1);
    await jest.advanceTimersByTimeAsync(29_999);
    expect(entered).toHaveLength(0);
    await jest.advanceTimersByTimeAsync(1);
    expect(entered).toHaveLength(1);
  });

  it('never opens where it is off', async () => {
    const breaker = open(0);
    await fail(breaker, 100);
    expect(breaker.isOpen).toBe(false);
  });

  it('lets nobody through while it is held, not even to probe', async () => {
    const breaker = open();
    await fail(breaker, 2);
    breaker.hold();
    const entered = queueUp(breaker, 1);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(entered).toHaveLength(0);
    breaker.letGo();
    await jest.advanceTimersByTimeAsync(0);
    expect(entered).toHaveLength(1);
    expect(told).toEqual(['failing', 'paused', 'failing']);
  });

  it('lets go of who stops waiting', async () => {
    const breaker = open();
    await fail(breaker, 2);
    const leaving = new AbortController();
    const entered = breaker.enter(leaving.signal);
    leaving.abort();
    expect(await entered).toBeUndefined();
  });
});
