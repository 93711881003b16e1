import { plan, toWorkers, type Demand, type Figures } from './capacity.ts';
import { simulate } from './simulation.ts';
import { createRandom } from '../../fuzz/random.ts';

/** Round numbers, so that each result can be worked out by hand. */
const figures: Figures = {
  edgeMicros: 500,
  workerMicros: 500,
  brokerMicros: 400,
  clusterFactor: 2,
  ledgerMicros: 50,
  ledgerRows: 4,
  ledgerBytesBeside: 1_000,
  ledgerStorageFactor: 2,
  edgeMiB: 128,
  workerMiB: 256,
  consoleMiB: 128,
  brokerMiB: 512,
  queueMiB: 0.125,
  queuesPerInterface: 14,
  amqpBytesBeside: 500,
  cellCores: 10,
  queuesPerCluster: 16_001,
  ledgerRowsPerSecond: 40_000,
  ledgerTiBPerServer: 100,
  failoverMs: 1_000,
};
/** 1,000/s on average, 2,000/s at the peak. */
const demand: Demand = {
  messagesPerDay: 86_400_000,
  interfaces: 1_000,
  peakFactor: 2,
  bytes: 1_500,
  days: 10,
  utilization: 0.5,
  hotShare: 0.1,
  interfacesPerGroup: 20,
};

describe('the plan', () => {
  const planned = plan(demand, figures);
  const part = (name: string) => planned.parts.find((each) => each.name === name);

  it('counts messages a second', () => {
    expect(planned.averagePerSecond).toBe(1_000);
    expect(planned.peakPerSecond).toBe(2_000);
  });

  it('counts what each part needs', () => {
    // 2,000/s × 500 µs: one core; half busy two, and one more.
    expect(part('edge')).toEqual({
      name: 'edge',
      count: 3,
      cores: 1,
      memoryGiB: 0.375,
      busy: 1 / 3,
    });
    // 50 groups of 20, more than the two that the rate needs.
    expect(part('worker')).toMatchObject({ count: 50, cores: 1, memoryGiB: 12.5 });
    // 2,000/s × 400 µs × 2 over three nodes of ten cores.
    expect(part('RabbitMQ node')).toMatchObject({ count: 3, cores: 1.6 });
    expect(part('RabbitMQ node')?.busy).toBeCloseTo(1.6 / 30);
    // 16,001 queues × 0.125 MiB + 512 MiB, three times.
    expect(part('RabbitMQ node')?.memoryGiB).toBeCloseTo((3 * (16_001 / 8 + 512)) / 1024);
    expect(part('PostgreSQL')).toMatchObject({ count: 1, cores: 0.4 });
  });

  it('counts what the ledger keeps', () => {
    // (2 × 1,500 + 1,000) × 2.
    expect(planned.ledgerBytesPerDay).toBe(86_400_000 * 8_000);
    expect(planned.ledgerBytes).toBe(86_400_000 * 8_000 * 10);
  });

  it('counts the network', () => {
    expect(planned.networkBitsPerSecond).toBe(8 * 2_000 * (8 * 2_000 + 4 * 1_500 + 1_000));
  });

  it('names first what limits first', () => {
    expect(planned.limits[0]).toEqual({
      ...{ name: 'queues of a broker cluster', needed: 16_001, most: 16_001 },
      ...{ unit: 'queues', installations: 1 },
    });
    expect(planned.installations).toBe(1);
    const tenfold = plan({ ...demand, messagesPerDay: 864_000_000 }, figures);
    expect(tenfold.limits[0]?.name).toBe('rows that a ledger takes');
    // 20,000/s × 4 rows, half busy: 160,000 of 40,000.
    expect(tenfold.installations).toBe(4);
    expect(tenfold.parts.find(({ name }) => name === 'RabbitMQ node')?.count).toBe(12);
  });

  it('gives a hot interface workers for its rate, and lanes to share', () => {
    expect([planned.hotWorkers, planned.hotLanes]).toEqual([1, 1]);
    const hot = plan({ ...demand, hotShare: 1 }, figures);
    expect([hot.hotWorkers, hot.hotLanes]).toEqual([2, 8]);
    expect(toWorkers(2_001, demand, figures)).toBe(3);
  });
});

describe('the simulation', () => {
  const numbers = createRandom(7);
  const random = (): number => numbers.whole(2 ** 31) / 2 ** 31;
  const queue = {
    ...{ perSecond: 500, workers: 1, lanes: 1, workerMicros: 1_000, burst: 1 },
    ...{ messages: 60_000, random },
  };

  it('waits as queueing theory says for one server', () => {
    // M/M/1, half busy: the time in it is exponential with mean 2 ms.
    const { p50Ms, p99Ms, busy } = simulate(queue);
    expect(busy).toBeCloseTo(0.5, 1);
    expect(p50Ms / (2 * Math.LN2)).toBeCloseTo(1, 1);
    expect(p99Ms / (2 * Math.log(100))).toBeCloseTo(1, 0);
  });

  it('spreads over lanes and workers', () => {
    const wide = simulate({ ...queue, perSecond: 2_000, workers: 4, lanes: 16 });
    expect(wide.busy).toBeCloseTo(0.5, 1);
    expect(wide.p50Ms / (2 * Math.LN2)).toBeCloseTo(1, 1);
  });

  it('waits longer where messages come in bursts', () => {
    expect(simulate({ ...queue, burst: 20 }).p50Ms).toBeGreaterThan(5 * simulate(queue).p50Ms);
  });

  it('keeps what comes while a worker is lost, and works it off', () => {
    const lost = simulate({ ...queue, loss: { atSeconds: 10, forMs: 1_000 } });
    expect(lost.longestMs).toBeGreaterThan(1_000);
    expect(lost.deepest).toBeGreaterThan(400);
    expect(lost.p50Ms).toBeLessThan(2 * simulate(queue).p50Ms);
  });
});
