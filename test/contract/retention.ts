import type { Envelope } from '../../core/envelope.ts';
import type { Ledger, LedgerEventKind } from '../../core/ports/ledger.ts';
import type { LedgerRetention, PruneResult, RetentionLimit } from '../../core/ports/retention.ts';
import { newId } from '../../runtime/ids.ts';
import { buildMessage } from '../runtime/owner.ts';

/** A real ledger under test with nothing in it, opened for every test. */
export interface RetentionFixture {
  readonly ledger: Ledger;
  readonly retention: LedgerRetention;
  close(): Promise<void>;
}

const dayMs = 86_400_000;
const queue = 'in.lab';
const now = Date.now();
/** ISO 8601 instant. */
export const daysAgo = (days: number): string => new Date(now - days * dayMs).toISOString();
/** Thirty days, dead letters a hundred. */
const limits: readonly RetentionLimit[] = [{ before: daysAgo(30), deadBefore: daysAgo(100) }];

/** Writes a message of so many days ago, its id of that time, and what befell it then. */
export async function addOld(
  ledger: Ledger,
  days: number,
  kinds: readonly LedgerEventKind[],
  changes: Partial<Envelope> = {},
): Promise<Envelope> {
  const at = daysAgo(days);
  const id = newId(Date.parse(at));
  const given = { id, correlationId: id, receivedAt: at, key: 'K', ...changes };
  const envelope = buildMessage('C1', given);
  await ledger.append([
    { type: 'message', envelope },
    ...kinds.map((kind) => ({
      type: 'event' as const,
      event: { messageId: envelope.id, kind, at, ...(kind === 'received' ? {} : { queue }) },
    })),
  ]);
  return envelope;
}

/** What makes a message one that was made of another. */
export const childOf = ({ id, correlationId }: Envelope): Partial<Envelope> => ({
  causationId: id,
  correlationId,
});

/** Steps until there are no more, as small as they are asked for. */
export async function pruneAll(
  retention: LedgerRetention,
  given: readonly RetentionLimit[] = limits,
  limit = 100,
) {
  const steps: PruneResult[] = [];
  let after: number | undefined;
  do {
    const from = after === undefined ? {} : { after };
    const step = await retention.prune({ limits: given, limit, ...from });
    steps.push(step);
    after = step.next;
  } while (after !== undefined && steps.length < 1_000);
  return {
    removed: steps.reduce((sum, step) => sum + step.removed, 0),
    kept: steps.reduce((sum, step) => sum + step.kept, 0),
    dead: steps.flatMap((step) => step.dead),
    steps: steps.length,
  };
}

