import { hash, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { Envelope } from '../../core/envelope.ts';
import { HilumError } from '../../core/errors.ts';
import type { HeldCode } from '../../core/held-code.ts';
import { packChanges, unpackChanges, type PayloadChanges } from '../../core/payload-changes.ts';
import type {
  HeldGroup,
  Ledger,
  LedgerCount,
  LedgerEntry,
  LedgerEvent,
  LedgerEventKind,
  LedgerFilter,
  MessageState,
  ReceivedQuery,
} from '../../core/ports/ledger.ts';
import { parkedKeys } from '../support/parked.ts';

/** A real ledger under test. One is opened for every test; it may be a shared one, rows and all. */
export interface LedgerFixture {
  readonly ledger: Ledger;
  /** A second client of the same ledger, closed by the fixture's `close`. */
  reopen(): Promise<Ledger>;
  /** Kills the server without warning (kill -9) and starts it on the same data; resolves when it is up. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

const restartTimeoutMs = 150_000;

/** Every promise of core/ports/ledger.ts, as tests. */
export function describeLedger(name: string, open: () => Promise<LedgerFixture>): void {
  describe(`ledger: ${name}`, () => {
    let fixture: LedgerFixture;
    let ledger: Ledger;

    beforeEach(async () => {
      fixture = await open();
      ledger = fixture.ledger;
    }, restartTimeoutMs);

    afterEach(async () => {
      await fixture.close();
    }, restartTimeoutMs);

    describe('messages', () => {
      it('reads back every field and byte', async () => {
        const sent: Envelope = {
          ...buildEnvelope(),
          messageType: 'ORU^R01^ORU_R01',
          controlId: 'MSG-0001 ä',
          key: 'key|1^^^Ä',
          causationId: randomUUID(),
          attempt: 3,
          charset: 'UNICODE UTF-8',
          body: Buffer.from(Array.from({ length: 1024 }, (_, index) => index % 256)),
        };
        await ledger.append([{ type: 'message', envelope: sent }]);
        const found = (await ledger.read(sent.id))!;
        expect({ ...found, body: undefined }).toEqual({ ...sent, body: undefined });
        expect(Buffer.compare(found.body, sent.body)).toBe(0);
        const [summary] = (await ledger.trace(sent.id))!.messages;
        const { body, ...header } = sent;
        expect(summary).toEqual({
          ...header,
          state: 'received',
          bytes: body.length,
          lastEventAt: sent.receivedAt,
        });
      });

      it('leaves absent fields absent', async () => {
        const sent = buildEnvelope();
        await ledger.append([{ type: 'message', envelope: sent }]);
        expect(Object.keys((await ledger.read(sent.id))!).sort()).toEqual(Object.keys(sent).sort());
      });

      it('keeps a large body', async () => {
        const sent = { ...buildEnvelope(), body: Buffer.alloc(8 * 1024 * 1024, 'Hilum\0\x1c') };
        await ledger.append([{ type: 'message', envelope: sent }]);
        expect(Buffer.compare((await ledger.read(sent.id))!.body, sent.body)).toBe(0);
      });

      it('changes nothing when an id is written again', async () => {
        const first = buildEnvelope();
        await ledger.append([{ type: 'message', envelope: first }]);
        const second = { ...first, attempt: 9, body: Buffer.from('other') };
        await ledger.append([{ type: 'message', envelope: second }]);
        const found = (await ledger.read(first.id))!;
        expect(found.attempt).toBe(1);
        expect(Buffer.compare(found.body, first.body)).toBe(0);
      });

      it('finds nothing for an id that nobody wrote', async () => {
        expect(await ledger.read(randomUUID())).toBeUndefined();
        expect(await ledger.trace(randomUUID())).toBeUndefined();
      });

      it('reads the newest received message of a control id, not what was made from it', async () => {
        const controlId = randomUUID().slice(0, 20);
        const [older, newer] = [buildEnvelope({ controlId }), buildEnvelope({ controlId })];
        const made = buildEnvelope({
          controlId,
          causationId: newer.id,
          correlationId: newer.correlationId,
        });
        for (const envelope of [older, newer, made]) {
          await ledger.append([{ type: 'message', envelope }]);
        }
        expect((await ledger.read(controlId))?.id).toBe(newer.id);
        expect((await ledger.trace(controlId))?.messages.map(({ id }) => id)).toEqual([
          newer.id,
          made.id,
        ]);
        expect((await ledger.read(older.id))?.id).toBe(older.id);
      });
    });

    describe('append', () => {
      it('stores all entries of a call or none', async () => {
        const envelope = buildEnvelope();
        const broken = { messageId: envelope.id, kind: 'unheard-of', at: envelope.receivedAt };
        const appending = ledger.append([
          { type: 'message', envelope },
          { type: 'event', event: broken as unknown as LedgerEvent },
        ]);
        await expect(appending).rejects.toBeInstanceOf(HilumError);
        expect(await ledger.read(envelope.id)).toBeUndefined();
      });

      it('stores the neighbours of a call that it refuses', async () => {
        const [before, after] = [buildEnvelope(), buildEnvelope()];
        const broken = { messageId: before.id, kind: 'queued' } as unknown as LedgerEvent;
        const results = await Promise.allSettled([
          ledger.append([{ type: 'message', envelope: before }]),
          ledger.append([{ type: 'event', event: broken }]),
          ledger.append([{ type: 'message', envelope: after }]),
        ]);
        expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
        expect(await ledger.read(before.id)).toBeDefined();
        expect(await ledger.read(after.id)).toBeDefined();
      });

      it(
        'keeps what it confirmed over a restart, states and counters too',
        async () => {
          const interfaceId = uniqueName('tab');
          const queue = uniqueName('in');
          const envelope = buildEnvelope({ interface: interfaceId });
          await ledger.append([
            { type: 'message', envelope },
            ...events(envelope.id, ['received', 'queued'], { queue }),
          ]);
          await fixture.restart();
          const again = await fixture.reopen();
          expect((await again.states([envelope.id])).get(envelope.id)).toBe('queued');
          expect(await ageOf(again, queue)).toMatchObject({ waiting: 1 });
          await again.append(events(envelope.id, ['queued'], { queue }, 10));
          expect(await countsOf(again, interfaceId)).toEqual({ received: 1, queued: 2 });
          expect((await again.trace(envelope.id))?.events).toHaveLength(3);
        },
        restartTimeoutMs,
      );
    });

    describe('batches', () => {
      it('counts a batch once that is sent again, by another connection and after a crash too', async () => {
        const interfaceId = uniqueName('batch');
        const sender = uniqueName('sender');
        const envelope = buildEnvelope({ interface: interfaceId });
        const send = (to: Ledger, number: number, kind: LedgerEventKind) =>
          to.append([{ type: 'message', envelope }, ...events(envelope.id, [kind])], {
            sender,
            number,
            heardBelow: 1,
          });
        await send(ledger, 1, 'received');
        await send(ledger, 3, 'taken');
        await send(ledger, 1, 'received');
        await send(await fixture.reopen(), 3, 'taken');
        await fixture.restart();
        const again = await fixture.reopen();
        await send(again, 1, 'received');
        // What had not come yet is new, whatever came after it.
        await send(again, 2, 'queued');
        await send(again, 2, 'queued');
        expect(await countsOf(again, interfaceId)).toEqual({ received: 1, queued: 1, taken: 1 });
        expect((await again.trace(envelope.id))!.events.map(({ kind }) => kind)).toEqual([
          ...['received', 'queued', 'taken'],
        ]);
      });

      it('takes the same numbers of another sender', async () => {
        const interfaceId = uniqueName('batch');
        const envelope = buildEnvelope({ interface: interfaceId });
        for (const sender of [uniqueName('sender'), uniqueName('sender')]) {
          await ledger.append(
            [{ type: 'message', envelope }, ...events(envelope.id, ['received'])],
            { sender, number: 1, heardBelow: 1 },
          );
        }
        expect(await countsOf(ledger, interfaceId)).toEqual({ received: 2 });
      });

      it('finds nothing of a batch that it refused', async () => {
        const interfaceId = uniqueName('batch');
        const envelope = buildEnvelope({ interface: interfaceId });
        const batch = { sender: uniqueName('sender'), number: 1, heardBelow: 1 };
        const message: LedgerEntry = { type: 'message', envelope };
        const wrong = { ...events(envelope.id, ['received'])[0], event: {} } as LedgerEntry;
        await expect(ledger.append([message, wrong], batch)).rejects.toThrow(HilumError);
        await ledger.append([message, ...events(envelope.id, ['received'])], batch);
        expect(await countsOf(ledger, interfaceId)).toEqual({ received: 1 });
      });

      it('knows the batches of many at once, and forgets what was heard', async () => {
        const interfaceId = uniqueName('batch');
        const sender = uniqueName('sender');
        const envelope = buildEnvelope({ interface: interfaceId });
        await ledger.append([{ type: 'message', envelope }]);
        const numbers = Array.from({ length: 200 }, (_, index) => index + 1);
        for (const heardBelow of [1, 100]) {
          await Promise.all(
            numbers
              .filter((number) => number >= heardBelow)
              .toSorted((left, right) => (left % 7) - (right % 7))
              .map((number) =>
                ledger.append(events(envelope.id, ['taken']), { sender, number, heardBelow }),
              ),
          );
        }
        expect(await countsOf(ledger, interfaceId)).toEqual({ taken: 200 });
      });
    });

    describe('trace', () => {
      it('follows a message to everything that was made from it, in order of time', async () => {
        const parent = buildEnvelope({ interface: 'contract-a' });
        const child = buildEnvelope({
          correlationId: parent.correlationId,
          causationId: parent.id,
          interface: 'contract-b',
        });
        const stranger = buildEnvelope();
        await ledger.append([
          { type: 'message', envelope: parent },
          { type: 'message', envelope: stranger },
          ...events(stranger.id, ['received']),
          ...events(parent.id, ['received', 'queued', 'taken'], { queue: 'in.x' }),
        ]);
        await ledger.append([
          { type: 'message', envelope: child },
          ...events(child.id, ['queued'], { queue: 'out.y' }, 4),
        ]);
        // Written later and earlier in time: the worker's and the edge's processes are two.
        await ledger.append(events(parent.id, ['sent'], { queue: 'out.y' }, 3));
        for (const id of [parent.id, child.id]) {
          const trace = (await ledger.trace(id))!;
          expect(trace.messages.map((message) => message.id)).toEqual([parent.id, child.id]);
          expect(trace.events.map((event) => [event.messageId, event.kind])).toEqual([
            [parent.id, 'received'],
            [parent.id, 'queued'],
            [parent.id, 'taken'],
            [parent.id, 'sent'],
            [child.id, 'queued'],
          ]);
        }
      });

      it('keeps every field of an event and the order of those of one instant', async () => {
        const envelope = buildEnvelope();
        const full: LedgerEvent = {
          messageId: envelope.id,
          kind: 'failed',
          at: instant(0),
          queue: 'out.y',
          attempt: 2,
          summary: '503 Service Unavailable',
          issues: [
            { code: 'a', severity: 'error', location: 'PID-3', message: 'One.' },
            { code: 'b', severity: 'warning', message: 'Two.' },
          ],
        };
        const bare: LedgerEvent = { messageId: envelope.id, kind: 'taken', at: instant(0) };
        await ledger.append([
          { type: 'message', envelope },
          { type: 'event', event: full },
          { type: 'event', event: bare },
        ]);
        expect((await ledger.trace(envelope.id))?.events).toEqual([full, bare]);
      });
    });

    describe('states', () => {
      const cases: [readonly LedgerEventKind[], MessageState][] = [
        [['received'], 'received'],
        [['received', 'refused'], 'refused'],
        [['received', 'duplicate'], 'duplicate'],
        [['received', 'queued'], 'queued'],
        [['received', 'queued', 'taken'], 'in-progress'],
        [['received', 'queued', 'taken', 'sent'], 'in-progress'],
        [['received', 'queued', 'taken', 'sent', 'processed'], 'processed'],
        [['queued', 'taken', 'delivered'], 'delivered'],
        [['queued', 'taken', 'delivered', 'answered'], 'delivered'],
        [['queued', 'taken', 'failed'], 'retrying'],
        [['queued', 'taken', 'failed', 'taken'], 'in-progress'],
        [['queued', 'taken', 'dead-lettered'], 'dead-lettered'],
        [['queued', 'taken', 'dead-lettered', 'replayed'], 'dead-lettered'],
        // A flow that is retried says again what became of its messages.
        [['queued', 'taken', 'dead-lettered', 'queued'], 'dead-lettered'],
        [['queued', 'taken', 'delivered', 'queued', 'taken', 'failed'], 'delivered'],
        [['queued', 'taken', 'processed', 'queued', 'taken', 'failed'], 'processed'],
        // Given up and then done all the same, and stored although it was refused.
        [['queued', 'dead-lettered', 'taken', 'processed'], 'processed'],
        [['queued', 'dead-lettered', 'taken', 'delivered'], 'delivered'],
        [['queued', 'refused', 'taken'], 'refused'],
        [['queued', 'refused', 'taken', 'dead-lettered'], 'dead-lettered'],
        // Delivered again after its acceptance was lost, and given up then: the partner has it.
        [['queued', 'delivered', 'taken', 'dead-lettered'], 'delivered'],
        [['queued', 'processed', 'refused'], 'processed'],
      ];

      it.each(cases)('after %j it is %s', async (kinds, state) => {
        const envelope = buildEnvelope();
        await ledger.append([{ type: 'message', envelope }, ...events(envelope.id, kinds)]);
        expect((await ledger.states([envelope.id])).get(envelope.id)).toBe(state);
        const summary = (await ledger.trace(envelope.id))!.messages[0]!;
        expect(summary.state).toBe(state);
        expect(summary.lastEventAt).toBe(instant(kinds.length - 1));
      });

      it('follows what clients tell one after the other that have not told of the message', async () => {
        const envelope = buildEnvelope({ interface: uniqueName('tab') });
        await ledger.append([{ type: 'message', envelope }, ...events(envelope.id, ['queued'])]);
        const others = [await fixture.reopen(), await fixture.reopen()];
        await others[0]!.append(events(envelope.id, ['taken'], {}, 1));
        await others[1]!.append(events(envelope.id, ['processed'], {}, 2));
        await others[0]!.append(events(envelope.id, ['sent'], {}, 3));
        expect((await ledger.states([envelope.id])).get(envelope.id)).toBe('processed');
        const trace = (await ledger.trace(envelope.id))!;
        expect(trace.messages[0]).toMatchObject({ interface: envelope.interface });
        expect(trace.events).toHaveLength(4);
        const counts = await countsOf(ledger, envelope.interface);
        expect(counts).toEqual({ queued: 1, taken: 1, processed: 1, sent: 1 });
      });

      it('leaves out ids that nobody wrote', async () => {
        const envelope = buildEnvelope();
        await ledger.append([{ type: 'message', envelope }]);
        const states = await ledger.states([envelope.id, randomUUID()]);
        expect([...states]).toEqual([[envelope.id, 'received']]);
        expect((await ledger.states([])).size).toBe(0);
      });

      it('comes to the same state in whatever order the events were written', async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.constantFrom(...cases),
            fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 }),
            async ([kinds, state], random) => {
              const envelope = buildEnvelope();
              const shuffled = events(envelope.id, kinds)
                .map((entry, index) => ({ entry, at: random[index] ?? 0 }))
                .sort((left, right) => left.at - right.at)
                .map(({ entry }) => entry);
              for (const entry of shuffled) await ledger.append([entry]);
              await ledger.append([{ type: 'message', envelope }]);
              expect((await ledger.states([envelope.id])).get(envelope.id)).toBe(state);
              const trace = (await ledger.trace(envelope.id))!;
              expect(trace.events.map((event) => event.kind)).toEqual(kinds);
            },
          ),
          { numRuns: 40 },
        );
      });

      it.each(['processed', 'delivered', 'dead-lettered', 'refused'] as const)(
        'takes %s for the end whatever a clock says that was set back',
        async (end) => {
          const queue = uniqueName('in');
          const envelope = buildEnvelope();
          await ledger.append([
            { type: 'message', envelope },
            ...events(envelope.id, ['queued', 'taken'], { queue }, 5_000),
          ]);
          await ledger.append(events(envelope.id, [end], { queue }));
          expect((await ledger.states([envelope.id])).get(envelope.id)).toBe(end);
          expect((await ageOf(ledger, queue))?.waiting ?? 0).toBe(0);
        },
      );

      it(
        'keeps an end over a restart',
        async () => {
          const queue = uniqueName('in');
          const envelope = buildEnvelope();
          await ledger.append([
            { type: 'message', envelope },
            ...events(envelope.id, ['queued', 'delivered'], { queue }),
          ]);
          await fixture.restart();
          const again = await fixture.reopen();
          await again.append(events(envelope.id, ['queued', 'taken'], { queue }, 9));
          expect((await again.states([envelope.id])).get(envelope.id)).toBe('delivered');
          expect((await ageOf(again, queue))?.waiting ?? 0).toBe(0);
        },
        restartTimeoutMs,
      );

      it('takes intake before work where both happened in one millisecond', async () => {
        const envelope = buildEnvelope();
        const at = instant(0);
        const event = (kind: LedgerEventKind): LedgerEntry => ({
          type: 'event',
          event: { messageId: envelope.id, kind, at, queue: 'in.x' },
        });
        await ledger.append([{ type: 'message', envelope }, event('taken'), event('processed')]);
        await ledger.append([event('queued')]);
        expect((await ledger.states([envelope.id])).get(envelope.id)).toBe('processed');
      });

      it('takes work before setting aside where both happened in one millisecond', async () => {
        const envelope = buildEnvelope();
        const at = instant(0);
        const event = (kind: LedgerEventKind): LedgerEntry => ({
          type: 'event',
          event: { messageId: envelope.id, kind, at, queue: 'out.lab' },
        });
        await ledger.append([{ type: 'message', envelope }, event('parked')]);
        await ledger.append([event('taken')]);
        expect((await ledger.states([envelope.id])).get(envelope.id)).toBe('parked');
      });
    });

    describe('findReceived', () => {
      const query = (envelope: Envelope, fields: Partial<ReceivedQuery> = {}): ReceivedQuery => ({
        interface: envelope.interface,
        controlId: envelope.controlId ?? '',
        digest: digestOf(envelope),
        since: instant(0),
        ...fields,
      });
      const received = (fields: Partial<Envelope> = {}): Envelope =>
        buildEnvelope({ interface: uniqueName('tab'), controlId: randomUUID(), ...fields });

      it('finds what came before under a control id, and says whether it was the same', async () => {
        const sent = received();
        await ledger.append([
          { type: 'message', envelope: sent },
          ...events(sent.id, ['received', 'queued'], { queue: uniqueName('in') }),
        ]);
        const found = { id: sent.id, state: 'queued', receivedAt: sent.receivedAt };
        expect(
          await ledger.findReceived([
            query(sent),
            query(sent, { digest: digestOf(received()) }),
            query(sent, { controlId: randomUUID() }),
            query(sent, { interface: uniqueName('tab') }),
            query(sent, { since: instant(1) }),
            query(sent, { digest: digestOf(received()), since: instant(1) }),
          ]),
        ).toEqual([
          { ...found, hasSameContent: true },
          { ...found, hasSameContent: false },
          undefined,
          undefined,
          undefined,
          undefined,
        ]);
        expect(await ledger.findReceived([])).toEqual([]);
      });

      it('prefers the same content, however many others used the control id since', async () => {
        const first = received();
        const others = Array.from({ length: 100 }, (_, index) =>
          received({
            interface: first.interface,
            controlId: first.controlId!,
            receivedAt: instant(index + 1),
          }),
        );
        await ledger.append([first, ...others].map((envelope) => ({ type: 'message', envelope })));
        const found = await ledger.findReceived([
          query(first),
          query(first, { digest: digestOf(received()) }),
        ]);
        expect(found.map((it) => [it?.id, it?.hasSameContent])).toEqual([
          [first.id, true],
          [others.at(-1)!.id, false],
        ]);
      });

      it('takes the digest that it is given, and computes the one it is not', async () => {
        const [given, computed] = [received(), received()];
        await ledger.append([
          { type: 'message', envelope: given, digest: 'of-somebody-else' },
          { type: 'message', envelope: computed },
        ]);
        const [byGiven, byComputed] = await ledger.findReceived([
          query(given, { digest: 'of-somebody-else' }),
          query(computed),
        ]);
        expect([byGiven?.hasSameContent, byComputed?.hasSameContent]).toEqual([true, true]);
      });

      it('leaves out what was refused, what was a duplicate, and what was made from others', async () => {
        const sent = received();
        const again = (): Envelope => ({ ...sent, id: randomUUID() });
        const [refused, refusedLater, duplicate] = [again(), again(), again()];
        await ledger.append([
          { type: 'message', envelope: refused },
          ...events(refused.id, ['refused']),
          { type: 'message', envelope: refusedLater },
          { type: 'message', envelope: duplicate },
          ...events(duplicate.id, ['duplicate']),
          { type: 'message', envelope: { ...again(), causationId: sent.id } },
        ]);
        await ledger.append(events(refusedLater.id, ['refused'], {}, 1));
        const unlike = query(sent, { digest: digestOf(received()) });
        expect(await ledger.findReceived([query(sent), unlike])).toEqual([undefined, undefined]);
        await ledger.append([{ type: 'message', envelope: sent }]);
        const [found] = await ledger.findReceived([query(sent)]);
        expect(found?.id).toBe(sent.id);
      });
    });

    describe('find', () => {
      it('gives the newest or the oldest first, page by page, whatever comes meanwhile', async () => {
        const interfaceId = uniqueName('tab');
        const written = await writeMany(ledger, interfaceId, 25);
        for (const order of ['newest', 'oldest'] as const) {
          const pages: string[] = [];
          for (;;) {
            const after = pages.at(-1);
            const page = await ledger.find(
              { interface: interfaceId },
              { limit: 10, order, ...(after === undefined ? {} : { after }) },
            );
            if (page.length === 0) break;
            pages.push(...page.map((message) => message.id));
            if (order === 'newest') await writeMany(ledger, interfaceId, 1);
            else await ledger.append(events(written[0]!, ['taken'], {}, 10));
          }
          expect(pages.slice(0, 25)).toEqual(order === 'newest' ? written.toReversed() : written);
        }
        const unknown = { limit: 5, after: randomUUID() };
        expect(await ledger.find({ interface: interfaceId }, unknown)).toEqual([]);
      });

      it('goes by the time of receipt, not of arrival', async () => {
        const interfaceId = uniqueName('tab');
        const early = buildEnvelope({ interface: interfaceId, receivedAt: instant(1) });
        const late = buildEnvelope({ interface: interfaceId, receivedAt: instant(2) });
        await ledger.append([late, early].map((envelope) => ({ type: 'message', envelope })));
        const found = await ledger.find({ interface: interfaceId }, { limit: 5 });
        expect(found.map(({ id }) => id)).toEqual([late.id, early.id]);
      });

      it('keeps to an interface and states, as they stand now', async () => {
        const [here, there] = [uniqueName('tab'), uniqueName('tab')];
        const mine = await writeMany(ledger, here, 6);
        const others = await writeMany(ledger, there, 6);
        const dead = [mine[1]!, mine[4]!, others[2]!];
        for (const id of dead) await ledger.append(events(id, ['dead-lettered'], {}, 50));
        await ledger.append(events(mine[4]!, ['processed'], {}, 60));
        const idsOf = async (filter: LedgerFilter, limit = 10): Promise<string[]> =>
          (await ledger.find(filter, { limit })).map(({ id }) => id);
        const states = ['dead-lettered'] as const;
        expect(await idsOf({ interface: here, states })).toEqual([mine[1]]);
        expect((await idsOf({ states }, 2)).slice(0, 2)).toEqual([others[2], mine[1]]);
        expect(await idsOf({ interface: here, states: ['processed'] })).toEqual([mine[4]]);
        expect(await idsOf({ interface: here, states: ['processed', 'dead-lettered'] })).toEqual([
          mine[4],
          mine[1],
        ]);
        expect(await idsOf({ interface: here })).toEqual(mine.toReversed());
        expect(await idsOf({ interface: uniqueName('tab') })).toEqual([]);
      });

      it('keeps to every other field, one by one and all together', async () => {
        const interfaceId = uniqueName('tab');
        const queue = uniqueName('in');
        const code = uniqueName('code');
        const wanted = buildEnvelope({
          interface: interfaceId,
          messageType: 'ORU^R01^ORU_R01',
          controlId: randomUUID(),
          key: uniqueName('key'),
          receivedAt: instant(5_000),
        });
        const other = buildEnvelope({
          interface: interfaceId,
          messageType: 'ADT^A01^ADT_A01',
          controlId: randomUUID(),
          key: uniqueName('key'),
          receivedAt: instant(6_000),
        });
        const issues = [{ code, severity: 'error', message: 'Expected 1, found 2.' }] as const;
        await ledger.append([
          { type: 'message', envelope: other },
          ...events(other.id, ['queued'], { queue: uniqueName('in') }),
          { type: 'message', envelope: wanted },
          ...events(wanted.id, ['queued', 'taken'], { queue }, 5_000),
          ...events(wanted.id, ['failed'], { queue, issues }, 5_003),
        ]);
        const filters: readonly LedgerFilter[] = [
          { messageType: 'ORU^R01^ORU_R01' },
          { messageType: 'OR*' },
          { controlId: wanted.controlId! },
          { key: wanted.key! },
          { queue },
          { issueCode: code },
          { receivedFrom: instant(5_000), receivedTo: instant(6_000) },
          { receivedTo: instant(5_001) },
          { states: ['retrying'] },
        ];
        const idsOf = async (filter: LedgerFilter): Promise<string[]> =>
          (await ledger.find(filter, { limit: 5 })).map(({ id }) => id);
        for (const filter of filters) {
          expect([filter, await idsOf({ ...filter, interface: interfaceId })]).toEqual([
            filter,
            [wanted.id],
          ]);
        }
        const all = Object.assign({ interface: interfaceId }, ...filters) as LedgerFilter;
        expect(await idsOf(all)).toEqual([wanted.id]);
        for (const field of Object.keys(all)) {
          const not: LedgerFilter =
            field === 'states'
              ? { states: ['queued'] }
              : { [field]: field === 'receivedFrom' ? instant(6_000) : instant(0) };
          expect([field, await idsOf({ ...all, ...not })]).toEqual([field, []]);
        }
        // Without an interface, each by itself: the index of the field, or all of the ledger.
        for (const filter of [{ queue }, { issueCode: code }, { key: wanted.key! }]) {
          expect(await idsOf(filter)).toEqual([wanted.id]);
        }
      });

      it('finds the few among many that no index tells apart', async () => {
        const interfaceId = uniqueName('tab');
        const many = Array.from({ length: 3_500 }, (_, index) =>
          buildEnvelope({
            interface: interfaceId,
            messageType: index % 1_100 === 7 ? 'MDM^T02' : 'ADT^A08',
            receivedAt: instant(index % 10),
          }),
        );
        await ledger.append(many.map((envelope) => ({ type: 'message', envelope })));
        const filter = { interface: interfaceId, messageType: 'MDM*' };
        const found = await ledger.find(filter, { limit: 50, order: 'oldest' });
        expect(found.map(({ id }) => id)).toEqual(
          many.filter(({ messageType }) => messageType === 'MDM^T02').map(({ id }) => id),
        );
        const [first] = found;
        const rest = await ledger.find(filter, { limit: 2, order: 'oldest', after: first!.id });
        expect(rest.map(({ id }) => id)).toEqual(found.slice(1, 3).map(({ id }) => id));
        expect(await ledger.find({ interface: interfaceId }, { limit: 2_500 })).toHaveLength(2_500);
      });
    });

    describe('waiting', () => {
      it('shows who waits in a queue and since when, longest first, page by page', async () => {
        const queue = uniqueName('in');
        const sent = Array.from({ length: 5 }, () => buildEnvelope({ key: uniqueName('key') }));
        const [first, second, third, parked, done] = sent;
        await ledger.append([
          ...sent.map((envelope) => ({ type: 'message', envelope }) as const),
          ...events(second!.id, ['queued'], { queue }, 2),
          ...events(first!.id, ['queued', 'taken', 'failed'], { queue }, 1),
          ...events(third!.id, ['queued'], { queue }, 2),
          ...events(parked!.id, ['queued', 'taken', 'parked'], { queue }, 4),
          ...events(done!.id, ['queued'], { queue }, 5),
        ]);
        const [one] = await ledger.waiting(queue, { limit: 1 });
        expect(one).toMatchObject({ id: first!.id, state: 'retrying', since: instant(1) });
        expect(one).not.toHaveProperty('body');
        // Who has gone on meanwhile still says where the next page begins.
        await ledger.append([
          ...events(first!.id, ['processed'], { queue }, 9),
          ...events(done!.id, ['withdrawn'], { queue }, 9),
        ]);
        const next = await ledger.waiting(queue, { limit: 5, after: first!.id });
        expect(next.map(({ id, state }) => [id, state])).toEqual([
          [second!.id, 'queued'],
          [third!.id, 'queued'],
          [parked!.id, 'parked'],
        ]);
        expect(await ledger.waiting(queue, { limit: 5, after: randomUUID() })).toEqual([]);
        expect(await ledger.waiting(uniqueName('in'), { limit: 5 })).toEqual([]);
      });
    });

    describe('parked', () => {
      const issues = [{ code: 'refused', severity: 'error', message: 'Expected AA.' }] as const;
      /** Sets messages of a key aside, in this order. */
      async function park(
        queue: string,
        key: string | undefined,
        count: number,
      ): Promise<readonly Envelope[]> {
        const envelopes = Array.from({ length: count }, () =>
          // Whoever waits for its flow still does.
          buildEnvelope({ ...(key === undefined ? {} : { key }), replyTo: 'reply.edge' }),
        );
        for (const envelope of envelopes) {
          await ledger.append([
            { type: 'message', envelope },
            ...events(envelope.id, ['queued', 'taken', 'parked'], { queue }),
          ]);
        }
        return envelopes;
      }
      const idsOf = async (queue: string, key: string, limit = 100): Promise<string[]> =>
        (await ledger.readParked(queue, key, limit)).map(({ id }) => id);

      it('tells the keys in the order of their first, and the messages in the order of parking', async () => {
        const queue = uniqueName('out');
        const [early, late] = [uniqueName('key'), uniqueName('key')];
        const first = await park(queue, early, 2);
        const others = await park(queue, late, 1);
        const more = await park(queue, early, 1);
        await park(uniqueName('out'), early, 1);
        expect(await parkedKeys(ledger, queue)).toEqual([
          {
            queue,
            key: early,
            parked: 3,
            firstId: first[0]!.id,
            since: instant(2),
            isStopped: false,
          },
          {
            queue,
            key: late,
            parked: 1,
            firstId: others[0]!.id,
            since: instant(2),
            isStopped: false,
          },
        ]);
        const ids = [...first, ...more].map(({ id }) => id);
        expect(await idsOf(queue, early)).toEqual(ids);
        expect(await idsOf(queue, early, 2)).toEqual(ids.slice(0, 2));
        const [head] = await ledger.readParked(queue, early, 1);
        expect(head).toEqual({ ...first[0], body: head!.body });
        expect(Buffer.compare(head!.body, first[0]!.body)).toBe(0);
        expect((await parkedKeys(ledger)).filter((it) => it.queue === queue)).toHaveLength(2);
        const states = await ledger.states(ids);
        expect([...states.values()]).toEqual(['parked', 'parked', 'parked']);
        expect((await ageOf(ledger, queue))?.waiting).toBe(4);
      });

      it('keeps the place of what is parked again, and stops where it was given up', async () => {
        const queue = uniqueName('out');
        const key = uniqueName('key');
        const [first, second] = await park(queue, key, 2);
        await ledger.append(events(first!.id, ['parked'], { queue, issues }, 9));
        expect(await idsOf(queue, key)).toEqual([first!.id, second!.id]);
        const [stopped] = await parkedKeys(ledger, queue);
        expect(stopped).toMatchObject({ parked: 2, isStopped: true, since: instant(2) });
        await ledger.append(events(first!.id, ['resumed'], { queue }, 10));
        expect((await parkedKeys(ledger, queue))[0]).toMatchObject({ parked: 2, isStopped: false });
        expect((await ledger.states([first!.id])).get(first!.id)).toBe('retrying');
      });

      it('does not stop for one behind the first that was given up', async () => {
        const queue = uniqueName('out');
        const key = uniqueName('key');
        const [, second] = await park(queue, key, 2);
        await ledger.append(events(second!.id, ['parked'], { queue, issues }, 9));
        expect((await parkedKeys(ledger, queue))[0]).toMatchObject({ isStopped: false });
      });

      it.each(['processed', 'delivered', 'dead-lettered', 'refused', 'withdrawn'] as const)(
        'ends with %s, in the queue that the event names or in all',
        async (kind) => {
          const [queue, other] = [uniqueName('out'), uniqueName('out')];
          const key = uniqueName('key');
          const [first, second] = await park(queue, key, 2);
          await ledger.append(events(second!.id, ['parked'], { queue: other }, 5));
          await ledger.append(events(first!.id, [kind], { queue }, 9));
          expect(await idsOf(queue, key)).toEqual([second!.id]);
          expect(await idsOf(other, key)).toEqual([second!.id]);
          await ledger.append(events(second!.id, [kind], {}, 9));
          expect(await parkedKeys(ledger, queue)).toEqual([]);
          expect(await parkedKeys(ledger, other)).toEqual([]);
          // What is over is not set aside again.
          await ledger.append(events(first!.id, ['parked'], { queue }, 20));
          expect(await parkedKeys(ledger, queue)).toEqual([]);
        },
      );

      it('tells the keys page by page, all of them or those that wait for a decision or for none', async () => {
        const queue = uniqueName('out');
        const heads: Envelope[] = [];
        for (let count = 0; count < 7; count += 1) {
          const [head] = await park(queue, uniqueName('key'), 2);
          heads.push(head!);
          if (count % 2 === 0) {
            await ledger.append(events(head!.id, ['parked'], { queue, issues }, 9));
          }
        }
        const pagesOf = async (of: { isStopped?: boolean }): Promise<string[][]> => {
          const pages: string[][] = [];
          for (let after: number | undefined; ;) {
            const start = after === undefined ? {} : { after };
            const page = await ledger.parked({ queue, ...of, ...start, limit: 3 });
            if (page.keys.length > 0) pages.push(page.keys.map(({ firstId }) => firstId));
            if (page.next === undefined) return pages;
            after = page.next;
          }
        };
        const ids = heads.map(({ id }) => id);
        const all = await pagesOf({});
        expect(all.flat()).toEqual(ids);
        expect(Math.max(...all.map((page) => page.length))).toBe(3);
        const isEven = (_: string, at: number): boolean => at % 2 === 0;
        expect((await pagesOf({ isStopped: true })).flat()).toEqual(ids.filter(isEven));
        const others = ids.filter((id, at) => !isEven(id, at));
        expect((await pagesOf({ isStopped: false })).flat()).toEqual(others);
      });

      it('lists the messages of a queue without their bytes, and reads the first of all its keys', async () => {
        const queue = uniqueName('out');
        const [key, other] = [uniqueName('key'), uniqueName('key')];
        const parked = [
          ...(await park(queue, key, 2)),
          ...(await park(queue, other, 1)),
          ...(await park(queue, key, 1)),
        ];
        await park(uniqueName('out'), key, 1);
        const ids = parked.map(({ id }) => id);
        const first = await ledger.listParked(queue, { limit: 3 });
        const rest = await ledger.listParked(queue, { limit: 3, after: first.at(-1)!.place });
        expect([...first, ...rest].map(({ id }) => id)).toEqual(ids);
        expect(first[0]).toEqual({ id: ids[0], queue, place: first[0]!.place });
        const found = await ledger.listParked(undefined, { limit: 1_000, after: first[2]!.place });
        expect(found.map(({ id }) => id)).toContain(ids[3]);
        const [envelope] = await ledger.readParked(queue, undefined, 1);
        expect(envelope).toMatchObject({ id: ids[0], key });
        expect(await ledger.readParked(uniqueName('out'), undefined, 1)).toEqual([]);
      });

      it('is not undone by a failure that is told late', async () => {
        const queue = uniqueName('out');
        const key = uniqueName('key');
        const [first] = await park(queue, key, 1);
        await ledger.append(events(first!.id, ['failed'], { queue }, 1));
        expect((await ledger.states([first!.id])).get(first!.id)).toBe('parked');
        expect(await idsOf(queue, key)).toEqual([first!.id]);
      });

      it('calls a message without a key by its id', async () => {
        const queue = uniqueName('out');
        const [first] = await park(queue, undefined, 1);
        expect(await parkedKeys(ledger, queue)).toMatchObject([{ key: first!.id, parked: 1 }]);
      });

      it(
        'survives a restart, in its order, and is still ended after it',
        async () => {
          const queue = uniqueName('out');
          const key = uniqueName('key');
          const parked = await park(queue, key, 3);
          await ledger.append(events(parked[0]!.id, ['parked'], { queue, issues }, 9));
          const before = await parkedKeys(ledger, queue);
          await fixture.restart();
          ledger = await fixture.reopen();
          expect(await parkedKeys(ledger, queue)).toEqual(before);
          expect(before).toMatchObject([{ parked: 3, isStopped: true }]);
          expect(await idsOf(queue, key)).toEqual(parked.map(({ id }) => id));
          await ledger.append(events(parked[0]!.id, ['dead-lettered'], { queue }, 20));
          expect(await parkedKeys(ledger, queue)).toMatchObject([
            { parked: 2, firstId: parked[1]!.id, isStopped: false },
          ]);
          const counts = (await ledger.counts()).filter((it) => it.queue === queue);
          const of = (kind: string): number => counts.find((it) => it.kind === kind)?.count ?? 0;
          expect([of('parked'), of('dead-lettered')]).toEqual([4, 1]);
          expect((await ageOf(ledger, queue))?.waiting).toBe(2);
        },
        restartTimeoutMs,
      );
    });

    describe('held', () => {
      const issues = [
        { code: 'code-unmapped-held', severity: 'error', message: 'It waits.' },
      ] as const;
      const ward: HeldCode = {
        ...{
          node: 'map',
          layers: 'acme',
          map: 'PV1.Encounter',
          rule: 'PV1-3.ward',
          table: 'wards',
        },
        ...{ system: 'urn:id:L', code: 'W 7', display: 'West, "7"', source: 'PV1-3' },
      };
      const test: HeldCode = {
        node: 'map',
        layers: '',
        table: 'tests',
        code: 'X\0',
        source: 'OBX-3',
      };

      /** Set aside for these codes, and so many of its key behind it. */
      async function hold(
        queue: string,
        held: readonly HeldCode[],
        { behind = 0, hasKey = true } = {},
      ): Promise<Envelope> {
        const of = hasKey ? { key: uniqueName('key') } : {};
        const [first, ...others] = Array.from({ length: behind + 1 }, () => buildEnvelope(of));
        for (const envelope of [first!, ...others]) {
          const isFirst = envelope === first;
          const stopped = isFirst ? { issues, held } : {};
          await ledger.append([
            { type: 'message', envelope },
            ...events(envelope.id, ['queued', 'taken'], { queue }),
            ...events(envelope.id, ['parked'], { queue, ...stopped }, 2),
          ]);
        }
        return first!;
      }
      const groupsOf = async (queue: string): Promise<readonly HeldGroup[]> =>
        (await ledger.held()).filter((group) => group.queue === queue);
      const idsOf = async (
        group: Pick<HeldGroup, 'queue' | 'codes'>,
        page = { limit: 100 },
      ): Promise<readonly string[]> => (await ledger.readHeld(group, page)).map(({ id }) => id);

      it('groups what waits for the same codes, in the order in which that began', async () => {
        const queue = uniqueName('in');
        const first = await hold(queue, [ward], { behind: 2 });
        const both = await hold(queue, [test, ward]);
        const again = await hold(queue, [ward], { hasKey: false });
        const same = await hold(queue, [ward, test]);
        const groups = await groupsOf(queue);
        const { interface: owner } = first;
        const shown = { ...test, code: 'X␀' };
        expect(groups).toEqual([
          {
            ...{ interface: owner, queue, codes: [ward], messages: 2, waiting: 4 },
            ...{ firstAt: instant(2), lastAt: instant(2), examples: [first.id, again.id] },
          },
          {
            ...{ interface: owner, queue, codes: expect.any(Array) as HeldCode[] },
            ...{ messages: 2, waiting: 2, firstAt: instant(2), lastAt: instant(2) },
            examples: [both.id, same.id],
          },
        ]);
        expect(groups[1]!.codes).toHaveLength(2);
        expect(groups[1]!.codes).toEqual(expect.arrayContaining([shown, ward]));
        expect(await ledger.readHeld(groups[0]!, { limit: 9 })).toMatchObject([
          { id: first.id, key: first.key, heldAt: instant(2) },
          { id: again.id, key: again.id, heldAt: instant(2) },
        ]);
        expect(await idsOf(groups[1]!)).toEqual([both.id, same.id]);
        expect(await idsOf({ queue: uniqueName('in'), codes: [ward] })).toEqual([]);
      });

      it('gives the messages of a group page by page, and three as examples', async () => {
        const queue = uniqueName('in');
        const all: string[] = [];
        for (let count = 0; count < 5; count += 1) all.push((await hold(queue, [ward])).id);
        const [group] = await groupsOf(queue);
        expect(group).toMatchObject({ messages: 5, examples: all.slice(0, 3) });
        const page = await ledger.readHeld(group!, { limit: 2 });
        const rest = await ledger.readHeld(group!, { limit: 9, after: page.at(-1)!.place });
        expect([...page, ...rest].map(({ id }) => id)).toEqual(all);
      });

      it('holds it no longer when somebody has decided, and for other codes when these come', async () => {
        const queue = uniqueName('in');
        const [first, second, third] = [
          await hold(queue, [ward]),
          await hold(queue, [ward], { behind: 1 }),
          await hold(queue, [ward]),
        ];
        expect((await parkedKeys(ledger, queue))[0]).toMatchObject({
          isStopped: true,
          isHeld: true,
        });
        await ledger.append(events(first.id, ['resumed'], { queue }, 5));
        await ledger.append(events(third.id, ['withdrawn'], {}, 5));
        expect(await groupsOf(queue)).toMatchObject([{ messages: 1, examples: [second.id] }]);
        await ledger.append(events(first.id, ['parked'], { queue, issues, held: [test] }, 6));
        // It keeps its place.
        expect(await groupsOf(queue)).toMatchObject([
          { codes: [{ table: 'tests' }], examples: [first.id] },
          { codes: [ward], waiting: 2 },
        ]);
        expect(await ledger.readHeld({ queue, codes: [test] }, { limit: 9 })).toMatchObject([
          { id: first.id, heldAt: instant(6) },
        ]);
        // Given up for another reason, it waits for a person.
        await ledger.append(events(first.id, ['resumed'], { queue }, 7));
        await ledger.append(events(first.id, ['parked'], { queue, issues }, 8));
        await ledger.append(events(second.id, ['dead-lettered'], { queue }, 8));
        expect(await groupsOf(queue)).toEqual([]);
        const [stopped] = await parkedKeys(ledger, queue);
        expect(stopped).toMatchObject({ isStopped: true });
        expect(stopped).not.toHaveProperty('isHeld');
      });

      it(
        'survives a restart, and a trace tells of it',
        async () => {
          const queue = uniqueName('in');
          const { id } = await hold(queue, [ward]);
          const before = await groupsOf(queue);
          await fixture.restart();
          ledger = await fixture.reopen();
          expect(await groupsOf(queue)).toEqual(before);
          const told = (await ledger.trace(id))?.events.find(({ kind }) => kind === 'parked');
          expect(told).toMatchObject({ issues, held: [ward] });
          await ledger.append(events(id, ['resumed'], { queue }, 9));
          expect(await groupsOf(queue)).toEqual([]);
        },
        restartTimeoutMs,
      );
    });

    describe('ages', () => {
      it('counts who waits in a queue, since the oldest', async () => {
        const queue = uniqueName('in');
        const [first, second, third] = [buildEnvelope(), buildEnvelope(), buildEnvelope()];
        await ledger.append([
          ...[first, second, third].map((envelope) => ({ type: 'message', envelope }) as const),
          ...events(second.id, ['queued'], { queue }, 2),
          ...events(first.id, ['queued'], { queue }, 1),
          ...events(third.id, ['queued'], { queue }, 3),
        ]);
        expect(await ageOf(ledger, queue)).toEqual({ queue, waiting: 3, oldestAt: instant(1) });
        await ledger.append(events(first.id, ['taken', 'failed', 'taken'], { queue }, 4));
        expect(await ageOf(ledger, queue)).toMatchObject({ waiting: 3, oldestAt: instant(1) });
        await ledger.append(events(first.id, ['processed'], { queue }, 9));
        expect(await ageOf(ledger, queue)).toEqual({ queue, waiting: 2, oldestAt: instant(2) });
        await ledger.append(events(second.id, ['delivered'], { queue }, 9));
        await ledger.append(events(third.id, ['dead-lettered'], { queue }, 9));
        expect((await ageOf(ledger, queue))?.waiting ?? 0).toBe(0);
      });

      it('ends the waiting in the queue that the event names, in every one where it names none', async () => {
        const [left, right] = [uniqueName('sub'), uniqueName('sub')];
        const envelope = buildEnvelope();
        await ledger.append([
          { type: 'message', envelope },
          ...events(envelope.id, ['queued'], { queue: left }, 1),
          ...events(envelope.id, ['queued'], { queue: right }, 2),
          ...events(envelope.id, ['processed'], { queue: left }, 3),
        ]);
        expect((await ageOf(ledger, left))?.waiting ?? 0).toBe(0);
        expect((await ageOf(ledger, right))?.waiting).toBe(1);
        await ledger.append(events(envelope.id, ['processed'], {}, 4));
        expect((await ageOf(ledger, right))?.waiting ?? 0).toBe(0);
      });

      it('lets nobody wait forever whose end was written before its beginning', async () => {
        const queue = uniqueName('in');
        const envelope = buildEnvelope();
        await ledger.append(events(envelope.id, ['taken', 'processed'], { queue }, 2));
        await ledger.append([
          { type: 'message', envelope },
          ...events(envelope.id, ['received', 'queued'], { queue }),
        ]);
        expect((await ageOf(ledger, queue))?.waiting ?? 0).toBe(0);
      });

      it.each(['processed', 'delivered', 'dead-lettered', 'refused'] as const)(
        'lets nobody wait again after %s, in no queue where it names none',
        async (end) => {
          const [queue, other] = [uniqueName('in'), uniqueName('in')];
          const [named, unnamed] = [buildEnvelope(), buildEnvelope()];
          await ledger.append([
            { type: 'message', envelope: named },
            { type: 'message', envelope: unnamed },
            ...events(named.id, ['queued', end], { queue }),
            ...events(unnamed.id, ['queued'], { queue: other }),
            ...events(unnamed.id, [end], {}, 1),
          ]);
          for (const [id, name] of [
            [named.id, queue],
            [unnamed.id, other],
          ] as const) {
            expect((await ageOf(ledger, name))?.waiting ?? 0).toBe(0);
            await ledger.append(events(id, ['queued', 'taken', 'failed'], { queue: name }, 9));
            expect((await ageOf(ledger, name))?.waiting ?? 0).toBe(0);
          }
        },
      );
    });

    describe('counts', () => {
      it('counts events by interface, queue and kind', async () => {
        const interfaceId = uniqueName('tab');
        const queue = uniqueName('in');
        const [first, second] = [
          buildEnvelope({ interface: interfaceId }),
          buildEnvelope({ interface: interfaceId }),
        ];
        await ledger.append([
          { type: 'message', envelope: first },
          ...events(first.id, ['received']),
          ...events(first.id, ['queued', 'taken', 'failed', 'taken'], { queue }),
        ]);
        const other = await fixture.reopen();
        await other.append([
          { type: 'message', envelope: second },
          ...events(second.id, ['received']),
          ...events(second.id, ['queued'], { queue }),
        ]);
        const counts = (await ledger.counts()).filter((it) => it.interface === interfaceId);
        const sorted = (list: readonly LedgerCount[]): string[] =>
          list.map((it) => `${it.queue} ${it.kind} ${it.count}`).sort();
        expect(sorted(counts)).toEqual(
          [' received 2', `${queue} queued 2`, `${queue} taken 2`, `${queue} failed 1`].sort(),
        );
      });

      it('counts nothing of a call that it refuses', async () => {
        const interfaceId = uniqueName('tab');
        const envelope = buildEnvelope({ interface: interfaceId });
        await ledger.append([{ type: 'message', envelope }, ...events(envelope.id, ['received'])]);
        const broken = { messageId: envelope.id, kind: 'taken' } as unknown as LedgerEvent;
        await expect(
          ledger.append([...events(envelope.id, ['queued']), { type: 'event', event: broken }]),
        ).rejects.toBeInstanceOf(HilumError);
        expect(await countsOf(ledger, interfaceId)).toEqual({ received: 1 });
      });
    });

    describe('what nodes changed', () => {
      const steps: PayloadChanges['steps'] = [
        {
          ...{ step: 1, node: 'n1', type: 'hl7 edit', name: 'Set "ä"', sizes: [40, 41] },
          segments: [['PID', 0, 3, 'A^B', null]],
        },
        {
          ...{ step: 2, from: 1, node: 'n2', type: 'function', output: 2, failed: true },
          ...{ forms: ['object', 'bytes'], sizes: [9, 2], cut: 7, delimiters: ['|^~\\&', '$^'] },
          excerpt: { at: 3, before: '{"a":\r', after: '\u0000\u00ff' },
        },
      ];
      const read = async (from: Ledger, id: string): Promise<PayloadChanges | undefined> => {
        const found = await from.changes(id);
        return found === undefined ? undefined : unpackChanges(found);
      };
      const made = (messageId: string, attempt: number, more = {}): LedgerEntry => ({
        type: 'changes',
        changes: packChanges({ messageId, attempt, steps: steps.slice(0, attempt), ...more }),
      });

      it('is read back: the last of what was told, which may be before the message itself', async () => {
        const envelope = buildEnvelope();
        const { id } = envelope;
        expect(await read(ledger, id)).toBeUndefined();
        await ledger.append([made(id, 1)]);
        expect(await read(ledger, id)).toEqual({ messageId: id, attempt: 1, steps: [steps[0]] });
        await ledger.append([...events(id, ['taken']), { type: 'message', envelope }]);
        expect(await read(ledger, id)).toMatchObject({ attempt: 1 });
        await ledger.append([made(id, 2, { cut: 5 }), ...events(id, ['processed'])]);
        const other = await fixture.reopen();
        expect(await read(other, id)).toEqual({ messageId: id, attempt: 2, steps, cut: 5 });
        expect((await other.trace(id))?.events.map(({ kind }) => kind)).toEqual([
          'taken',
          'processed',
        ]);
      });

      it(
        'survives the end of the server',
        async () => {
          const envelope = buildEnvelope();
          await ledger.append([{ type: 'message', envelope }, made(envelope.id, 2)]);
          await fixture.restart();
          const after = await fixture.reopen();
          expect(await read(after, envelope.id)).toMatchObject({ attempt: 2, steps });
        },
        restartTimeoutMs,
      );

      it('is refused where it is none, with all else of the call', async () => {
        const envelope = buildEnvelope();
        const broken = { type: 'changes', changes: { messageId: envelope.id } };
        await expect(
          ledger.append([{ type: 'message', envelope }, broken as unknown as LedgerEntry]),
        ).rejects.toMatchObject({ issues: [{ code: 'ledger-entry-invalid' }] });
        expect(await ledger.read(envelope.id)).toBeUndefined();
      });
    });

    it('waits on close for what is being appended', async () => {
      const other = await fixture.reopen();
      const envelopes = Array.from({ length: 20 }, () => buildEnvelope());
      const appending = envelopes.map((envelope) => other.append([{ type: 'message', envelope }]));
      await other.close();
      await Promise.all(appending);
      const states = await ledger.states(envelopes.map(({ id }) => id));
      expect(states.size).toBe(20);
    });
  });
}

