import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Checkpoints } from '../../../connectors/sqlite/checkpoints.ts';
import { Database } from '../../../connectors/sqlite/database.ts';
import { quietLogger } from './support.ts';

const mebibyte = Buffer.alloc(1024 * 1024, 'x');

it('copies the log while transactions go on, so that it starts over and stays bounded', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hilum-checkpoints-'));
  const file = join(folder, 'hilum.db');
  const database = new Database(file, {});
  const checkpoints = new Checkpoints(database, file, quietLogger);
  try {
    for (let number = 1; number <= 240; number += 1) {
      database.transactUnflushed(() => {
        database.run('INSERT OR REPLACE INTO content VALUES (?, ?)', number % 8, mebibyte);
      });
      checkpoints.check();
      await new Promise(setImmediate);
    }
    // Uncopied, all 240 MiB would be there.
    expect(statSync(`${file}-wal`).size).toBeLessThan(120 * 1024 * 1024);
    expect(database.get('SELECT count(*) AS count FROM content')).toEqual({ count: 8 });
  } finally {
    await checkpoints.close();
    database.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
