import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { connectOwner } from '../../../connectors/sqlite/client.ts';
import { openOwner } from '../../../connectors/sqlite/owner.ts';
import type { Envelope } from '../../../core/envelope.ts';
import { HilumError } from '../../../core/errors.ts';
import type { Broker, Delivery } from '../../../core/ports/broker.ts';
import type { LedgerEntry } from '../../../core/ports/ledger.ts';
import { OwnerFixture, quietLogger } from './support.ts';

const queue = 'in.owner';

describe('the owner of the data file', () => {
  let owner: OwnerFixture;
  beforeEach(() => {
    owner = new OwnerFixture();
  });
  afterEach(() => owner.close());

  it('lets only this user connect, and takes over a socket that a killed owner left', async () => {
    await owner.start();
    expect(statSync(owner.socket).mode & 0o777).toBe(0o600);
    await owner.kill();
    expect(statSync(owner.socket).isSocket()).toBe(true);
    await owner.start();
    await expect((await owner.connect()).broker.depths()).resolves.toEqual([]);
  });

  it('is the only one of its file, and of its socket', async () => {
    await owner.start();
    const other = { logger: quietLogger, file: `${owner.file}.other`, socket: owner.socket };
    await expect(openOwner(other)).rejects.toThrow('a process answers there');
    const same = { logger: quietLogger, file: owner.file, socket: `${owner.socket}.other` };
    await expect(openOwner(same)).rejects.toThrow('another has it');
    await expect((await owner.connect()).broker.depths()).resolves.toEqual([]);
  });

  it('leaves a file alone that a newer version has written', async () => {
    const database = new DatabaseSync(owner.file);
    database.exec('PRAGMA user_version = 9999');
    database.close();
    const opening = openOwner({ file: owner.file, socket: owner.socket, logger: quietLogger });
    await expect(opening).rejects.toThrow('a newer Hilum');
  });

  it('says what to do with a file from before the first release, and leaves it alone', async () => {
    const database = new DatabaseSync(owner.file);
    database.exec('CREATE TABLE queued (number INTEGER PRIMARY KEY); PRAGMA user_version = 4');
    const opening = openOwner({ file: owner.file, socket: owner.socket, logger: quietLogger });
    await expect(opening).rejects.toThrow('move the file away');
    expect(database.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'queued' }]);
    database.close();
  });

  it('brings a file up to date that has no place for what nodes changed', async () => {
    const envelope = buildEnvelope();
    await owner.start();
    await (await owner.connect()).ledger.append([{ type: 'message', envelope }]);
    await (await owner.connect()).ledger.trace(envelope.id);
    await owner.kill();
    await owner.disconnect();
    const database = new DatabaseSync(owner.file);
    database.exec(
      `DROP INDEX parked_held; ALTER TABLE parked DROP COLUMN held;
       DROP TABLE payload_change; PRAGMA user_version = 8`,
    );
    database.close();
    await owner.start();
    const { ledger } = await owner.connect();
    const changes = { messageId: envelope.id, text: 'as it was told' };
    await ledger.append([{ type: 'changes', changes }]);
    expect(await ledger.changes(envelope.id)).toEqual(changes);
    expect(await ledger.read(envelope.id)).toEqual(envelope);
  });

  it('says so when the file is none of its own', async () => {
    writeFileSync(owner.file, 'not a database, and long enough to be read as the header of one');
    const opening = openOwner({ file: owner.file, socket: owner.socket, logger: quietLogger });
    await expect(opening).rejects.toThrow('not a database');
  });

  it('opens and closes in the process that asks, again and again', async () => {
    for (const run of [1, 2]) {
      const own = await openOwner({ file: owner.file, socket: owner.socket, logger: quietLogger });
      const client = await owner.connect();
      await client.broker.declare({ name: queue, interface: 'test' });
      await client.broker.publish(queue, buildEnvelope());
      expect((await client.broker.depths())[0]?.ready).toBe(run);
      await Promise.all([own.close(), own.close()]);
      await owner.disconnect();
    }
  });

  it('rejects a client that finds nobody', async () => {
    const connecting = connectOwner({ socket: owner.socket, logger: quietLogger, timeoutMs: 100 });
    await expect(connecting).rejects.toMatchObject({ errorClass: 'transient' });
  });

  it('tells a client when the owner goes away and comes back', async () => {
    await owner.start();
    const client = await owner.connect();
    const states: string[] = [];
    const back = new Promise<void>((resolve) => {
      client.onState((state) => {
        states.push(state);
        if (state === 'connected') resolve();
      });
    });
    await owner.kill();
    await expect(client.broker.publish(queue, buildEnvelope())).rejects.toMatchObject({
      errorClass: 'transient',
    });
    await owner.start();
    await back;
    expect(states).toEqual(['disconnected', 'connected']);
  });

  it('declares again on a new file what a client had declared', async () => {
    await owner.start();
    const client = await owner.connect();
    await client.broker.declare({ name: queue, interface: 'test', topics: ['a.b'] });
    const back = new Promise<void>((resolve) => {
      client.onState((state) => {
        if (state === 'connected') resolve();
      });
    });
    await owner.kill();
    owner.removeFile();
    await owner.start();
    await back;
    await client.broker.publishEvent('a.b', buildEnvelope());
  });

  it('takes an id once per queue while it is there', async () => {
    await owner.start();
    const { broker } = await owner.connect();
    await broker.declare({ name: queue, interface: 'test' });
    const envelope = buildEnvelope();
    await Promise.all([broker.publish(queue, envelope), broker.publish(queue, envelope)]);
    await broker.publish(queue, envelope);
    expect((await broker.depths())[0]?.ready).toBe(1);
    await (await take(broker, 1))[0]!.accept();
    expect((await broker.depths())[0]).toMatchObject({ ready: 0, unsettled: 0 });
    await broker.publish(queue, envelope);
    expect((await broker.depths())[0]).toMatchObject({ unsettled: 1 });
  });

  it.each(['kill', 'end'] as const)(
    'marks after %s what was held as redelivered, and not what nobody had',
    async (how) => {
      await owner.start();
      const first = await owner.connect();
      await first.broker.declare({ name: queue, interface: 'test' });
      await first.broker.declare({ name: 'in.untouched', interface: 'test' });
      await first.broker.publish(queue, buildEnvelope());
      await first.broker.publish('in.untouched', buildEnvelope());
      await take(first.broker, 1);
      await owner[how]();
      await owner.disconnect();
      await owner.start();
      const { broker } = await owner.connect();
      expect((await take(broker, 1))[0]!.redelivered).toBe(true);
      expect((await take(broker, 1, 'in.untouched'))[0]!.redelivered).toBe(false);
    },
  );

  it('works off a backlog longer than its memory, in order, and gives back what was held', async () => {
    await owner.start();
    const { broker } = await owner.connect();
    await broker.declare({ name: queue, interface: 'test' });
    const envelopes = Array.from({ length: 3000 }, () => buildEnvelope());
    await Promise.all(envelopes.map((envelope) => broker.publish(queue, envelope)));
    const other = await owner.connect();
    const held = await take(other.broker, 700, queue, 700);
    await other.broker.close();
    expect(held).toHaveLength(700);
    const ids: string[] = [];
    const flags: boolean[] = [];
    await new Promise<void>((resolve, reject) => {
      broker
        .consume(queue, { window: 100 }, (delivery) => {
          ids.push(delivery.envelope.id);
          flags.push(delivery.redelivered);
          delivery.accept().then(() => ids.length === envelopes.length && resolve(), reject);
        })
        .catch(reject);
    });
    expect(ids).toEqual(envelopes.map(({ id }) => id));
    expect(flags.filter(Boolean)).toHaveLength(700);
    expect((await broker.depths())[0]).toMatchObject({ ready: 0, unsettled: 0, dead: 0 });
  });

  it('settles each delivery once', async () => {
    await owner.start();
    const { broker } = await owner.connect();
    await broker.declare({ name: queue, interface: 'test' });
    await broker.publish(queue, buildEnvelope());
    const [delivery] = await take(broker, 1);
    await delivery!.accept();
    await expect(delivery!.retry(0)).rejects.toMatchObject({ errorClass: 'permanent' });
  });

  it('refuses new messages when the file is full, loses none, and goes on when there is room', async () => {
    await owner.start(2 * 1024 * 1024);
    const { broker, ledger } = await owner.connect();
    await broker.declare({ name: queue, interface: 'test' });
    const stored: string[] = [];
    let refusal: unknown;
    const body = Buffer.alloc(20_000, 'x');
    while (refusal === undefined) {
      const batch = Array.from({ length: 16 }, () => ({ ...buildEnvelope(), body }));
      const results = await Promise.allSettled(
        batch.map((envelope) => broker.publish(queue, envelope)),
      );
      for (const [index, result] of results.entries()) {
        if (result.status === 'fulfilled') stored.push(batch[index]!.id);
        else refusal = result.reason;
      }
    }
    expect(refusal).toBeInstanceOf(HilumError);
    expect(refusal).toMatchObject({
      errorClass: 'transient',
      issues: [{ code: 'broker-unavailable', message: expect.stringContaining('full') as string }],
    });
    const envelope = { ...buildEnvelope(), body: Buffer.alloc(200_000) };
    await expect(ledger.append([{ type: 'message', envelope }])).rejects.toMatchObject({
      errorClass: 'transient',
      issues: [{ code: 'ledger-unavailable' }],
    });
    const held = await take(broker, stored.length, queue, stored.length);
    expect(held.map((delivery) => delivery.envelope.id)).toEqual(stored);
    await Promise.all(held.map((delivery) => delivery.accept()));
    await broker.publish(queue, { ...buildEnvelope(), body });
    await ledger.append([{ type: 'message', envelope }]);
    expect((await ledger.read(envelope.id))?.body).toHaveLength(200_000);
  });

  it('waits out a retry that was set by a clock an hour ahead no longer than it was told to', async () => {
    await owner.start();
    const first = await owner.connect();
    await first.broker.declare({ name: queue, interface: 'test' });
    await first.broker.publish(queue, buildEnvelope());
    const [delivery] = await take(first.broker, 1);
    await delivery!.retry(300);
    // A question for what is in the tables has them written.
    await first.ledger.ages();
    await owner.disconnect();
    await owner.kill();
    const database = new DatabaseSync(owner.file);
    database.exec('UPDATE queued SET due = due + 3600000');
    database.close();
    await owner.start();
    const { broker } = await owner.connect();
    expect((await take(broker, 1))[0]!.envelope.attempt).toBe(2);
  });

  describe('requests and answers that are too long', () => {
    const tooLong = 'x'.repeat(100 * 1024 * 1024);
    const event = (messageId: string, summary: string): LedgerEntry => ({
      type: 'event',
      event: { messageId, kind: 'received', at: '2026-01-02T03:04:05.678Z', summary },
    });

    it('refuses the one that cannot be sent, and sends its neighbours of the same tick', async () => {
      await owner.start();
      const { broker, ledger } = await owner.connect();
      await broker.declare({ name: queue, interface: 'test' });
      const envelope = buildEnvelope();
      const unsendable = { ...envelope, key: 1n } as unknown as Envelope;
      const long = { ...envelope, body: Buffer.alloc(50 * 1024 * 1024) };
      const results = await Promise.allSettled([
        broker.publish(queue, buildEnvelope()),
        ledger.append([event(randomUUID(), tooLong)]),
        ledger.append([{ type: 'message', envelope: unsendable }]),
        ledger.append([
          { type: 'message', envelope: long },
          { type: 'message', envelope: { ...long, id: randomUUID() } },
        ]),
        broker.publish(queue, { ...envelope, body: Buffer.alloc(65 * 1024 * 1024) }),
        ledger.append([{ type: 'message', envelope: { ...long, body: Buffer.from(tooLong) } }]),
        broker.publish(queue, buildEnvelope()),
      ]);
      const codes = results.map((result) =>
        result.status === 'fulfilled' ? 'stored' : codeOf(result.reason),
      );
      expect(codes).toEqual([
        'stored',
        'permanent message-too-large',
        'permanent request-invalid',
        'permanent message-too-large',
        'permanent message-too-large',
        'permanent message-too-large',
        'stored',
      ]);
      expect((await broker.depths())[0]?.ready).toBe(2);
    }, 30_000);

    it('delivers again what was settled with too much', async () => {
      await owner.start();
      const { broker } = await owner.connect();
      await broker.declare({ name: queue, interface: 'test' });
      await broker.publish(queue, buildEnvelope());
      const deliveries: Delivery[] = [];
      const again = new Promise<Delivery>((resolve, reject) => {
        const settle = (delivery: Delivery): void => {
          deliveries.push(delivery);
          if (deliveries.length > 1) resolve(delivery);
          else {
            delivery
              .deadLetter([{ code: 'long', severity: 'error', message: tooLong }])
              .then(reject, (error: unknown) => {
                expect(codeOf(error)).toBe('permanent message-too-large');
              });
          }
        };
        broker.consume(queue, { window: 1 }, settle).catch(reject);
      });
      expect((await again).redelivered).toBe(true);
      await (await again).deadLetter([]);
      expect((await broker.depths())[0]).toMatchObject({ ready: 0, unsettled: 0, dead: 1 });
    }, 30_000);

    it('answers what is too long together one by one', async () => {
      await owner.start();
      const { ledger } = await owner.connect();
      const envelopes = [1, 2].map((fill) => ({
        ...buildEnvelope(),
        body: Buffer.alloc(60 * 1024 * 1024, fill),
      }));
      for (const envelope of envelopes) await ledger.append([{ type: 'message', envelope }]);
      const found = await Promise.all(envelopes.map(({ id }) => ledger.read(id)));
      expect(found.map((it) => [it?.body.length, it?.body[0]])).toEqual([
        [60 * 1024 * 1024, 1],
        [60 * 1024 * 1024, 2],
      ]);
    }, 60_000);

    it('refuses an answer that fits into no frame, and answers the next', async () => {
      await owner.start();
      const { ledger } = await owner.connect();
      const envelope = buildEnvelope();
      await ledger.append([{ type: 'message', envelope }]);
      for (const part of [1, 2]) {
        await ledger.append([event(envelope.id, tooLong.slice(0, part * 45 * 1024 * 1024))]);
      }
      const failure = await ledger.trace(envelope.id).catch(codeOf);
      expect(failure).toBe('permanent answer-too-large');
      await expect(ledger.states([envelope.id])).resolves.toEqual(
        new Map([[envelope.id, 'received']]),
      );
    }, 60_000);
  });

  it.each(['accept', 'retry', 'deadLetter'] as const)(
    'delivers again, as it was, what %s could not settle, and the next after it',
    async (how) => {
      await owner.start();
      const { broker } = await owner.connect();
      await broker.declare({ name: queue, interface: 'test' });
      const envelopes = [buildEnvelope(), buildEnvelope()];
      for (const envelope of envelopes) await broker.publish(queue, envelope);
      const database = new DatabaseSync(owner.file);
      const settle = (delivery: Delivery): Promise<void> => {
        if (how === 'accept') return delivery.accept();
        return how === 'retry' ? delivery.retry(0) : delivery.deadLetter([]);
      };
      const seen: [id: string, attempt: number, redelivered: boolean][] = [];
      await new Promise<void>((resolve, reject) => {
        const handle = async (delivery: Delivery): Promise<void> => {
          const { id, attempt } = delivery.envelope;
          seen.push([id, attempt, delivery.redelivered]);
          if (seen.length === 1) {
            database.exec('BEGIN IMMEDIATE');
            await expect(settle(delivery)).rejects.toMatchObject({ errorClass: 'transient' });
            expect((await broker.depths())[0]).toMatchObject({ ready: 1, unsettled: 1 });
            database.exec('ROLLBACK');
          } else {
            await delivery.accept();
            if (seen.length === 3) resolve();
          }
        };
        broker
          .consume(queue, { window: 1 }, (delivery) => void handle(delivery).catch(reject))
          .catch(reject);
      });
      database.close();
      const [first, second] = envelopes.map(({ id }) => id);
      expect(seen).toEqual([
        [first, 1, false],
        [first, 1, true],
        [second, 1, false],
      ]);
      expect((await broker.depths())[0]).toMatchObject({ ready: 0, unsettled: 0, dead: 0 });
    },
  );

  it('stops a consumer while nothing can be stored, and publishes after', async () => {
    await owner.start();
    const { broker } = await owner.connect();
    await broker.declare({ name: queue, interface: 'test' });
    let delivered = 0;
    const consumer = await broker.consume(queue, { window: 1 }, () => (delivered += 1));
    const database = new DatabaseSync(owner.file);
    database.exec('BEGIN IMMEDIATE');
    await expect(broker.publish(queue, buildEnvelope())).rejects.toMatchObject({
      errorClass: 'transient',
    });
    await consumer.stop();
    expect(await broker.depths()).toMatchObject([{ queue, ready: 0 }]);
    database.close();
    await broker.publish(queue, buildEnvelope());
    expect(await broker.depths()).toMatchObject([{ queue, ready: 1, unsettled: 0 }]);
    expect(delivered).toBe(0);
  });

  it('puts a message aside whose header cannot be read, and delivers the next', async () => {
    await owner.start();
    const first = await owner.connect();
    await first.broker.declare({ name: queue, interface: 'test' });
    await first.broker.publish(queue, buildEnvelope());
    await owner.disconnect();
    await owner.end();
    const database = new DatabaseSync(owner.file);
    database.exec("UPDATE queued SET header = '{'");
    database.close();
    await owner.start();
    const { broker } = await owner.connect();
    const envelope = buildEnvelope();
    await broker.publish(queue, envelope);
    const [delivery] = await take(broker, 1);
    expect(delivery!.envelope.id).toBe(envelope.id);
    expect(await broker.depths()).toMatchObject([{ ready: 0, unsettled: 1, dead: 1 }]);
  });

  it('is left by a client that cannot read it, which connects again', async () => {
    const server = createServer();
    server.listen(owner.socket);
    await once(server, 'listening');
    const logged: string[] = [];
    const logger = { ...quietLogger, error: (_: object, it: string) => void logged.push(it) };
    const connected = once(server, 'connection');
    const connecting = connectOwner({ socket: owner.socket, logger });
    const [socket] = (await connected) as [Socket];
    const client = await connecting;
    const again = once(server, 'connection');
    socket.write(Buffer.from([4, 0, 0, 0, 1, 2, 3, 4]));
    await again;
    expect(logged).toHaveLength(1);
    await Promise.all([client.close(), new Promise((resolve) => server.close(resolve))]);
  });

  it('survives nonsense on its socket', async () => {
    await owner.start();
    for (const nonsense of [Buffer.alloc(16, 0xff), Buffer.from([4, 0, 0, 0, 1, 2, 3, 4])]) {
      const socket = createConnection(owner.socket);
      socket.on('error', () => undefined);
      socket.write(nonsense);
      await once(socket, 'close');
    }
    await expect((await owner.connect()).broker.depths()).resolves.toEqual([]);
  });
});

/** Takes so many deliveries without settling them. */
function take(broker: Broker, count: number, name = queue, window = count): Promise<Delivery[]> {
  return new Promise((resolve, reject) => {
    const taken: Delivery[] = [];
    broker
      .consume(name, { window }, (delivery) => {
        taken.push(delivery);
        if (taken.length === count) resolve(taken);
      })
      .catch(reject);
  });
}

/** Class and code of an error, in one line. */
function codeOf(error: unknown): string {
  if (!(error instanceof HilumError)) throw error;
  return `${error.errorClass} ${error.issues[0]?.code ?? ''}`;
}

function buildEnvelope(): Envelope {
  const id = randomUUID();
  return {
    id,
    interface: 'test',
    contentType: 'text/plain',
    correlationId: id,
    receivedAt: '2026-01-02T03:04:05.678Z',
    attempt: 1,
    body: Buffer.from(id),
  };
}
