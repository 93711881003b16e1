import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openRabbitBroker } from '../../../connectors/rabbitmq/broker.ts';
import type { OwnerClient } from '../../../connectors/sqlite/client.ts';
import type { Broker } from '../../../core/ports/broker.ts';
import { until } from '../../support/hilum.ts';
import { describeWith } from '../../support/programs.ts';
import { startRabbit, type RabbitServer } from '../../support/rabbitmq.ts';
import { buildMessage, OwnerHere, silent } from '../owner.ts';
import type { LaneWorkerTask } from './lane-worker-process.ts';
import { parkedKeys } from '../../support/parked.ts';

const queue = 'in.shared';
const out = 'out.shared';
/** Whoever comes first has a lane; of so many each of two that begin together gets some. */
const lanes = 16;
const keys = Array.from({ length: 60 }, (_, index) => `patient${'-'.repeat(index % 5)}${index}`);
const rounds = 20;

/** So much comes in while the workers become more and fewer. */
const ratePerSecond = 150;

/** What came out, of one message. */
interface Made {
  readonly key: string;
  readonly round: number;
  readonly worker: string;
  /** On the monotonic clock. */
  readonly at: number;
}

describeWith('rabbitmq-server', 'lanes that several workers share', () => {
  let server: RabbitServer;
  let owner: OwnerHere;
  let stores: OwnerClient;
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
    stores = await owner.connect();
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

  const startWorker = async (
    given: Pick<LaneWorkerTask, 'holds' | 'stops' | 'oneFailsOf'> = {},
  ): Promise<ChildProcess> => {
    const task: LaneWorkerTask = {
      ...{ url: server.url, prefix: 't', queue, lanes, out, ...given },
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
      made.push({ key, round: Number(controlId.split('/')[1]), worker, at: performance.now() });
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

  /** Messages of all keys in turn, at a steady rate, until told to stop; resolves with how many there were of each key. */
  const publishSteadily = (): { stop(): Promise<number> } => {
    const stopping = new AbortController();
    const publishing = (async () => {
      const beganAt = performance.now();
      let round = 0;
      for (; !stopping.signal.aborted; round += 1) {
        const sent = keys.map((key) =>
          broker.publish(queue, buildMessage(`${key}/${round}`, { key })),
        );
        await Promise.all(sent);
        const dueMs = beganAt + ((round + 1) * keys.length * 1_000) / ratePerSecond;
        await wait(Math.max(0, dueMs - performance.now()));
      }
      return round;
    })();
    return {
      stop() {
        stopping.abort();
        return publishing;
      },
    };
  };

  /** Resolves when the last so many that came out are shared among exactly these workers, none with too few. */
  const shared = async (among: readonly ChildProcess[]): Promise<void> => {
    const names = among.map(({ pid }) => String(pid));
    for (;;) {
      const last = made.slice(-4 * keys.length).map(({ worker }) => worker);
      const counts = names.map((name) => last.filter((worker) => worker === name).length);
      const fairMin = last.length / names.length / 4;
      if (last.length === 4 * keys.length && counts.every((count) => count >= fairMin)) {
        if (last.every((worker) => names.includes(worker))) return;
      }
      await wait(100);
    }
  };

  const consumeWith = async (worker: ChildProcess): Promise<void> => {
    worker.send('consume');
    await once(worker, 'message');
  };

  it('go from one worker to four and back under load, with nothing lost and those of a key in order', async () => {
    await collect(new Map());
    const first = await startWorker();
    await consumeWith(first);
    const load = publishSteadily();
    await shared([first]);
    const startedAt = performance.now();
    const others = await Promise.all([startWorker(), startWorker(), startWorker()]);
    await Promise.all(others.map(consumeWith));
    const joinedAt = performance.now();
    await shared([first, ...others]);
    const sharedAt = performance.now();
    // One is killed: what was in its lanes goes on elsewhere.
    const [killed, ...left] = others;
    const its = String(killed.pid);
    const keysOfKilled = new Set(
      made
        .slice(-4 * keys.length)
        .filter(({ worker }) => worker === its)
        .map(({ key }) => key),
    );
    killed.kill('SIGKILL');
    const killedAt = performance.now();
    const takenOver = (key: string): number | undefined =>
      made.find((each) => each.key === key && each.at > killedAt && each.worker !== its)?.at;
    while ([...keysOfKilled].some((key) => takenOver(key) === undefined)) await wait(20);
    const failoverMs = Math.max(...[...keysOfKilled].map((key) => takenOver(key)! - killedAt));
    await shared([first, ...left]);
    // The others leave as they do on a deploy.
    for (const worker of left) {
      worker.send('leave');
      await once(worker, 'exit');
    }
    await shared([first]);
    const published = await load.stop();
    while (made.length < published * keys.length) await wait(50);
    const everyRound = Array.from({ length: published }, (_, round) => round);
    for (const key of keys) {
      const rounds = made.filter((each) => each.key === key).map(({ round }) => round);
      expect([key, rounds]).toEqual([key, everyRound]);
    }
    process.stdout.write(
      `lanes: four workers share ${Math.round(sharedAt - joinedAt)} ms after they joined ` +
        `(${Math.round(joinedAt - startedAt)} ms to start), the ${keysOfKilled.size} keys of one that was killed went on ` +
        `within ${Math.round(failoverMs)} ms, ${published * keys.length} messages\n`,
    );
    expect(failoverMs).toBeLessThan(5_000);
  }, 180_000);

  it('keep those of a key in order and lose none, whoever is killed, leaves or comes while some are set aside', async () => {
    await collect(new Map());
    const start = async (): Promise<ChildProcess> => {
      const worker = await startWorker({ oneFailsOf: 12 });
      await consumeWith(worker);
      return worker;
    };
    const working = [await start(), await start(), await start()];
    const load = publishSteadily();
    let mostSetAside = 0;
    for (let round = 0; round < 8; round += 1) {
      for (let look = 0; look < 5; look += 1) {
        await wait(200);
        const parked = await parkedKeys(stores.ledger, queue);
        mostSetAside = Math.max(mostSetAside, parked.length);
      }
      const worker = working.shift()!;
      if (round % 3 === 2) worker.send('leave');
      else worker.kill('SIGKILL');
      working.push(await start());
    }
    const total = (await load.stop()) * keys.length;
    await until(
      () => Promise.resolve(made.length),
      (count) => count === total,
      30_000,
    );
    expect(mostSetAside).toBeGreaterThan(1);
    for (const key of keys) expect([key, roundsOf(key)]).toEqual([key, upTo(total / keys.length)]);
    await until(
      () => parkedKeys(stores.ledger, queue),
      (parked) => parked.length === 0,
      10_000,
    );
    process.stdout.write(
      `lanes: ${total} messages in order, up to ${mostSetAside} keys set aside, 8 workers replaced\n`,
    );
  }, 120_000);

  /** So many of one key, from that round on. */
  const publishOf = async (key: string, from: number, to: number): Promise<void> => {
    for (let round = from; round < to; round += 1) {
      await broker.publish(queue, buildMessage(`${key}/${round}`, { key }));
    }
  };
  const roundsOf = (key: string): number[] =>
    made.filter((each) => each.key === key).map(({ round }) => round);
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, round) => round);
  const setAside = (count: number) =>
    until(
      async () =>
        (await parkedKeys(stores.ledger, queue)).find(({ key }) => key === 'K')?.parked ?? 0,
      (parked) => parked === count,
      10_000,
    );
  const came = (count: number) =>
    until(
      () => Promise.resolve(roundsOf('K')),
      (rounds) => rounds.length >= count,
      20_000,
    );

  it('are taken over with what was set aside, of which nobody else has worked on any before', async () => {
    await collect(new Map());
    const first = await startWorker({ holds: 'K/0' });
    await consumeWith(first);
    await publishOf('K', 0, 20);
    await setAside(20);
    // Who comes meanwhile is given other lanes, and leaves this one alone.
    const second = await startWorker();
    await consumeWith(second);
    const load = publishSteadily();
    await until(
      () => Promise.resolve(made.some(({ worker }) => worker === String(second.pid))),
      (isAtWork) => isAtWork,
      30_000,
    );
    expect(roundsOf('K')).toEqual([]);
    first.kill('SIGKILL');
    await publishOf('K', 20, 25);
    await came(25);
    expect(roundsOf('K')).toEqual(upTo(25));
    const total = 25 + (await load.stop()) * keys.length;
    await until(
      () => Promise.resolve(made.length),
      (count) => count === total,
      20_000,
    );
    expect(await parkedKeys(stores.ledger, queue)).toEqual([]);
  }, 90_000);

  it.each<[string, (worker: ChildProcess) => Promise<unknown>]>([
    [
      'is killed',
      (worker) => {
        worker.kill('SIGKILL');
        return once(worker, 'exit');
      },
    ],
    [
      'leaves',
      (worker) => {
        worker.send('leave');
        return once(worker, 'exit');
      },
    ],
  ])(
    'go on with what waits for a decision where who had them %s',
    async (_, leave) => {
      await collect(new Map());
      const first = await startWorker({ stops: 'K/0' });
      await consumeWith(first);
      await publishOf('K', 0, 6);
      await setAside(6);
      const second = await startWorker();
      await consumeWith(second);
      await leave(first);
      const [stopped] = await stores.ledger.readParked(queue, 'K', 1);
      const at = new Date().toISOString();
      const event = { messageId: stopped!.id, kind: 'resumed', at, queue } as const;
      await stores.ledger.append([{ type: 'event', event }]);
      // Nothing in the broker's queue says that it has the lane now.
      second.send('K');
      await came(6);
      await publishOf('K', 6, 9);
      await came(9);
      expect(roundsOf('K')).toEqual(upTo(9));
      expect(new Set(made.map(({ worker }) => worker))).toEqual(new Set([String(second.pid)]));
      expect(await parkedKeys(stores.ledger, queue)).toEqual([]);
    },
    60_000,
  );
});
