import path from 'node:path';
import { SupervisedProcess } from '../../../runtime/process/supervised.ts';
import { readSettings } from '../../../runtime/settings.ts';

/** A supervisor that is killed by the test: tells its parent the process id of its child once that does what it is to. */
const read = readSettings(process.env);
if (!read.ok) throw new Error(read.problems.join(' '));
const child = new SupervisedProcess({
  settings: read.settings,
  logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  name: 'a child',
  config: () => ({
    ...{ role: 'worker', group: 'default', spoolName: 'worker default', standsBy: false },
    ...{ flows: [], credentials: {}, mappingsDirectory: '', profiles: {}, paused: [] },
    definitions: { listeners: [], senders: [], queues: [] },
  }),
  onMessage: ignore,
  program: path.join(import.meta.dirname, 'child-process.ts'),
});
await child.start({ once: true });
child.send({ type: 'inject', nodeId: 'a' });
process.send?.(child.status.pid);

function ignore(): void {
  // What it says is not what this is about.
}
