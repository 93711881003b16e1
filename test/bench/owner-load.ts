import { createHash } from 'node:crypto';
import type { GroupCommit, Requester } from '../../connectors/sqlite/group-commit.ts';
import type { DeliveryParcel, Failure, Parcel, Request } from '../../connectors/sqlite/protocol.ts';
import type { Envelope } from '../../core/envelope.ts';
import type { LedgerEntry, LedgerEventKind } from '../../core/ports/ledger.ts';
import { deriveId } from '../../runtime/derived-id.ts';
import { newId, toInstant } from '../../runtime/ids.ts';
import { buildAdmission } from './pipeline/messages.ts';

type Unnumbered = Request extends infer Each
  ? Each extends readonly [number, ...infer Rest]
    ? readonly [...Rest]
    : never
  : never;

const inbound = 'in.bench';
const outbound = 'out.bench';
/** Patients of whom there are messages: who comes is drawn among them. */
const patients = 100_000;

/** A client without a socket. What it asks in one turn of the event loop arrives together. */
class Client implements Requester {
  readonly canTake = true;
  readonly #commit: GroupCommit;
  readonly #deliver: (parcel: DeliveryParcel) => void;
  readonly #pending = new Map<number, (failure: Failure | undefined) => void>();
  #asked: Request[] = [];
  #lastId = 0;

  constructor(commit: GroupCommit, deliver: (parcel: DeliveryParcel) => void) {
    this.#commit = commit;
    this.#deliver = deliver;
    commit.join(this);
  }

  ask(question: Unnumbered): Promise<void> {
    this.#lastId += 1;
    const id = this.#lastId;
    if (this.#asked.length === 0) {
      setImmediate(() => this.#commit.submit(this, this.#asked.splice(0)));
    }
    this.#asked.push([id, ...question] as unknown as Request);
    return new Promise((resolve, reject) => {
      this.#pending.set(id, (failure) => {
        if (failure === undefined) resolve();
        else reject(new Error(failure.message));
      });
    });
  }

  deliver(parcel: DeliveryParcel): void {
    this.#deliver(parcel);
  }

  done(id: number): void {
    this.#settle(id, undefined);
  }

  value(id: number): void {
    this.#settle(id, undefined);
  }

  fail(id: number, failure: Failure): void {
    this.#settle(id, failure);
  }

  flush(): void {
    // Nothing is held back.
  }

  #settle(id: number, failure: Failure | undefined): void {
    this.#pending.get(id)?.(failure);
    this.#pending.delete(id);
  }
}

/** What edge and worker ask of the owner for each message on its way through a flow to a partner. */
export class PipelineLoad {
  /** How many messages have come in. */
  done = 0;
  readonly #edge: Client;
  readonly #worker: Client;
  readonly #underWay = new Map<string, () => void>();
  readonly #bodies = Array.from({ length: 64 }, (_, number) => buildAdmission(number));

  constructor(commit: GroupCommit) {
    this.#edge = new Client(commit, (parcel) => void this.#send(parcel));
    this.#worker = new Client(commit, (parcel) => void this.#map(parcel));
  }

  async open(): Promise<void> {
    for (const queue of [inbound, outbound]) {
      await this.#edge.ask(['declare', queue, 'bench', [], true]);
    }
    await this.#worker.ask(['consume', inbound, 1, 64]);
    await this.#edge.ask(['consume', outbound, 2, 512]);
  }

