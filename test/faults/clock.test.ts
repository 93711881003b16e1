import { describeWith } from '../support/programs.ts';
import { clock } from './clock.ts';
import { runShort } from './harness/short.ts';

describeWith('faketime', 'with a clock that can be set', () => {
  it('loses nothing when the clock jumps an hour back and forth', async () => {
    await runShort(clock, 'embedded');
  }, 300_000);
});
