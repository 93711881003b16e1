import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { openRabbitBroker } from '../../../connectors/rabbitmq/broker.ts';
import type { Broker } from '../../../core/ports/broker.ts';
import { describeWith } from '../../support/programs.ts';
import { startRabbit, type RabbitServer } from '../../support/rabbitmq.ts';
import { buildMessage, OwnerHere, silent } from '../owner.ts';
import type { LaneWorkerTask } from './lane-worker-process.ts';

const queue = 'in.shared';
const out = 'out.shared';
/** Whoever comes first has a lane; of so many each of two that begin together gets some. */
const lanes = 16;
const keys = Array.from({ length: 60 }, (_, index) => `patient${'-'.repeat(index % 5)}${index}`);
const rounds = 20;

/** What came out, of one message. */
interface Made {
  readonly key: string;
  readonly round: number;
  readonly worker: string;
}

describeWith('rabbitmq-server', 'lanes that two workers share', () => {
  let server: RabbitServer;
  let owner: OwnerHere;
  let broker: Broker;
  let workers: ChildProcess[];
  let made: Made[];

  beforeAll(async () => {
    server = await startRabbit();
  }, 150_000);

  afterAll(async () => {
    await server.stop();
  });

  beforeEach(async () => {
    owner = new OwnerHere();
    await owner.open();
    broker = await openRabbitBroker({ url: server.url, prefix: 't', logger: silent });
    await broker.declare({ name: queue, interface: 'lab', order: { lanes } });
    await broker.declare({ name: out, interface: 'lab' });
    workers = [];
    made = [];
  }, 60_000);

  afterEach(async () => {
    for (const worker of workers) worker.kill('SIGKILL');
    await broker.close();
    await owner.close();
  });

  const startWorker = async (): Promise<ChildProcess> => {
    const task: LaneWorkerTask = {
      ...{ url: server.url, prefix: 't', queue, lanes, out },
      socket: owner.socket,
    };
    const file = path.join(import.meta.dirname, 'lane-worker-process.ts');
    const worker = fork(file, [JSON.stringify(task)]);
    workers.push(worker);
    await once(worker, 'message');
    return worker;
  };

  /** Resolves when so many different messages came out, each counted when it came first. */
  const collect = async (counts: ReadonlyMap<number, () => void>): Promise<void> => {
    const seen = new Set<string>();
    await broker.consume(out, { window: 256 }, (delivery) => {
      const { controlId = '', key = '', interface: worker } = delivery.envelope;
      void delivery.accept();
      if (seen.has(controlId)) return;
      seen.add(controlId);
      made.push({ key, round: Number(controlId.split('/')[1]), worker });
      counts.get(seen.size)?.();
    });
  };

  const publishAll = async (): Promise<void> => {
    const all = Array.from({ length: rounds }, (_, round) =>
      keys.map((key) => buildMessage(`${key}/${round}`, { key })),
    ).flat();
    await Promise.all(all.map((envelope) => broker.publish(queue, envelope)));
  };

  it('keep those of a key in order, also where one is killed and the other takes over', async () => {
    const some = Promise.withResolvers<undefined>();
    const all = Promise.withResolvers<undefined>();
    const total = keys.length * rounds;
    await collect(
      new Map([
        [total / 3, () => some.resolve(undefined)],
        [total, () => all.resolve(undefined)],
      ]),
    );
    const [first, second] = await Promise.all([startWorker(), startWorker()]);
    await Promise.all(
      [first, second].map(async (worker) => {
        worker.send('consume');
        await once(worker, 'message');
      }),
    );
    await publishAll();
    await some.promise;
    const workersOf = (key: string): Set<string> =>
      new Set(made.filter((each) => each.key === key).map(({ worker }) => worker));
    // Both have had some, each key one of them.
    expect(new Set(made.map(({ worker }) => worker))).toEqual(
      new Set([String(first.pid), String(second.pid)]),
    );
    expect(keys.map((key) => workersOf(key).size)).toEqual(keys.map(() => 1));
    const before = made.length;
    first.kill('SIGKILL');
    await all.promise;
    const everyRound = Array.from({ length: rounds }, (_, round) => round);
    for (const key of keys) {
      const its = made.filter((each) => each.key === key).map(({ round }) => round);
      expect([key, its]).toEqual([key, everyRound]);
    }
    expect(before).toBeLessThan(total);
    expect(made.at(-1)?.worker).toBe(String(second.pid));
  }, 60_000);
});
