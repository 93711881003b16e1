import type { Ledger } from '../../core/ports/ledger.ts';
import { describeCounts } from './ledger/counts.ts';
import { describeHeld } from './ledger/held.ts';
import { describeParked } from './ledger/parked.ts';
import { describeSearching } from './ledger/searching.ts';
import { describeStates } from './ledger/states.ts';
import { describeTrace } from './ledger/trace.ts';
import { describeWaiting } from './ledger/waiting.ts';
import { describeWriting } from './ledger/writing.ts';
import type { LedgerFixture } from './ledger/fixture.ts';
import { restartTimeoutMs } from './ledger/support.ts';

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

    const test = { current: () => ({ fixture, ledger }) };
    describeWriting(test);
    describeTrace(test);
    describeStates(test);
    describeSearching(test);
    describeWaiting(test);
    describeParked(test);
    describeHeld(test);
    describeCounts(test);
  });
}
