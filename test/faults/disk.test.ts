import { disk } from './disk.ts';
import { runShort } from './harness/short.ts';

it('loses nothing by a full disk and a torn log, and does not start on a read-only one', async () => {
  await runShort(disk, 'embedded');
}, 300_000);
