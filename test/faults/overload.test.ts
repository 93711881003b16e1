import { runShort } from './harness/short.ts';
import { overload } from './overload.ts';

it('slows senders down when there is too much, loses nothing, and keeps its memory', async () => {
  await runShort(overload, 'embedded');
}, 300_000);
