/**
 * What one message costs the owner of the data file, without sockets: `npm run bench -- owner [--messages N]
 * [--curve ROWS]`. The requests of a whole pipeline (look-up, intake, flow, delivery) go straight into the group
 * commit. `--curve` fills the ledger up to so many messages and measures again at every power of ten.
 */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Database } from '../../connectors/sqlite/database.ts';
import { GroupCommit } from '../../connectors/sqlite/group-commit.ts';
import { quietLogger } from '../connectors/sqlite/support.ts';
import { makeTempFolder } from '../support/temp.ts';
import { PipelineLoad } from './owner-load.ts';

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    messages: { type: 'string', default: '20000' },
    curve: { type: 'string' },
  },
});
const messages = Number(values.messages);
const folder = makeTempFolder('owner');
const file = join(folder, 'hilum.db');

const database = new Database(file, {});
const commit = new GroupCommit(database, quietLogger);
const load = new PipelineLoad(commit);
try {
  await load.open();
  await load.run(2_000, 32);
  if (values.curve === undefined) {
    for (const outstanding of [1, 32, 256])
      await measure(`${outstanding} outstanding`, outstanding);
  } else {
    let rows = 0;
    for (let to = 10; to <= Number(values.curve); to *= 10) {
      await load.fill(Math.max(0, to - rows));
      await measure(`${Math.max(to, rows)} rows`, 32);
      // Each that goes through leads to two: what came in, and what went out.
      rows = Math.max(to, rows) + 2 * messages;
    }
  }
} finally {
  commit.close();
  database.close();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(name: string, outstanding: number): Promise<void> {
  const count = outstanding === 1 ? messages / 10 : messages;
  const before = process.cpuUsage();
  const latencies = await load.run(count, outstanding);
  const { user, system } = process.cpuUsage(before);
  latencies.sort((left, right) => left - right);
  const percentile = (part: number): string =>
    (latencies[Math.floor((latencies.length - 1) * part)] ?? Number.NaN).toFixed(1);
  const { rss, external, heapUsed } = process.memoryUsage();
  const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(0);
  console.log(
    `${name.padEnd(18)} ${((user + system) / count).toFixed(0).padStart(5)} µs of processor a message` +
      ` (${(system / count).toFixed(0)} of the system), from first to last p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms,` +
      ` RSS ${mib(rss)} MiB (heap ${mib(heapUsed)}, external ${mib(external)}), file ${mib(statSync(file).size)}, log ${mib(statSync(`${file}-wal`).size)}`,
  );
}
