import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Checkpoints } from '../../../connectors/sqlite/checkpoints.ts';
import { Database } from '../../../connectors/sqlite/database.ts';
import { quietLogger } from './support.ts';

const mebibyte = Buffer.alloc(1024 * 1024, 'x');

it('copies the log while transactions go on, so that it starts over', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hilum-checkpoints-'));
  const file = join(folder, 'hilum.db');
  const database = new Database(file, {});
  const checkpoints = new Checkpoints(database, file, quietLogger);
  try {
    const deadline = Date.now() + 25_000;
    let before = 0;
    let pages = 0;
    // Nobody else copies it: it can only have started over by the thread's work.
    for (let number = 1; pages >= before && Date.now() < deadline; number += 1) {
      before = pages;
      database.transactUnflushed(() => {
        database.run('INSERT OR REPLACE INTO content VALUES (?, ?)', number % 8, mebibyte);
      });
      pages = database.logPages().all;
      checkpoints.check();
      await new Promise(setImmediate);
    }
    expect(pages).toBeLessThan(before);
  } finally {
    await checkpoints.close();
    database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}, 40_000);
