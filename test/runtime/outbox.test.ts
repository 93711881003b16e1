import type { LedgerEntry } from '../../core/ports/ledger.ts';
import { AwaitedRevision } from '../../runtime/flow/awaited-revision.ts';
import { Outbox, type FlowRun } from '../../runtime/flow/outbox.ts';
import { Pending } from '../../runtime/flow/pending.ts';
import { toPayload } from '../../runtime/payload.ts';
import { Recorder } from '../../runtime/recorder.ts';
import { buildMessage, OwnerHere, silent } from './owner.ts';

const queue = 'out.lab';

it('tells of what an earlier run sent where its worker ended before it could', async () => {
  const owner = new OwnerHere();
  await owner.open();
  try {
    const parts = { ...(await owner.connect()), logger: silent, clock: Date.now };
    const recorder = new Recorder(parts);
    const envelope = buildMessage('LAB1');
    const payload = toPayload(envelope);
    /** What one run makes of it and leaves for the settlement. */
    const runOnce = async (redelivered: boolean) => {
      // However long the ledger takes: all of it is for the settlement.
      const pending = new Pending(() => Promise.resolve(), 60_000);
      const run: FlowRun = { envelope, payload, redelivered, pending };
      const revision = new AwaitedRevision({ revision: 7, logger: silent });
      const outbox = new Outbox({ ...parts, recorder, revision, findRun: () => run });
      await outbox.send({ payload: payload.value }, { nodeId: 'out', queue });
      return pending.take();
    };
    const kindsOf = (entries: readonly LedgerEntry[]) =>
      entries.map((entry) => (entry.type === 'event' ? entry.event.kind : 'message'));

    const first = await runOnce(false);
    const { id, revision } = first.outgoing[0]!.envelope;
    expect(revision).toBe(7);
    // The queue had it, and its partner has; of the run itself the ledger knows nothing.
    const delivered = { messageId: id, kind: 'delivered', at: '2026-11-26T03:00:00.000Z' } as const;
    await parts.ledger.append([{ type: 'event', event: { ...delivered, queue } }]);

    const second = await runOnce(true);
    expect(second.outgoing).toEqual([]);
    expect(kindsOf(second.entries)).toEqual(['message', 'sent', 'queued']);
    await parts.ledger.append(second.entries);
    expect((await parts.ledger.states([id])).get(id)).toBe('delivered');
    expect(await runOnce(true)).toEqual({ outgoing: [], entries: [] });
  } finally {
    await owner.close();
  }
});
