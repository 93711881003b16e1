import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { OwnerClient } from '../../../connectors/sqlite/client.ts';
import type { Envelope } from '../../../core/envelope.ts';
import { HilumError } from '../../../core/errors.ts';
import { OwnerFixture } from './support.ts';

const rounds = Number(process.env['HILUM_KILL_ROUNDS'] ?? 5);
const queue = 'in.kill';

/** What a client saw, by id: the owner's promises are counted against it. */
class Books {
  readonly published = new Set<string>();
  readonly accepted = new Set<string>();
  readonly recorded = new Set<string>();
  readonly seen = new Map<string, number>();
  /** Seen again after its acceptance was confirmed. */
  readonly resurrected: string[] = [];
  unflagged = 0;
}

describe('killed in the middle of load', () => {
  it(
    `loses nothing that it confirmed, in ${rounds} rounds`,
    async () => {
      const owner = new OwnerFixture();
      try {
        await owner.start();
        const edge = await owner.connect();
        const worker = await owner.connect();
        await edge.broker.declare({ name: queue, interface: 'test' });
        const books = new Books();
        await consume(worker, books);
        for (let round = 0; round < rounds; round += 1) {
          const target = books.accepted.size + 300 + Math.floor(Math.random() * 500);
          const load = new Load(edge, books);
          await load.until(() => books.accepted.size >= target);
          await owner.kill();
          checkIntegrity(owner.file);
          await Promise.all([owner.start(), connectedAgain(edge), connectedAgain(worker)]);
          await load.end();
        }
        await drained(edge);
        const lost = [...books.published].filter((id) => !books.seen.has(id));
        const unrecorded = [...books.recorded];
        const states = await edge.ledger.states(unrecorded);
        expect(lost).toEqual([]);
        expect(unrecorded.filter((id) => !states.has(id))).toEqual([]);
        expect(books.resurrected).toEqual([]);
        // What is seen twice says that it may be.
        expect(books.unflagged).toBe(0);
        expect(books.published.size).toBeGreaterThan(300 * rounds);
        const [depth] = await edge.broker.depths();
        expect(depth).toMatchObject({ ready: 0, unsettled: 0, dead: 0 });
        await owner.disconnect();
        await owner.end();
        checkIntegrity(owner.file);
        checkCounters(owner.file);
      } finally {
        await owner.close();
      }
    },
    20_000 * rounds,
  );
});

/** Publishes and appends with 64 outstanding until it is told to end. */
class Load {
  #ending = false;
  #check: () => void = () => undefined;
  readonly #lanes: Promise<void>[];

  constructor(client: OwnerClient, books: Books) {
    const lane = async (): Promise<void> => {
      while (!this.#ending) {
        const envelope = buildEnvelope();
        try {
          await Promise.all([
            client.broker.publish(queue, envelope).then(() => books.published.add(envelope.id)),
            client.ledger
              .append([
                { type: 'message', envelope },
                {
                  type: 'event',
                  event: { messageId: envelope.id, kind: 'queued', at: envelope.receivedAt, queue },
                },
              ])
              .then(() => books.recorded.add(envelope.id)),
          ]);
        } catch (error) {
          if (!(error instanceof HilumError) || error.errorClass !== 'transient') throw error;
          // The owner was killed: this round's load is over.
          this.#ending = true;
        }
        this.#check();
      }
    };
    this.#lanes = Array.from({ length: 64 }, lane);
  }

  async until(reached: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#check = () => {
        if (reached()) resolve();
      };
    });
  }

  async end(): Promise<void> {
    this.#ending = true;
    await Promise.all(this.#lanes);
  }
}

async function consume(client: OwnerClient, books: Books): Promise<void> {
  await client.broker.consume(queue, { window: 100 }, (delivery) => {
    const { id } = delivery.envelope;
    const times = books.seen.get(id) ?? 0;
    books.seen.set(id, times + 1);
    if (books.accepted.has(id)) books.resurrected.push(id);
    if (times > 0 && !delivery.redelivered) books.unflagged += 1;
    // A rejection: the owner was killed, and it is delivered again.
    delivery.accept().then(
      () => books.accepted.add(id),
      () => undefined,
    );
  });
}

function connectedAgain(client: OwnerClient): Promise<void> {
  return new Promise((resolve) => {
    client.onState((state) => {
      if (state === 'connected') resolve();
    });
  });
}

async function drained(client: OwnerClient): Promise<void> {
  for (;;) {
    const [depth] = await client.broker.depths();
    if (depth !== undefined && depth.ready + depth.unsettled === 0) return;
  }
}

function checkIntegrity(file: string): void {
  const database = new DatabaseSync(file);
  const [row] = database.prepare('PRAGMA integrity_check').all();
  database.close();
  expect(row).toEqual({ integrity_check: 'ok' });
}

/** The counters of the ledger equal its rows. */
function checkCounters(file: string): void {
  const database = new DatabaseSync(file);
  const counted = database.prepare('SELECT sum(count) AS events FROM event_count').get();
  const rows = database.prepare('SELECT sum(json_array_length(events)) AS events FROM event').get();
  database.close();
  expect(counted).toEqual(rows);
}

function buildEnvelope(): Envelope {
  const id = randomUUID();
  return {
    id,
    interface: 'test',
    contentType: 'application/hl7-v2',
    correlationId: id,
    receivedAt: new Date().toISOString(),
    attempt: 1,
    body: Buffer.alloc(2048, id),
  };
}