/** Events a millisecond apart, the first at `instant(from)`. */
function events(
  messageId: string,
  kinds: readonly LedgerEventKind[],
  fields: Partial<LedgerEvent> = {},
  from = 0,
): LedgerEntry[] {
  return kinds.map((kind, index) => ({
    type: 'event',
    event: { ...fields, messageId, kind, at: instant(from + index) },
  }));
}

function instant(ms: number): string {
  return new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 0) + ms).toISOString();
}

async function ageOf(
  ledger: Ledger,
  queue: string,
): Promise<Awaited<ReturnType<Ledger['ages']>>[number] | undefined> {
  return (await ledger.ages()).find((age) => age.queue === queue);
}

async function countsOf(ledger: Ledger, interfaceId: string): Promise<Record<string, number>> {
  const counts = (await ledger.counts()).filter((it) => it.interface === interfaceId);
  return Object.fromEntries(counts.map((it) => [it.kind, it.count]));
}

async function writeMany(ledger: Ledger, interfaceId: string, count: number): Promise<string[]> {
  const envelopes = Array.from({ length: count }, () => buildEnvelope({ interface: interfaceId }));
  for (const envelope of envelopes) {
    await ledger.append([{ type: 'message', envelope }, ...events(envelope.id, ['received'])]);
  }
  return envelopes.map(({ id }) => id);
}

const digestOf = ({ body }: Envelope): string => hash('sha256', body, 'base64');

const uniqueName = (prefix: string): string => `${prefix}.contract-${randomUUID()}`;

function buildEnvelope(fields: Partial<Envelope> = {}): Envelope {
  const id = randomUUID();
  return {
    id,
    interface: 'contract',
    contentType: 'application/hl7-v2',
    correlationId: id,
    receivedAt: instant(0),
    attempt: 1,
    body: Buffer.from(`MSH|^~\\&|LAB|HILUM|EHR|HILUM|20260102||ORU^R01|${id}|P|2.5.1\r`),
    ...fields,
  };
}
