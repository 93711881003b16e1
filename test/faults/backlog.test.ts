import { startWithBacklog } from './backlog.ts';
import { runShort } from './harness/short.ts';

it('is ready in ten seconds with 100,000 messages queued, and delivers them in order', async () => {
  await runShort(startWithBacklog, 'embedded');
}, 300_000);