  /** Sends so many messages through, so many at a time; how long each took from first to last, in ms. */
  async run(count: number, outstanding: number): Promise<number[]> {
    const latencies: number[] = [];
    let left = count;
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const at = performance.now();
        await this.#receive();
        latencies.push(performance.now() - at);
      }
    };
    await Promise.all(Array.from({ length: outstanding }, lane));
    return latencies;
  }

  /** Fills the ledger with so many messages more that are done, of short bodies. */
  async fill(count: number): Promise<void> {
    for (let left = count; left > 0; left -= 500) {
      const entries = Array.from({ length: Math.min(500, left) }, () => {
        const envelope = { ...this.#build(), body: Buffer.from('MSH|') };
        const { id, controlId = '' } = envelope;
        const digest = createHash('sha256').update(controlId).digest('base64');
        return [
          { type: 'message', envelope, digest } as const,
          event(id, 'queued', { queue: inbound }),
          event(id, 'processed', { queue: inbound, attempt: 1 }),
        ];
      });
      await this.#edge.ask(['append', entries.flat()]);
    }
  }

  #build(): Envelope {
    this.done += 1;
    const now = Date.now();
    const id = newId(now);
    const body = this.#bodies[this.done % this.#bodies.length] ?? Buffer.alloc(0);
    return {
      id,
      interface: 'bench',
      contentType: 'application/hl7-v2',
      messageType: 'ADT^A01^ADT_A01',
      controlId: `A${String(this.done).padStart(9, '0')}`,
      key: `P${Math.floor(Math.random() * patients)}`,
      correlationId: id,
      receivedAt: toInstant(now),
      attempt: 1,
      body,
    };
  }

  async #receive(): Promise<void> {
    const envelope = this.#build();
    const { id, controlId = '', interface: name } = envelope;
    const digest = createHash('sha256').update(controlId).digest('base64');
    const since = toInstant(Date.now() - 7 * 86_400_000);
    await this.#edge.ask(['findReceived', [{ interface: name, controlId, digest, since }]]);
    const gone = new Promise<void>((resolve) => this.#underWay.set(id, resolve));
    await Promise.all([
      this.#edge.ask(['publish', inbound, toParcel(envelope)]),
      this.#edge.ask([
        'append',
        [
          { type: 'message', envelope, digest },
          event(id, 'received', { summary: 'bench from 127.0.0.1:51234, connection 2575-17' }),
          event(id, 'queued', { queue: inbound }),
        ],
      ]),
    ]);
    await gone;
  }

  /** The worker: its flow makes one message of each. */
  async #map([, lease, , [id, , header, body]]: DeliveryParcel): Promise<void> {
    const made: Envelope = {
      ...(JSON.parse(header) as Omit<Envelope, 'body' | 'attempt'>),
      id: deriveId(id, 'mllp-out', '0'),
      causationId: id,
      receivedAt: toInstant(Date.now()),
      attempt: 1,
      body: Buffer.from(body),
    };
    const entries: LedgerEntry[] = [
      event(id, 'taken', { attempt: 1 }),
      { type: 'message', envelope: made },
      event(id, 'sent', { queue: outbound, attempt: 1 }),
      event(made.id, 'queued', { queue: outbound, attempt: 1 }),
      event(id, 'processed', { queue: inbound, attempt: 1 }),
    ];
    const outgoing = [['queue', outbound, toParcel(made)] as const];
    await this.#worker.ask(['accept', lease, { outgoing, entries }]);
  }

  /** The sender: the partner has it at once. */
  async #send([, lease, , [id, , header]]: DeliveryParcel): Promise<void> {
    const entries = [
      event(id, 'taken', { queue: outbound, attempt: 1 }),
      event(id, 'delivered', { queue: outbound, attempt: 1, summary: 'AA of 127.0.0.1:2576' }),
    ];
    await this.#edge.ask(['accept', lease, { outgoing: [], entries }]);
    const { causationId = '' } = JSON.parse(header) as Envelope;
    this.#underWay.get(causationId)?.();
    this.#underWay.delete(causationId);
  }
}

function event(
  messageId: string,
  kind: LedgerEventKind,
  details: { readonly queue?: string; readonly attempt?: number; readonly summary?: string },
): LedgerEntry {
  return { type: 'event', event: { messageId, at: toInstant(Date.now()), kind, ...details } };
}

function toParcel({ body, attempt, ...header }: Envelope): Parcel {
  return [header.id, attempt, JSON.stringify(header), body];
}
