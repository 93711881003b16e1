/** What the plan counts with: a figure, and how it is known. */
export interface Figure {
  readonly value: number;
  readonly unit: string;
  readonly kind: 'measured' | 'assumed';
  /** The command and the machine it was measured with, or why it was assumed. */
  readonly source: string;
}

const measured = (value: number, unit: string, source: string): Figure => ({
  ...{ value, unit, source },
  kind: 'measured',
});
const assumed = (value: number, unit: string, source: string): Figure => ({
  ...{ value, unit, source },
  kind: 'assumed',
});

const workers =
  '`npm run bench -- workers`, one worker at full load (650/s): MLLP in, validation, ten edits, MLLP out, roles apart; 2 shared cores that all of it and its load fill, RabbitMQ 3.10.8, PostgreSQL 15';

/**
 * Processor time is of one core of the machine it was measured on (a shared virtual one): measure again on yours, and
 * put your figures here.
 */
export const figures = {
  edgeMicros: measured(736, 'µs a message', workers),
  workerMicros: measured(928, 'µs a message', workers),
  brokerMicros: measured(518, 'µs a message through two queues, one node', workers),
  /** What three nodes take together, of what one takes. */
  clusterFactor: measured(
    3.5,
    'times',
    '`npm run bench -- rabbitmq-broker --nodes 3` against 1: 684 and 726 against 194 and 206 µs for a message through one queue',
  ),
  ledgerMicros: measured(
    130,
    'µs a row',
    '`npm run bench -- workers`: 519 µs a message, of four rows; at 100/s, where few messages share a transaction, 3,110 µs. PostgreSQL 15 alone takes 20,631 rows/s of 4 kB in batches of 100, 48 µs each',
  ),
  ledgerRows: assumed(
    4,
    'rows a message',
    'two messages (in, out), and their events packed into one row each',
  ),
  ledgerBytesBeside: measured(
    1_926,
    'bytes a message beside its two bodies',
    'the data file after 8,930 messages of `npm run test:faults -- cluster`, SQLite',
  ),
  ledgerStorageFactor: assumed(1.5, 'times', "PostgreSQL's rows and indexes beside SQLite's"),
  edgeMiB: measured(120, 'MiB', 'pipeline at full load, embedded broker, proportional memory'),
  workerMiB: measured(250, 'MiB', 'the same'),
  consoleMiB: measured(153, 'MiB', 'the same: the supervisor with console and editor'),
  brokerMiB: measured(283, 'MiB a node', '850 MB for three idle nodes of 3.10.8 together'),
  queueMiB: measured(
    0.15,
    'MiB a queue and node',
    'docs/operate.md: each further lane of 30 ordered queues',
  ),
  queuesPerInterface: measured(
    14,
    'quorum queues',
    'what Hilum declares: the queue, dead letters and five for retries, for what comes in and what goes out; lanes beside',
  ),
  amqpBytesBeside: assumed(600, 'bytes a message and hop', 'headers, frames and acknowledgments'),
  cellCores: assumed(16, 'cores', 'a broker node, and a database server'),
  queuesPerCluster: assumed(
    20_000,
    'quorum queues',
    'a cluster with more takes long to start and to find leaders again: not tried here',
  ),
  ledgerRowsPerSecond: assumed(
    15_000,
    'rows/s',
    'three quarters of what PostgreSQL alone took on two cores, 20,631 rows/s of 4 kB in batches of 100: its disks bound it before 16 cores do',
  ),
  ledgerTiBPerServer: assumed(30, 'TiB', 'what one server is given, backups beside'),
  failoverMs: measured(1_100, 'ms', '`npx jest test/runtime/order/lanes`: a killed worker of four'),
} as const;
