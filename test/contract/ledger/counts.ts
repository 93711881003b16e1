import { HilumError } from '../../../core/errors.ts';
import type { Ledger, LedgerCount, LedgerEvent } from '../../../core/ports/ledger.ts';
import type { LedgerFixture, LedgerTest } from './fixture.ts';
import { uniqueName } from '../envelope.ts';
import { events, countsOf, buildEnvelope } from './support.ts';

/** How many events there were. */
export function describeCounts(test: LedgerTest): void {
  let fixture: LedgerFixture;
  let ledger: Ledger;
  beforeEach(() => {
    ({ fixture, ledger } = test.current());
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
}
