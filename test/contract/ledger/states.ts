import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type {
  Ledger,
  LedgerEntry,
  LedgerEventKind,
  MessageState,
} from '../../../core/ports/ledger.ts';
import type { LedgerFixture, LedgerTest } from './fixture.ts';
import { uniqueName } from '../envelope.ts';
import { events, instant, ageOf, countsOf, buildEnvelope, restartTimeoutMs } from './support.ts';

/** The state of a message, in whatever order its events come. */
export function describeStates(test: LedgerTest): void {
  let fixture: LedgerFixture;
  let ledger: Ledger;
  beforeEach(() => {
    ({ fixture, ledger } = test.current());
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
}
