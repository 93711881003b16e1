import { randomUUID } from 'node:crypto';
import type { Ledger } from '../../../core/ports/ledger.ts';
import type { LedgerTest } from './fixture.ts';
import { uniqueName } from '../envelope.ts';
import { events, instant, ageOf, buildEnvelope } from './support.ts';

/** Who waits in a queue, and for how long. */
export function describeWaiting(test: LedgerTest): void {
  let ledger: Ledger;
  beforeEach(() => {
    ({ ledger } = test.current());
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
}