/** Every promise of core/ports/retention.ts that is not about the embedded broker, as tests. */
export function describeRetention(name: string, open: () => Promise<RetentionFixture>): void {
  describe(`retention: ${name}`, () => {
    let fixture: RetentionFixture;
    let ledger: Ledger;
    let retention: LedgerRetention;

    beforeEach(async () => {
      fixture = await open();
      ({ ledger, retention } = fixture);
    }, 60_000);

    afterEach(() => fixture.close());

    const add = (days: number, kinds: readonly LedgerEventKind[], changes?: Partial<Envelope>) =>
      addOld(ledger, days, kinds, changes);
    const isThere = async ({ id }: Envelope): Promise<boolean> =>
      (await ledger.read(id)) !== undefined;

    it('removes what nodes made of a message together with it, and of no other', async () => {
      const old = await add(31, ['received', 'processed']);
      const young = await add(1, ['received', 'processed']);
      const made = [old.id, young.id].map((messageId) => ({ messageId, text: '{}' }));
      await ledger.append(made.map((changes) => ({ type: 'changes', changes })));
      await pruneAll(retention);
      expect(await ledger.changes(old.id)).toBeUndefined();
      expect(await ledger.changes(young.id)).toEqual(made[1]);
    });

    it('removes what is old and through, with all that was made of it, and leaves what is young', async () => {
      const old = await add(31, ['received', 'queued', 'processed']);
      const child = await add(31, ['queued', 'delivered'], childOf(old));
      const young = await add(29, ['received', 'queued', 'processed']);
      expect(await pruneAll(retention)).toMatchObject({ removed: 2, kept: 0, dead: [] });
      expect(await Promise.all([old, child, young].map(isThere))).toEqual([false, false, true]);
      expect(await ledger.trace(old.id)).toBeUndefined();
      expect([...(await ledger.states([old.id, young.id])).keys()]).toEqual([young.id]);
    });

    it.each<readonly [string, readonly LedgerEventKind[]]>([
      ['waits in a queue', ['queued']],
      ['is under way', ['queued', 'taken']],
      ['is tried again', ['queued', 'taken', 'failed']],
      ['is set aside', ['queued', 'parked']],
    ])('never removes what %s, nor what it was made of', async (_what, kinds) => {
      const old = await add(400, ['received', 'queued', 'processed']);
      const done = await add(400, ['queued', 'delivered'], childOf(old));
      const open = await add(400, kinds, childOf(old));
      expect(await pruneAll(retention)).toMatchObject({ removed: 0 });
      expect(await Promise.all([old, done, open].map(isThere))).toEqual([true, true, true]);
    });

    it('keeps what something younger was made of', async () => {
      const old = await add(31, ['received', 'queued', 'processed']);
      const replayed = await add(2, ['queued', 'processed'], childOf(old));
      expect(await pruneAll(retention)).toMatchObject({ removed: 0 });
      expect(await Promise.all([old, replayed].map(isThere))).toEqual([true, true]);
    });

    it('keeps dead letters, and what they were made of, for as long as their own limit says', async () => {
      const parents = [await add(99, ['processed']), await add(101, ['processed'])];
      const young = await add(99, ['queued', 'dead-lettered'], childOf(parents[0]!));
      const old = await add(101, ['queued', 'dead-lettered'], childOf(parents[1]!));
      expect(await pruneAll(retention)).toMatchObject({ removed: 2 });
      const all = [parents[0]!, young, parents[1]!, old];
      expect(await Promise.all(all.map(isThere))).toEqual([true, true, false, false]);
    });

    it('keeps an interface for as long as its own limit says, or for ever', async () => {
      const all = await Promise.all(
        ['short', 'long', 'ever'].map((owner) => add(31, ['processed'], { interface: owner })),
      );
      const given = [...limits, { interface: 'long', before: daysAgo(365) }, { interface: 'ever' }];
      expect(await pruneAll(retention, given)).toMatchObject({ removed: 1 });
      expect(await Promise.all(all.map(isThere))).toEqual([false, true, true]);
    });

    it('says in a dry run what would go, and leaves it', async () => {
      const old = await add(31, ['processed']);
      await add(31, ['delivered'], childOf(old));
      const step = await retention.prune({ limits, limit: 100, isDryRun: true });
      expect(step).toMatchObject({ removed: 2, bytes: 2 * old.body.length });
      expect(await isThere(old)).toBe(true);
    });

    it('comes to the same in steps of one as in one step, and the counters go on counting', async () => {
      for (let each = 0; each < 5; each += 1) {
        const old = await add(31 + each, ['received', 'queued', 'processed']);
        for (let child = 0; child < 3; child += 1) await add(31, ['delivered'], childOf(old));
        await add(31, ['queued']);
      }
      const before = await ledger.counts();
      const { removed, steps } = await pruneAll(retention, limits, 1);
      expect(removed).toBe(20);
      expect(steps).toBeGreaterThan(5);
      expect(await ledger.counts()).toEqual(before);
      const { pruned } = await retention.storage();
      expect(pruned).toMatchObject({ messages: 20, events: 5 * 3 + 5 * 3 });
    });

    it('takes an event that comes for what is gone', async () => {
      const old = await add(31, ['processed']);
      await pruneAll(retention);
      const event = { messageId: old.id, kind: 'answered' as const, at: daysAgo(0), queue };
      await ledger.append([{ type: 'event', event }]);
      expect(await isThere(old)).toBe(false);
    });

    it('knows the age of the oldest', async () => {
      expect(await retention.storage()).not.toHaveProperty('oldestAt');
      await add(3, ['processed']);
      await add(5, ['processed']);
      await pruneAll(retention);
      const { oldestAt, fileBytes } = await retention.storage();
      expect(oldestAt).toBe(daysAgo(5));
      expect(fileBytes).toBeGreaterThan(0);
    });
  });
}
