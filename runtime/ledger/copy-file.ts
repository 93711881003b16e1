import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LedgerAddress } from '../../connectors/postgres/address.ts';
import { makeOldParts, openPostgres } from '../../connectors/postgres/open.ts';
import { connectOwner } from '../../connectors/sqlite/client.ts';
import { openOwner } from '../../connectors/sqlite/owner.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { copyLedger, type CopyProgress } from './copy.ts';

/**
 * Copies the ledger of a data file that no Hilum runs on to PostgreSQL, whose tables are made where there are none.
 * Rejects where the file is in use.
 */
export async function copyFile(options: {
  readonly file: string;
  readonly address: LedgerAddress;
  readonly logger: Logger;
  readonly onProgress: (progress: CopyProgress) => void;
}): Promise<CopyProgress> {
  const { file, address, logger, onProgress } = options;
  if (!existsSync(file)) throw new Error(`A data file was expected at ${file} and there is none.`);
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-copy-'));
  try {
    const socket = path.join(folder, 'owner.sock');
    const owner = await openOwner({ file, socket, logger });
    const source = await connectOwner({ socket, logger });
    const store = await openPostgres({ address, logger, isStrict: true });
    try {
      const [oldest] = await source.ledger.find({}, { limit: 1, order: 'oldest' });
      if (oldest !== undefined) await makeOldParts(address, Date.parse(oldest.receivedAt));
      return await copyLedger(source.ledger, store.ledger, onProgress);
    } finally {
      await Promise.all([source.close(), store.close()]);
      await owner.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
