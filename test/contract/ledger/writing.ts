import { randomUUID } from 'node:crypto';
import type { Envelope } from '../../../core/envelope.ts';
import { HilumError } from '../../../core/errors.ts';
import type {
  Ledger,
  LedgerEntry,
  LedgerEvent,
  LedgerEventKind,
} from '../../../core/ports/ledger.ts';
import type { LedgerFixture, LedgerTest } from './fixture.ts';
import { uniqueName } from '../envelope.ts';
import { events, ageOf, countsOf, buildEnvelope, restartTimeoutMs } from './support.ts';

/** Messages and what is appended to them: what is stored, whole and once. */
export function describeWriting(test: LedgerTest): void {
  let fixture: LedgerFixture;
  let ledger: Ledger;
  beforeEach(() => {
    ({ fixture, ledger } = test.current());
  });

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
        await ledger.append([{ type: 'message', envelope }, ...events(envelope.id, ['received'])], {
          sender,
          number: 1,
          heardBelow: 1,
        });
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

  it('waits on close for what is being appended', async () => {
    const other = await fixture.reopen();
    const envelopes = Array.from({ length: 20 }, () => buildEnvelope());
    const appending = envelopes.map((envelope) => other.append([{ type: 'message', envelope }]));
    await other.close();
    await Promise.all(appending);
    const states = await ledger.states(envelopes.map(({ id }) => id));
    expect(states.size).toBe(20);
  });
}
