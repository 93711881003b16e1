import type { Envelope } from '../../../core/envelope.ts';
import type { Ledger } from '../../../core/ports/ledger.ts';
import { parkedKeys } from '../../support/parked.ts';
import type { LedgerFixture, LedgerTest } from './fixture.ts';
import { uniqueName } from '../envelope.ts';
import { events, instant, ageOf, buildEnvelope, restartTimeoutMs } from './support.ts';

/** Messages that are set aside of a queue. */
export function describeParked(test: LedgerTest): void {
  let fixture: LedgerFixture;
  let ledger: Ledger;
  beforeEach(() => {
    ({ fixture, ledger } = test.current());
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
}
