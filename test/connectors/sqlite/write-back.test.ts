import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '../../../connectors/sqlite/database.ts';
import type { DeliveryParcel, Parcel, Request } from '../../../connectors/sqlite/protocol.ts';
import { applyRequest } from '../../../connectors/sqlite/requests.ts';
import { Transactions } from '../../../connectors/sqlite/transactions.ts';
import type { Envelope } from '../../../core/envelope.ts';
import type { LedgerEntry, LedgerEventKind } from '../../../core/ports/ledger.ts';

type Ask = Request extends infer Each
  ? Each extends readonly [number, ...infer Rest]
    ? Rest
    : never
  : never;

const queues = ['in.a', 'out.b'] as const;
const folders: string[] = [];
const open: Database[] = [];

afterEach(() => {
  for (const database of open.splice(0)) database.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** The owner's stores on a file of their own, without sockets: one consumer holds all that is delivered. */
class StoresHere {
  readonly #file: string;
  #database: Database;
  #transactions: Transactions;
  readonly #held = new Map<string, number>();

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'hilum-write-back-'));
    folders.push(folder);
    this.#file = join(folder, 'hilum.db');
    [this.#database, this.#transactions] = this.#open();
  }

  /** In the order of delivery, with the attempt. */
  get held(): readonly string[] {
    return [...this.#held.keys()];
  }

  ask(...requests: readonly Ask[]): void {
    const effects: (() => unknown)[] = [];
    this.#transactions.commit(
      () => {
        for (const [index, request] of requests.entries()) {
          const whole = [index, ...request] as unknown as Request;
          effects.push(applyRequest(this.#transactions, this.#receiver, whole));
        }
      },
      { isWriting: true },
    );
    for (const effect of effects) effect();
    this.#dispatch();
  }

  settle(id: string, build: (lease: number) => Ask): void {
    const lease = this.#held.get(id);
    if (lease === undefined) throw new Error(`${id} was not delivered.`);
    this.#held.delete(id);
    this.ask(build(lease));
  }

  writeBack(what: 'ended' | 'everything'): void {
    this.#transactions.writeBack(what);
  }

  /** The process ends where it stands, and the next one takes up what it left; or all that was held is given back. */
  restart(how: 'killed' | 'given back'): void {
    this.#held.clear();
    if (how === 'killed') {
      this.#database.close();
      open.splice(open.indexOf(this.#database), 1);
      [this.#database, this.#transactions] = this.#open();
    } else {
      this.#transactions.queues.leave(this.#receiver);
      this.ask(...consume);
    }
  }

  /** What is known, without the numbers that differ by when it was written. */
  dump(): unknown {
    this.writeBack('everything');
    const all = (sql: string): unknown[] => this.#database.all(sql).map((row) => ({ ...row }));
    const events = this.#database.all(
      'SELECT id, events FROM event JOIN message ON message.number = event.message ORDER BY id, event.number',
    );
    return {
      messages: all(
        `SELECT id, state, state_at, last_event_at, content_type, control_id, bytes, digest, body FROM message
         LEFT JOIN content ON content.number = message.content ORDER BY id`,
      ),
      events: events.flatMap((row) =>
        (JSON.parse(String(row['events'])) as unknown[]).map((event) => [row['id'], event]),
      ),
      queued: all(
        `SELECT queue, id, attempt, due > 0 AS waits, issues, body FROM queued
         LEFT JOIN content ON content.number = queued.content ORDER BY queue, position`,
      ),
      waiting: all(
        `SELECT id, queue, since FROM waiting JOIN message ON message.number = waiting.message
         ORDER BY id, queue`,
      ),
      counts: all('SELECT * FROM event_count ORDER BY interface, queue, kind'),
      changes: all(
        `SELECT id, changes FROM payload_change JOIN message ON message.number = payload_change.message
         ORDER BY id`,
      ),
      parked: all('SELECT number, queue, key, since, stopped FROM parked ORDER BY number'),
      ofNobody: all(
        `SELECT number FROM content WHERE number NOT IN (SELECT content FROM message WHERE content NOT NULL)
         AND number NOT IN (SELECT content FROM queued)`,
      ),
      ofTwo: all(
        `SELECT content FROM queued WHERE owned = 1 AND (content IN (SELECT content FROM message)
         OR content IN (SELECT content FROM queued GROUP BY content HAVING count(*) > 1))`,
      ),
      depths: this.#transactions.queues.depths()(),
      integrity: all('PRAGMA integrity_check'),
    };
  }

  readonly #receiver = {
    canTake: true,
    deliver: ([, lease, , [id]]: DeliveryParcel) => void this.#held.set(id, lease),
  };

  #open(): [Database, Transactions] {
    this.#database = new Database(this.#file, {});
    open.push(this.#database);
    this.#transactions = new Transactions(this.#database, () => undefined);
    const names = queues.map((name): Ask => ['declare', name, 'test', [], false]);
    this.ask(...names);
    this.ask(...consume);
    return [this.#database, this.#transactions];
  }

  #dispatch(): void {
    const { queues: all } = this.#transactions;
    all.dispatch();
    // What waits for a mark.
    if (all.needsMarks) this.#transactions.commit(() => undefined, { isWriting: true });
    all.dispatch();
  }
}

const consume = queues.map((name, id): Ask => ['consume', name, id, 1_000]);

type Step =
  | { readonly kind: 'take'; readonly count: number }
  | { readonly kind: 'accept' | 'send' | 'retry' | 'dead'; readonly of: number }
  | { readonly kind: 'park' | 'tell'; readonly of: number }
  | { readonly kind: 'write back'; readonly what: 'ended' | 'everything' }
  | { readonly kind: 'kill' };

const of = fc.nat(50);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('take'), count: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constantFrom('accept', 'send', 'retry', 'dead'), of }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('park', 'tell'), of }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('write back'),
      what: fc.constantFrom('ended', 'ended', 'everything'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill') }) },
);

it('leaves the same behind whenever the tables are written, and however often the process is killed', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
      const sometimes = new StoresHere();
      const always = new StoresHere();
      const known: string[] = [];
      let clock = 0;
      const both = (work: (stores: StoresHere) => void): void => {
        work(sometimes);
        work(always);
        always.writeBack('everything');
      };
      const event = (id: string, kind: LedgerEventKind, queue?: string): LedgerEntry => ({
        type: 'event',
        event: { messageId: id, kind, at: instant((clock += 1)), ...(queue && { queue }) },
      });
      for (const each of steps) {
        const held = sometimes.held;
        const id = 'of' in each ? held[each.of % Math.max(1, held.length)] : undefined;
        switch (each.kind) {
          case 'take': {
            const asks = Array.from({ length: each.count }, (): Ask => {
              const envelope = buildEnvelope(`m${known.length}`, (clock += 1));
              known.push(envelope.id);
              // One in four is not the ledger's, as an event of a service is.
              if (known.length % 4 === 0) return ['publish', 'in.a', toParcel(envelope)];
              const digest = `digest of ${envelope.id}`;
              const entries: LedgerEntry[] = [
                { type: 'message', envelope, digest },
                event(envelope.id, 'received'),
                event(envelope.id, 'queued', 'in.a'),
              ];
              const unless = { before: undefined, entries, reused: undefined };
              return ['take', 'in.a', toParcel(envelope), unless];
            });
            both((stores) => stores.ask(...asks));
            break;
          }
          case 'write back':
            sometimes.writeBack(each.what);
            break;
          case 'kill':
            sometimes.restart('killed');
            always.restart('given back');
            break;
          case 'tell':
          case 'park': {
            const about = known[each.of % Math.max(1, known.length)];
            if (about === undefined) break;
            const kind = each.kind === 'park' ? 'parked' : 'failed';
            const entries = [event(about, kind, 'in.a')];
            both((stores) => stores.ask(['append', entries]));
            break;
          }
          case 'accept': {
            if (id === undefined) break;
            const entries = [event(id, id.startsWith('out') ? 'delivered' : 'processed')];
            both((stores) =>
              stores.settle(id, (lease) => ['accept', lease, { outgoing: [], entries }]),
            );
            break;
          }
          case 'send': {
            if (id === undefined || id.startsWith('out')) break;
            const child = buildEnvelope(`out of ${id}`, (clock += 1));
            known.push(child.id);
            const entries: LedgerEntry[] = [
              { type: 'message', envelope: child },
              event(id, 'sent', 'out.b'),
              event(child.id, 'queued', 'out.b'),
              event(id, 'processed', 'in.a'),
              { type: 'changes', changes: { messageId: id, text: `of ${id}` } },
            ];
            const outgoing = [['queue', 'out.b', toParcel(child)]] as const;
            both((stores) =>
              stores.settle(id, (lease) => ['accept', lease, { outgoing, entries }]),
            );
            break;
          }
          case 'retry':
            if (id === undefined) break;
            both((stores) =>
              stores.settle(id, (lease) => ['retry', lease, undefined, 3_600_000, true]),
            );
            break;
          case 'dead': {
            if (id === undefined) break;
            const entries = [event(id, 'dead-lettered')];
            both((stores) =>
              stores.settle(id, (lease) => ['deadLetter', lease, { outgoing: [], entries }, '[]']),
            );
            break;
          }
        }
        expect(new Set(sometimes.held)).toEqual(new Set(always.held));
      }
      const expected = always.dump();
      sometimes.restart('killed');
      always.restart('given back');
      expect(sometimes.dump()).toEqual(always.dump());
      expect(always.dump()).toEqual(expected);
    }),
    { numRuns: 50 },
  );
});

const instant = (ms: number): string =>
  new Date(Date.parse('2026-01-02T03:04:05.000Z') + ms).toISOString();

function buildEnvelope(id: string, ms: number): Envelope {
  return {
    id,
    interface: 'test',
    contentType: 'text/plain',
    controlId: `C ${id}`,
    key: `key ${id}`,
    correlationId: id,
    receivedAt: instant(ms),
    attempt: 1,
    body: Buffer.from(`body of ${id}`),
  };
}

function toParcel({ body, attempt, ...header }: Envelope): Parcel {
  return [header.id, attempt, JSON.stringify(header), body];
}
