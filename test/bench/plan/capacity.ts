import type { figures } from './figures.ts';

export type Figures = { readonly [Name in keyof typeof figures]: number };

/** What is to be carried. */
export interface Demand {
  readonly messagesPerDay: number;
  readonly interfaces: number;
  /** The busiest hour of the average one. */
  readonly peakFactor: number;
  /** Of one message, as it comes in; as much goes out. */
  readonly bytes: number;
  /** How long the ledger keeps a message. */
  readonly days: number;
  /** How busy a part may be in the busiest hour, 0 up to 1. */
  readonly utilization: number;
  /** What the busiest interface has of all messages, 0 up to 1. */
  readonly hotShare: number;
  /** So many quiet interfaces share a worker. */
  readonly interfacesPerGroup: number;
}

/** One part of the plan, all installations together. */
interface Part {
  readonly name: string;
  readonly count: number;
  /** Busy cores in the busiest hour. */
  readonly cores: number;
  readonly memoryGiB: number;
  /** Of its count, in the busiest hour, 0 up to 1. */
  readonly busy: number;
}

/** Something that one installation has one of, and how many installations it asks for. */
interface Limit {
  readonly name: string;
  readonly needed: number;
  readonly most: number;
  readonly unit: string;
  readonly installations: number;
}

export interface Plan {
  readonly averagePerSecond: number;
  readonly peakPerSecond: number;
  /** Each with its own broker cluster and ledger. */
  readonly installations: number;
  /** What limits first comes first. */
  readonly limits: readonly Limit[];
  readonly parts: readonly Part[];
  /** Of the busiest interface. */
  readonly hotLanes: number;
  readonly hotWorkers: number;
  readonly ledgerBytesPerDay: number;
  readonly ledgerBytes: number;
  /** Between all parts together, in the busiest hour. */
  readonly networkBitsPerSecond: number;
}

const secondsPerDay = 86_400;
const nodesPerCluster = 3;
/** Between hops a body travels to the leader, to two others, and to whoever consumes; in and out. */
const brokerHops = 2 * 4;
const partnerHops = 2;
const ledgerHops = 2;
/** A lane is one worker's: a few times as many spread evenly. */
const lanesPerWorker = 4;

/** How much of everything a demand needs. Pure arithmetic; `simulate` says how long messages wait in it. */
export function plan(demand: Demand, figures: Figures): Plan {
  const averagePerSecond = demand.messagesPerDay / secondsPerDay;
  const peakPerSecond = averagePerSecond * demand.peakFactor;
  const busyCores = (micros: number): number => (peakPerSecond * micros) / 1e6;

  const brokerCores = busyCores(figures.brokerMicros * figures.clusterFactor);
  const rowsPerSecond = peakPerSecond * figures.ledgerRows;
  const ledgerCores = (rowsPerSecond * figures.ledgerMicros) / 1e6;
  const ledgerBytesPerDay =
    demand.messagesPerDay *
    figures.ledgerStorageFactor *
    (2 * demand.bytes + figures.ledgerBytesBeside);
  const ledgerBytes = ledgerBytesPerDay * demand.days;

  const hotWorkers = toWorkers(peakPerSecond * demand.hotShare, demand, figures);
  const hotLanes = hotWorkers === 1 ? 1 : hotWorkers * lanesPerWorker;
  const queues = demand.interfaces * (figures.queuesPerInterface + 2) + hotLanes;

  const limits = [
    buildLimit('processor of a broker cluster', {
      needed: brokerCores / demand.utilization,
      most: nodesPerCluster * figures.cellCores,
      unit: 'cores',
    }),
    buildLimit('queues of a broker cluster', {
      needed: queues,
      most: figures.queuesPerCluster,
      unit: 'queues',
    }),
    buildLimit('rows that a ledger takes', {
      needed: rowsPerSecond / demand.utilization,
      most: figures.ledgerRowsPerSecond,
      unit: 'rows/s',
    }),
    buildLimit('room of a ledger', {
      needed: ledgerBytes / 2 ** 40,
      most: figures.ledgerTiBPerServer,
      unit: 'TiB',
    }),
  ].toSorted((left, right) => right.needed / right.most - left.needed / left.most);
  const installations = Math.max(...limits.map((limit) => limit.installations));

  const edgeCores = busyCores(figures.edgeMicros);
  // One more than is needed, so that one may be away; two at least.
  const edges =
    installations * Math.max(2, 1 + Math.ceil(edgeCores / installations / demand.utilization));
  const workerCores = busyCores(figures.workerMicros);
  const groups = Math.ceil(demand.interfaces / demand.interfacesPerGroup);
  const workers = Math.max(
    groups + hotWorkers - 1,
    installations * Math.ceil(workerCores / installations / demand.utilization),
  );
  const nodes = installations * nodesPerCluster;
  const queueMiB = (queues / installations) * figures.queueMiB;
  return {
    ...{ averagePerSecond, peakPerSecond, installations, limits, hotLanes, hotWorkers },
    ...{ ledgerBytesPerDay, ledgerBytes },
    parts: [
      buildPart('edge', { count: edges, cores: edgeCores, miB: figures.edgeMiB, coresOfOne: 1 }),
      buildPart('worker', {
        ...{ count: workers, cores: workerCores, miB: figures.workerMiB, coresOfOne: 1 },
      }),
      buildPart('console', {
        ...{ count: installations, cores: 0, miB: figures.consoleMiB, coresOfOne: 1 },
      }),
      buildPart('RabbitMQ node', {
        ...{ count: nodes, cores: brokerCores, miB: figures.brokerMiB + queueMiB },
        coresOfOne: figures.cellCores,
      }),
      buildPart('PostgreSQL', {
        ...{ count: installations, cores: ledgerCores, miB: 0, coresOfOne: figures.cellCores },
      }),
    ],
    networkBitsPerSecond:
      8 *
      peakPerSecond *
      (brokerHops * (demand.bytes + figures.amqpBytesBeside) +
        (partnerHops + ledgerHops) * demand.bytes +
        figures.ledgerBytesBeside),
  };
}

/** How many workers a rate needs, one at least. */
export function toWorkers(
  perSecond: number,
  { utilization }: Pick<Demand, 'utilization'>,
  { workerMicros }: Pick<Figures, 'workerMicros'>,
): number {
  return Math.max(1, Math.ceil((perSecond * workerMicros) / 1e6 / utilization));
}

function buildLimit(
  name: string,
  { needed, most, unit }: { readonly needed: number; readonly most: number; readonly unit: string },
): Limit {
  return { name, needed, most, unit, installations: Math.max(1, Math.ceil(needed / most)) };
}

function buildPart(
  name: string,
  of: {
    readonly count: number;
    readonly cores: number;
    readonly miB: number;
    readonly coresOfOne: number;
  },
): Part {
  const { count, cores, miB, coresOfOne } = of;
  return {
    ...{ name, count, cores },
    memoryGiB: (count * miB) / 1024,
    busy: cores / (count * coresOfOne),
  };
}
